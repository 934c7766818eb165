// Items of kind "share": the description of a network share with its permissions, a TOML file kept verbatim
// (docs/sample.md, "Share description"). Making the share itself is the operating system's business: a
// recovery puts the description back and a person, or a step of the plan, makes the share from it.
#pragma once

#include <string>
#include <vector>

#include "item/files/files.h"

namespace holdfast::item {

struct SharePermission {
  std::string account, access, type;  // access: read, change, full; type: allow, deny
  auto operator<=>(const SharePermission&) const = default;
};
struct ShareDescription {
  std::string name, unc, path, comment;
  std::vector<SharePermission> permissions;  // in the order of the file
};

// Error(damaged) names line and column, or the key that is missing or not one of its values.
ShareDescription parse_share(const std::string& text, const std::string& where);

class ShareAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "share"; }
  std::vector<OptionSpec> options() const override;
  // By key: "unc", "path", "permission DOMAIN\\account (allow)".
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  // What check_files says, and "share description equal" by key.
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
  void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                  CaptureContext& context) const override;
};

}  // namespace holdfast::item
