// Items of kind "directory": a whole folder tree, with everything the file system knows about it.
//
// Captured: folders, files (sparse ones with their holes), symbolic links, FIFOs and devices (never opened),
// hard links, owners, modes, ACLs, extended attributes, times. File systems mounted inside are entered. Not
// captured: sockets (finding socket_skipped), what is excluded (counted in the facts), the repository itself
// (finding left_out), folders deeper than tree::kMaxDepth (finding too_deep). What cannot be read is a
// finding and the rest goes on: unreadable, attributes_unreadable, vanished_while_read, changed_while_read.
//
// Restored in place, files are replaced and files that the backup does not have stay (finding extra_file). A
// link that stands where the backup has a folder is refused, not followed and not replaced.
#pragma once

#include "item/adapter.h"

namespace holdfast::item {

class DirectoryAdapter final : public Adapter {
 public:
  std::string kind() const override { return "directory"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Path> covers(const ItemSpec& spec) const override;
  std::uint64_t estimate(const ItemSpec& spec, platform::World& world) const override;
  void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const override;
  // When entries could not be restored, everything else is, and then Error(outside) names the ones that were
  // refused, or an Error with the code of the first one that failed. no_space and interrupted stop at once.
  void apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const override;
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;
};

// The same for other adapters that keep a folder (installation package). `folder` takes the place of option
// "path".
void capture_directory(const Path& folder, const std::vector<std::string>& exclude, tree::TreeSink& sink,
                       CaptureContext& context);
void apply_directory(const Path& folder, const std::vector<std::string>& exclude, const tree::NodePtr& stored,
                     ApplyContext& context);  // context.to, when given, takes the place of `folder`
std::vector<Change> diff_directory(const tree::NodePtr& before, const tree::NodePtr& after);
std::vector<CheckResult> check_directory(const Path& folder, const std::vector<std::string>& exclude,
                                         const tree::NodePtr& stored, CaptureContext& context);
// Sum of the sizes of the files.
std::uint64_t estimate_directory(const Path& folder, const std::vector<std::string>& exclude);

}  // namespace holdfast::item
