// Items of kind `vendor_backup`: the backup file that the product's own tool wrote, taken in and kept
// verbatim. Its format is the vendor's and not public: Holdfast proves that the bytes are the same, not that
// the vendor's tool will take them. Its own password is kept with it when password_file is given: without it
// the file is useless.
#pragma once

#include "item/files/files.h"

namespace holdfast::item {

class VendorBackupAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "vendor_backup"; }
  std::vector<OptionSpec> options() const override;
  // Findings password_not_kept, vendor_backup_stale (its file was last changed more than 30 days ago).
  // Error(not_found) without the backup file, Error(damaged) when it is empty.
  void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
};

}  // namespace holdfast::item
