#include "item/directory/directory.h"

#include "base/error.h"

namespace holdfast::item {

std::vector<OptionSpec> DirectoryAdapter::options() const {
  return {
      {"path", OptionSpec::Type::path, true, "the folder to protect", {}},
      {"exclude",
       OptionSpec::Type::text_list,
       false,
       "what to leave out: names (\"*.tmp\") anywhere, or paths from the folder (\"logs/*.log\", \"/cache\")",
       {}}};
}

std::vector<Path> DirectoryAdapter::covers(const ItemSpec& spec) const { return {spec.text("path")}; }

std::uint64_t DirectoryAdapter::estimate(const ItemSpec& spec, platform::World&) const {
  try {
    return estimate_directory(spec.text("path"), spec.list("exclude"));
  } catch (const Error&) {
    return 0;  // not there: the capture says so
  }
}

void DirectoryAdapter::capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const {
  capture_directory(spec.text("path"), spec.list("exclude"), sink, context);
}

void DirectoryAdapter::apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const {
  apply_directory(spec.text("path"), spec.list("exclude"), stored, context);
}

std::vector<Change> DirectoryAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  return diff_directory(before, after);
}

std::vector<CheckResult> DirectoryAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                                 CaptureContext& context) const {
  return check_directory(spec.text("path"), spec.list("exclude"), stored, context);
}

}  // namespace holdfast::item
