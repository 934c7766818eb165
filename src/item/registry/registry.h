// Items of kind `registry`: a part of the Windows registry as a regedit export (.reg). Kept verbatim, parsed
// and checked at capture, compared by value. Not the live registry: what imports and exports it is the
// profile's business.
#pragma once

#include "item/files/files.h"

namespace holdfast::item {

class RegistryAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "registry"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
  void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                  CaptureContext& context) const override;
};

}  // namespace holdfast::item
