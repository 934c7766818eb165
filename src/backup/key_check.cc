#include "backup/key_check.h"

#include "base/error.h"
#include "base/text.h"

namespace holdfast::backup {

item::CheckResult check_columns(const std::string& name, const std::vector<item::KmsKey>& keys,
                                const std::vector<std::vector<std::string>>& rows) {
  std::size_t open = 0, no_key = 0, wrong = 0;
  std::string first;
  for (const auto& row : rows) {
    item::Opens result = item::Opens::wrong;
    if (row.size() == 2) {
      Bytes column(row[1].size() / 2);
      if (from_hex(row[1], column)) result = item::opens(keys, column, row[0]);
    }
    switch (result) {
      case item::Opens::yes: ++open; continue;
      case item::Opens::no_key: ++no_key; break;
      case item::Opens::wrong: ++wrong; break;
    }
    if (first.empty() && !row.empty()) first = printable(row[0]);
  }
  item::CheckResult r{name, no_key + wrong == 0, ""};
  if (rows.empty()) r.detail = "the database holds no encrypted value";
  else r.detail = human_count(open) + " of " + human_count(rows.size()) + " encrypted values open with " +
                  std::to_string(keys.size()) + (keys.size() == 1 ? " key" : " keys");
  if (no_key != 0) r.detail += "; " + human_count(no_key) + " need a key that is not there";
  if (wrong != 0) r.detail += "; " + human_count(wrong) + " do not open with the key that they name";
  if (!first.empty()) r.detail += " (first: " + first + ")";
  return r;
}

std::vector<KeyFit> check_keys_live(const system::System& system, const item::AdapterSet& adapters, platform::World& world) {
  std::vector<KeyFit> results;
  for (const system::KeyCheck& check : system.profile.key_checks) {
    const item::ItemSpec* keys = system.find(check.keys_item);
    const item::ItemSpec* database = system.find(check.database_item);
    if (keys == nullptr || database == nullptr || keys->excluded || database->excluded) continue;
    const auto* adapter = dynamic_cast<const item::DatabaseAdapter*>(adapters.find(database->kind, database->engine));
    if (adapter == nullptr) continue;
    try {
      auto loaded = item::load_keys(world.files, keys->text("path"));
      bool vendor_format = loaded.empty() && !world.files.list(keys->text("path")).empty();
      if (vendor_format) continue;
      auto rows = adapter->query(*database, world, check.query);
      results.push_back({keys->name, database->name, check_columns(check.name, loaded, rows)});
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      results.push_back({keys->name, database->name, {check.name, false, e.what()}, false});
    }
  }
  return results;
}

}  // namespace holdfast::backup
