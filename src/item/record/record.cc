#include "item/record/record.h"

#include "base/error.h"

namespace holdfast::item {
namespace {

bool is_generated(const ItemSpec& spec) { return !spec.text("generated").empty(); }

}  // namespace

std::vector<OptionSpec> RecordAdapter::options() const {
  return {{"generated",
           OptionSpec::Type::text,
           false,
           "A text that Holdfast makes: the identity card or the product list.",
           {"identity", "products"}},
          {"path", OptionSpec::Type::path, false, "A file that is kept by hand.", {}}};
}

FileSet RecordAdapter::file_set(const ItemSpec& spec) const { return {{spec.text("path")}, std::nullopt}; }

std::vector<Path> RecordAdapter::covers(const ItemSpec& spec) const {
  return is_generated(spec) ? std::vector<Path>{} : FileSetAdapter::covers(spec);
}

std::uint64_t RecordAdapter::estimate(const ItemSpec& spec, platform::World& world) const {
  return is_generated(spec) ? 0 : FileSetAdapter::estimate(spec, world);
}

void RecordAdapter::capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const {
  if (is_generated(spec) == !spec.text("path").empty())
    throw Error(Code::config, "item " + spec.name + ": a record has exactly one of 'generated' and 'path'");
  if (!is_generated(spec)) return FileSetAdapter::capture(spec, sink, context);
  auto text = context.generated ? context.generated(spec.text("generated")) : std::nullopt;
  if (!text)
    throw Error(Code::precondition,
                "cannot capture " + spec.name + ": '" + spec.text("generated") + "' could not be made")
        .hint("'holdfast doctor' says what [identity] in the configuration file cannot be read from");
  capture_texts({{spec.name + ".txt", *text}}, sink, context);
}

void RecordAdapter::apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const {
  if (is_generated(spec) && !context.to) return;
  FileSetAdapter::apply(spec, stored, context);
}

std::vector<CheckResult> RecordAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                              CaptureContext& context) const {
  if (is_generated(spec)) return {};
  return FileSetAdapter::check(spec, stored, context);
}

}  // namespace holdfast::item
