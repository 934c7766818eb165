// Items of kind `settings`: the core settings file of a Notification Server (CoreSettings.config), XML with a
// flat list of <customSetting key= type= value=/>. Kept verbatim, parsed and checked at capture, compared by
// key.
//
// A setting of type "registry" only says where in the registry its value is (regKey, regValue, regValueType,
// defaultValue): the value itself belongs to the item of kind `registry`. Source: docs/sample.md.
#pragma once

#include <string>
#include <vector>

#include "item/files/files.h"

namespace holdfast::item {

struct Setting {
  std::string key, type;                     // type: "local", "registry", or one that is not known and kept
  std::string value;                         // of a local setting
  std::string registry_key, registry_value, registry_value_type, default_value;   // of a registry setting
  std::string upgrade_if;  // "gt", "lt", "ne": when an upgrade overwrites the administrator's value
  bool operator==(const Setting&) const = default;
};

// All settings in the order of the file. Error(damaged) naming file and line: not well-formed, a setting
// without key or type, no setting at all.
std::vector<Setting> parse_settings(ByteView xml, std::string_view what);

class SettingsAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "settings"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
  void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                  CaptureContext& context) const override;
};

}  // namespace holdfast::item
