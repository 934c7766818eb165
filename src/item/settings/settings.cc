#include "item/settings/settings.h"

#include <pugixml.hpp>

#include "base/text.h"
#include "item/settings/diff_by_key.h"
#include "item/settings/secret_text.h"
#include "item/settings/whole_content.h"
#include "item/settings/xml_text.h"

namespace holdfast::item {
namespace {

class Collector final : public pugi::xml_tree_walker {
 public:
  Collector(std::string_view what, std::string_view text) : what_(what), text_(text) {}

  bool for_each(pugi::xml_node& node) override {
    if (node.type() != pugi::node_element || std::string_view(node.name()) != "customSetting") return true;
    Setting s;
    s.key = required(node, "key");
    s.type = required(node, "type");
    s.value = node.attribute("value").value();
    s.registry_key = node.attribute("regKey").value();
    s.registry_value = node.attribute("regValue").value();
    s.registry_value_type = node.attribute("regValueType").value();
    s.default_value = node.attribute("defaultValue").value();
    s.upgrade_if = node.attribute("upgradeIf").value();
    settings.push_back(std::move(s));
    return true;
  }

  std::vector<Setting> settings;

 private:
  std::string required(const pugi::xml_node& node, const char* attribute) const {
    std::string value = node.attribute(attribute).value();
    if (value.empty())
      xml_damaged(what_, text_, static_cast<std::size_t>(node.offset_debug()),
                  std::string("a customSetting without '") + attribute + "'");
    return value;
  }
  std::string_view what_, text_;
};

std::string shown(const Setting& s) {
  if (s.type != "registry") return looks_secret(s.key, s.value) ? "" : "\"" + printable(s.value) + "\"";
  if (looks_secret(s.key + s.registry_value, s.default_value)) return "";
  return "registry " + printable(s.registry_key) + "\\" + printable(s.registry_value) + " " +
         printable(s.registry_value_type) + ", default \"" + printable(s.default_value) + "\"";
}

std::string compared(const Setting& s) {
  return join(std::vector<std::string>{s.type, s.value, s.registry_key, s.registry_value,
                                       s.registry_value_type, s.default_value, s.upgrade_if},
              std::string_view("\0", 1));
}

// A key that occurs again gets a number: "Key (2)".
Keyed by_key(const tree::NodePtr& stored) {
  Keyed all;
  for (const StoredFile& file : stored_files(stored)) {
    for (const Setting& s : parse_settings(stored_content(file), file.path)) {
      std::string key = printable(s.key);
      for (int n = 2; all.contains(key); ++n) key = printable(s.key) + " (" + std::to_string(n) + ")";
      all[key] = {compared(s), shown(s)};
    }
  }
  return all;
}

}  // namespace

std::vector<Setting> parse_settings(ByteView xml, std::string_view what) {
  const std::string text = xml_text(xml, what);
  pugi::xml_document document;
  auto result = document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result) xml_damaged(what, text, static_cast<std::size_t>(result.offset), result.description());
  Collector collector(what, text);
  document.traverse(collector);
  if (collector.settings.empty())
    xml_damaged(what, text, 0, "there is no customSetting: this is no core settings file");
  return std::move(collector.settings);
}

std::vector<OptionSpec> SettingsAdapter::options() const {
  return {{"path", OptionSpec::Type::path, true, "The settings file (CoreSettings.config).", {}}};
}

FileSet SettingsAdapter::file_set(const ItemSpec& spec) const { return {{spec.text("path")}, std::nullopt}; }

void SettingsAdapter::understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                                 CaptureContext& context) const {
  std::size_t local = 0, registry = 0, other = 0;
  std::map<std::string, int> seen;
  for (const LiveFile& file : files) {
    const auto settings = parse_settings(whole_content(file), file.path.string());
    for (const Setting& s : settings) {
      ++(s.type == "local" ? local : s.type == "registry" ? registry : other);
      if (++seen[s.key] == 2)
        context.finding(
            {"setting_duplicate", spec.name, "the setting " + printable(s.key) + " is there more than once",
             "remove all but the one that is meant: which one the product uses is not documented"});
      if (s.type == "registry" && (s.registry_key.empty() || s.registry_value.empty()))
        context.finding(
            {"setting_incomplete", spec.name,
             "the setting " + printable(s.key) + " is of type registry and does not say which value", ""});
    }
  }
  context.facts.emplace_back("settings", std::to_string(local + registry + other));
  context.facts.emplace_back("settings_local", std::to_string(local));
  context.facts.emplace_back("settings_registry", std::to_string(registry));
  if (other != 0) context.facts.emplace_back("settings_other", std::to_string(other));
}

std::vector<Change> SettingsAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  return diff_by_key(before, after, by_key);
}

}  // namespace holdfast::item
