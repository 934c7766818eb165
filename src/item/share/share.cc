#include "item/share/share.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "base/toml.h"

namespace holdfast::item {
namespace {

constexpr std::uint64_t kLargestDescription = UINT64_C(1) << 20;  // a description is a few hundred bytes

Error wrong(const std::string& where, const std::string& why) {
  return Error(Code::damaged, "cannot read share description " + printable(where) + ": " + why)
      .hint("docs/sample.md shows what a share description looks like");
}

std::string required_text(const toml::table& table, std::string_view key, const std::string& where,
                          const std::string& of) {
  const auto value = table[key].value<std::string>();
  if (!value) throw wrong(where, of + " has no text '" + std::string(key) + "'");
  return *value;
}

void need_one_of(const std::string& value, std::initializer_list<std::string_view> allowed,
                 const std::string& where) {
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
    throw wrong(where, "'" + printable(value) + "' is none of the known values of a permission");
}

SharePermission permission_of(const toml::node& node, const std::string& where) {
  const toml::table* table = node.as_table();
  if (!table) throw wrong(where, "a permission is not a table");
  SharePermission permission{required_text(*table, "account", where, "a permission"),
                             required_text(*table, "access", where, "a permission"),
                             required_text(*table, "type", where, "a permission")};
  need_one_of(permission.access, {"read", "change", "full"}, where);
  need_one_of(permission.type, {"allow", "deny"}, where);
  return permission;
}

// Everything of a description as key and value, for comparing.
std::map<std::string, std::string> keys_of(const ShareDescription& share) {
  std::map<std::string, std::string> keys{
      {"name", share.name}, {"unc", share.unc}, {"path", share.path}, {"comment", share.comment}};
  for (const SharePermission& p : share.permissions) {
    std::string& access = keys["permission " + p.account + " (" + p.type + ")"];
    access += access.empty() ? p.access : ", " + p.access;
  }
  return keys;
}

std::optional<ShareDescription> stored_share(const tree::NodePtr& stored) {
  std::vector<StoredFile> files = stored_files(stored);
  if (files.empty()) return std::nullopt;
  return parse_share(holdfast::to_text(stored_content(files.front())), files.front().path);
}

std::vector<Change> compare(const std::optional<ShareDescription>& before,
                            const std::optional<ShareDescription>& after) {
  std::map<std::string, std::string> old_keys, new_keys;
  if (before) old_keys = keys_of(*before);
  if (after) new_keys = keys_of(*after);
  std::vector<Change> changes;
  for (const auto& [key, value] : old_keys) {
    auto now = new_keys.find(key);
    if (now == new_keys.end())
      changes.push_back({Change::Kind::removed, key, value, ""});
    else if (now->second != value)
      changes.push_back({Change::Kind::changed, key, value, now->second});
  }
  for (const auto& [key, value] : new_keys)
    if (!old_keys.contains(key)) changes.push_back({Change::Kind::added, key, "", value});
  return changes;
}

}  // namespace

ShareDescription parse_share(const std::string& text, const std::string& where) {
  toml::table document;
  try {
    document = toml::parse(text, where);
  } catch (const toml::parse_error& e) {
    throw wrong(where, "line " + std::to_string(e.source().begin.line) + ", column " +
                           std::to_string(e.source().begin.column) + ": " + printable(e.description()));
  }
  const toml::table* table = document["share"].as_table();
  if (!table) throw wrong(where, "it has no table [share]");
  ShareDescription share{required_text(*table, "name", where, "[share]"),
                         required_text(*table, "unc", where, "[share]"),
                         required_text(*table, "path", where, "[share]"),
                         (*table)["comment"].value_or(std::string()),
                         {}};
  if (const toml::node* permissions = document.get("permission")) {
    const toml::array* list = permissions->as_array();
    if (!list) throw wrong(where, "'permission' is not a list of [[permission]] tables");
    for (const toml::node& node : *list) share.permissions.push_back(permission_of(node, where));
  }
  return share;
}

std::vector<OptionSpec> ShareAdapter::options() const {
  return {
      {"path", OptionSpec::Type::path, true, "the file that describes the share and its permissions", {}}};
}

FileSet ShareAdapter::file_set(const ItemSpec& spec) const {
  return {{Path(spec.text("path"))}, std::nullopt};
}

void ShareAdapter::understand(const ItemSpec&, const std::vector<LiveFile>& files,
                              CaptureContext& context) const {
  const LiveFile& file = files.front();
  if (!file.kept || file.content.size() > kLargestDescription)
    throw wrong(file.path.string(), "it is larger than " + human_bytes(kLargestDescription));
  const ShareDescription share = parse_share(holdfast::to_text(file.content), file.path.string());
  context.facts.emplace_back("share", share.name);
  context.facts.emplace_back("unc", share.unc);
  context.facts.emplace_back("path", share.path);
  context.facts.emplace_back("permissions", std::to_string(share.permissions.size()));
  if (share.permissions.empty())
    context.finding({"share_without_permissions", file.path.string(),
                     "the description names no permission of the share",
                     "describe who may use the share, or it cannot be set up again as it was"});
}

std::vector<Change> ShareAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  std::vector<Change> changes = compare(stored_share(before), stored_share(after));
  return changes.empty() ? diff_files(before, after) : changes;  // the same share, written differently
}

std::vector<CheckResult> ShareAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                             CaptureContext& context) const {
  std::vector<CheckResult> results = check_files(file_set(spec), stored, context.finding);
  CheckResult equal{"share description equal", false, ""};
  try {
    const LiveFile live = read_files(file_set(spec), context.finding).front();
    std::vector<std::string> different;
    for (const Change& change :
         compare(stored_share(stored), parse_share(holdfast::to_text(live.content), live.path.string())))
      different.push_back(printable(change.where));
    equal.passed = different.empty();
    equal.detail = join(different, ", ");
  } catch (const Error& e) {
    equal.detail = e.what();
  }
  results.push_back(equal);
  return results;
}

}  // namespace holdfast::item
