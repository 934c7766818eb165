// Items of kind `encryption_keys`: a folder of key files (*.kms) without which encrypted columns of the
// database are unreadable for ever. Every file of the folder is kept verbatim. Keys in the public format
// (kms.h) are proven whole at capture; the vendor's own are kept with the finding keys_not_provable.
#pragma once

#include "item/files/files.h"

namespace holdfast::item {

class EncryptionKeysAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "encryption_keys"; }
  std::vector<OptionSpec> options() const override;
  // Names and contents of the folder's files: keys that changed while the database was read do not fit it for
  // sure.
  std::optional<Bytes> live_digest(const ItemSpec& spec, platform::World& world) const override;
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
  // Error(damaged) names the file that is no whole key; Error(not_found) when there is no key at all.
  void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                  CaptureContext& context) const override;
};

}  // namespace holdfast::item
