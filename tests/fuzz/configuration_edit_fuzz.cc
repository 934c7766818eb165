// Changes of configuration files in their place: any text, any change.
#include "fuzz.h"
#include "system/configuration_edit.h"
#include "system/toml_document.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::system;

namespace {

Change read_change(Input& in) {
  Change change;
  const std::uint8_t what = in.u8();
  change.kind = static_cast<Change::Kind>(what % 3);
  for (int parts = 1 + what / 3 % 3; parts > 0; --parts) change.path.push_back(holdfast::to_text(in.part()));
  switch (what / 9 % 4) {
    case 0: change.value = what >= 128; break;
    case 1: change.value = static_cast<std::int64_t>(in.u16()) - 30'000; break;
    case 2: change.value = holdfast::to_text(in.part()); break;
    default: {
      std::vector<std::string> texts;
      for (int n = in.u8() % 4; n > 0; --n) texts.push_back(holdfast::to_text(in.part()));
      change.value = texts;
    }
  }
  return change;
}

const TomlValue* find(const TomlValue& document, const KeyPath& path) {
  const TomlValue* at = &document;
  for (const std::string& key : path) {
    const TomlValue* next = nullptr;
    for (const TomlMember& member : at->members)
      if (member.key == key) next = &member.value;
    if (!next) return nullptr;
    at = next;
  }
  return at;
}

bool holds(const TomlValue& found, const Change::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return found.kind == TomlValue::Kind::boolean && found.boolean == *flag;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return found.kind == TomlValue::Kind::integer && found.integer == *number;
  if (const auto* text = std::get_if<std::string>(&value)) return found.kind == TomlValue::Kind::text && found.text == *text;
  const auto& texts = std::get<std::vector<std::string>>(value);
  if (found.kind != TomlValue::Kind::array || found.elements.size() != texts.size()) return false;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (found.elements[i].text != texts[i]) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const Change change = read_change(in);
  const std::string text = holdfast::to_text(in.rest());
  accepted({Code::config, Code::unsupported, Code::usage, Code::not_found, Code::already_exists}, [&] {
    const std::string after = changed(text, "holdfast.toml", {&change, 1});
    const TomlValue document = parse_toml(after, "holdfast.toml");
    const TomlValue* found = find(document, change.path);
    if (change.kind == Change::Kind::set) require(found && holds(*found, change.value), "the value is set");
    if (change.kind == Change::Kind::add_table) require(found && found->kind == TomlValue::Kind::table && found->members.empty(), "the table is there");
    if (change.kind == Change::Kind::remove) require(!found || (found->kind == TomlValue::Kind::table && found->members.empty()), "it is gone");
    require(changed(after, "holdfast.toml", {}) == after, "no change is no change");
    if (change.kind == Change::Kind::set) require(changed(after, "holdfast.toml", {&change, 1}) == after, "the same change again is none");
    for (const LineChange& line : line_changes(text, after)) require(line.sign == '+' || line.sign == '-', "a line comes or goes");
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  const std::string text =
      "\xEF\xBB\xBF# top\r\ntop.dotted.\"a b\" = 1 # one\ninline = { x = 1, y.z = 'two', n = { } }\n\n[schedule.a]\nrun = \"copy\"  # why\n  enabled=false\n"
      "to = [ # who\n  'one', # first\n  # about two\n  \"two\"\n]\nlong = \"\"\"\n[no.table]\n# no comment\\\"\"\"\"\"\"\"\n\n"
      "[ schedule . 'b' ]\nat = 1979-05-27 07:32:00 # when\n\n[[excluded]]\npath = \"x\"\n[excluded.more]\n\n[schedule.a.below]\nf = 1.5e3";
  auto seed = [&](std::uint8_t what, const std::vector<std::string>& path, const std::vector<std::string>& value) {
    Parts parts;
    parts.u8(what);
    for (const std::string& part : path) parts.part(as_bytes(part));
    if (what / 9 % 4 == 3) parts.u8(static_cast<std::uint8_t>(value.size()));
    for (const std::string& part : value) parts.part(as_bytes(part));
    return Bytes(parts.rest(as_bytes(text)));
  };
  // kind + 3 * (parts of the path - 1) + 9 * type of the value
  return {seed(0 + 6 + 0, {"schedule", "a", "enabled"}, {}),
          seed(0 + 6 + 27, {"schedule", "a", "to"}, {"one", "three"}),
          seed(0 + 6 + 18, {"schedule", "new", "run"}, {"check"}),
          seed(0 + 6 + 18, {"inline", "y", "w"}, {"x"}),
          seed(0 + 3 + 18, {"inline", "x"}, {"\""}),
          seed(1 + 3 + 0, {"inline", "y"}, {}),
          seed(1 + 3 + 0, {"schedule", "a"}, {}),
          seed(1 + 0 + 0, {"top"}, {}),
          seed(2 + 3 + 0, {"schedule", "c"}, {}),
          seed(2 + 3 + 0, {"inline", "m"}, {})};
}
