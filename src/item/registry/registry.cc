#include "item/registry/registry.h"

#include <algorithm>

#include "base/text.h"
#include "item/registry/reg_file.h"
#include "item/settings/diff_by_key.h"
#include "item/settings/secret_text.h"
#include "item/settings/whole_content.h"

namespace holdfast::item {
namespace {

// Where a Notification Server keeps the SHA-1 of the certificate that agents are registered with
// (docs/sample.md).
constexpr std::string_view kAgentAuthority = "\\ca\\agent";
constexpr std::size_t kThumbprintDigits = 40;

bool is_thumbprint(std::string_view text) {
  return text.size() == kThumbprintDigits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// Secret by its name ("pwd" of AppIdentity) or by what it says.
bool is_secret(const RegValue& v) {
  if (looks_secret(v.name, reg_text(v).value_or(""))) return true;
  for (const std::string& text : reg_texts(v).value_or(std::vector<std::string>{}))
    if (looks_secret("", text)) return true;
  return false;
}

std::string shown(const RegValue& v) {
  if (v.deleted) return describe(v);
  return is_secret(v) ? "" : reg_type_name(v.type) + " " + describe(v);
}

std::string compared(const RegValue& v) {
  if (v.deleted) return "deleted";
  return std::to_string(static_cast<unsigned>(v.type)) + " " + std::string(as_text(v.data));
}

// Windows does not tell keys apart by case: one that is only spelled differently has not changed. A value and
// a sub-key may have one name, so a line break (which no key has) stands between key and value.
Keyed by_value(const tree::NodePtr& stored) {
  Keyed all;
  for (const StoredFile& file : stored_files(stored)) {
    const RegFile registry = parse_reg_file(stored_content(file), file.path);
    for (const RegKey& k : registry.keys) {
      all[to_lower_ascii(k.path)] = {k.deleted ? "deleted" : "key", k.deleted ? "(deleted)" : "(key)",
                                     printable(k.path)};
      for (const RegValue& v : k.values)
        all[to_lower_ascii(k.path + "\n" + v.name)] = {
            compared(v), shown(v), printable(k.path + "\\" + (v.name.empty() ? "@" : v.name))};
    }
  }
  return all;
}

}  // namespace

std::vector<OptionSpec> RegistryAdapter::options() const {
  return {{"path",
           OptionSpec::Type::path,
           true,
           "The registry export (.reg, Windows Registry Editor Version 5.00).",
           {}}};
}

FileSet RegistryAdapter::file_set(const ItemSpec& spec) const { return {{spec.text("path")}, std::nullopt}; }

void RegistryAdapter::understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                                 CaptureContext& context) const {
  std::size_t keys = 0, values = 0;
  for (const LiveFile& file : files) {
    const RegFile registry = parse_reg_file(whole_content(file), file.path.string());
    if (registry.keys.empty())
      throw Error(Code::damaged,
                  "cannot capture registry file " + printable(file.path.string()) + ": it holds no key")
          .hint("export the registry again");
    keys += registry.keys.size();
    for (const RegKey& k : registry.keys) {
      values += k.values.size();
      if (!to_lower_ascii(k.path).ends_with(kAgentAuthority)) continue;
      auto thumbprint = find_reg_text(registry, k.path, "Thumbprint");
      if (!thumbprint) continue;
      context.facts.emplace_back("agent_ca_thumbprint", printable(*thumbprint));
      if (!is_thumbprint(*thumbprint))
        context.finding({"thumbprint_malformed", spec.name,
                         "the thumbprint in " + printable(k.path) + " is not 40 hex digits: \"" +
                             printable(*thumbprint) + "\"",
                         "no agent can register while it is wrong; type it by hand, copying brings invisible "
                         "characters along"});
    }
  }
  context.facts.emplace_back("keys", std::to_string(keys));
  context.facts.emplace_back("values", std::to_string(values));
}

std::vector<Change> RegistryAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  return diff_by_key(before, after, by_value);
}

}  // namespace holdfast::item
