#include "repository/log/condemned.h"

#include "base/error.h"
#include "repository/format/point_object.h"

namespace holdfast::repository {

Condemned::Condemned(Records records) : records_(std::move(records)) {
  std::set<crypto::Sha256> concluded;
  for (const auto& record : records_) {
    if (record->type == RecordType::fence) concluded.insert(record->body.concludes);
  }
  for (const auto& record : records_) {
    const std::vector<std::string>& objects = record->body.objects;
    bool intent = record->type == RecordType::prune_intent, fence = record->type == RecordType::fence;
    if (!intent && !fence) continue;
    named_.insert(objects.begin(), objects.end());
    if (fence || !concluded.contains(record->hash)) condemned_.insert(objects.begin(), objects.end());
  }
}

bool needs_any(store::ObjectStore& store, const RepositoryId& repository, const PointId& point, const std::set<std::string>& names) {
  std::string own = object_name(ObjectType::point, point);
  if (names.contains(own)) return true;
  bool found = false;
  auto look = [&](const NeededObject& object) {
    found = found || names.contains(object_name(object.type, object.hash));
    return !found;   // a page that is named may be gone
  };
  try {
    InventoryRoot root = read_point_envelope(store.get(own, object_limit(ObjectType::point)), repository, point).inventory;
    if (look({ObjectType::inventory, root.hash, root.size})) read_inventory(store, repository, root, look, look);
  } catch (const Error& error) {
    if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
  }
  return found;
}

std::set<PointId> VoidPoints::among(const Records& records) {
  std::set<PointId> gone, found;
  std::map<crypto::Sha256, const Record*> intents;
  std::vector<const Record*> fences;
  for (const auto& record : records) {
    if (record->type == RecordType::forget) gone.insert(record->body.points.begin(), record->body.points.end());
    if (record->type == RecordType::prune_intent) intents[record->hash] = record.get();
    if (record->type == RecordType::fence && !record->body.objects.empty()) fences.push_back(record.get());
  }
  auto settled = [&](const Record& point, const Record& fence) {
    if (holds(fence.body.ground, point.writer, point.number)) return true;
    auto intent = intents.find(fence.body.concludes);
    return intent != intents.end() && holds(point.body.ground, intent->second->writer, intent->second->number);
  };
  for (const auto& record : records) {
    if (record->type != RecordType::point || fences.empty()) continue;
    std::set<crypto::Sha256> open;
    std::set<std::string> in_danger;
    for (const Record* fence : fences) {
      if (settled(*record, *fence)) continue;
      open.insert(fence->hash);
      in_danger.insert(fence->body.objects.begin(), fence->body.objects.end());
    }
    if (open.empty()) continue;
    for (const PointId& id : record->body.points) {
      if (gone.contains(id)) continue;
      auto& [against, is_void] = known_[id];
      if (against != open) {
        is_void = needs_(id, in_danger);
        against = open;
      }
      if (is_void) found.insert(id);
    }
  }
  return found;
}

}  // namespace holdfast::repository
