// Items of kind `record`: something for people. Either a text that Holdfast makes at capture (identity card,
// product list) or a file that somebody keeps by hand (the sheets of Cloud-enabled Management and of the
// hierarchy), kept verbatim.
//
// A made text has no place on the server: applying it in place writes nothing, `restore --to` writes it as
// "<item>.txt".
#pragma once

#include "item/files/files.h"

namespace holdfast::item {

class RecordAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "record"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Path> covers(const ItemSpec& spec) const override;
  std::uint64_t estimate(const ItemSpec& spec, platform::World& world) const override;
  // Error(config) unless exactly one of the options is given; Error(precondition) when the text cannot be
  // made.
  void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const override;
  void apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const override;
  // Nothing for a made text: the recovery compares identity and products itself.
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
};

}  // namespace holdfast::item
