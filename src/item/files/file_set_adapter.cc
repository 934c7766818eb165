#include "item/files/files.h"

namespace holdfast::item {

std::vector<Path> FileSetAdapter::covers(const ItemSpec& spec) const { return covered_paths(file_set(spec)); }

std::uint64_t FileSetAdapter::estimate(const ItemSpec& spec, platform::World&) const {
  return estimate_files(file_set(spec));
}

void FileSetAdapter::capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const {
  understand(spec, capture_files(file_set(spec), sink, context), context);
}

void FileSetAdapter::apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const {
  apply_files(file_set(spec), stored, context);
}

std::vector<Change> FileSetAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  return diff_files(before, after);
}

std::vector<CheckResult> FileSetAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                               CaptureContext& context) const {
  return check_files(file_set(spec), stored, context.finding);
}

void FileSetAdapter::understand(const ItemSpec&, const std::vector<LiveFile>&, CaptureContext&) const {}

}  // namespace holdfast::item
