#include "repository/upkeep/mending.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "repository/format/map_object.h"
#include "repository/upkeep/chunk_rescue.h"
#include "repository/upkeep/impact.h"

namespace holdfast::repository {
namespace {

class OpenMending final : public Mending {
 public:
  OpenMending(MendingParts parts, const CheckReport& damage)
      : parts_(std::move(parts)), engine_(std::make_shared<Engine>(without_cache(parts_.data))) {
    sort_out(damage);
    engine_->catalog.load();
    listed_packs_ = engine_->catalog.index().pack_count();
    if (!indexes_.empty()) engine_->catalog.adopt_unlisted();
    impact_.emplace(*engine_, packs_, parts_.run.cancel);
    load_points();
    for (const auto& [id, point] : points_) walk(*impact_, point, true);
  }

  const std::map<std::string, std::set<std::string>>& wanted() const override { return wanted_; }

  tree::TreeSink& reread(const std::string& item) override {
    static const std::set<std::string> kNothing;
    auto files = wanted_.find(item);
    sieve_.emplace(engine_->chunker, files == wanted_.end() ? kNothing : files->second,
                   [this](ByteView plain) { take(ChunkType::data, plain); });
    return *sieve_;
  }

  std::vector<std::string> finish() override {
    sieve_.reset();
    salvage();
    if (rescue_) rescue_->finish();
    write_index();
    find_what_is_known();
    std::vector<Replacement> replacements = replaced_packs();
    for (auto* more : {&indexes_, &pages_}) {
      for (const auto& [name, points] : *more) {
        if (auto by = more == &indexes_ ? std::optional(new_segments()) : inventory_again(points))
          replacements.push_back({parse_object_name(name)->type, parse_object_name(name)->hash, std::move(*by)});
      }
    }
    if (!replacements.empty()) put_map(engine_->context.store, engine_->context.repository, writer(), replacements);
    std::vector<std::string> mended;
    for (const Replacement& r : replacements) mended.push_back(object_name(r.type, r.hash));
    return mended;
  }

 private:
  using Points = std::set<PointId>;

  static DataContext without_cache(const DataContext& data) {
    return {data.store, data.keyring, data.clock, data.entropy, data.repository, data.parameters, {}};
  }

  void sort_out(const CheckReport& damage) {
    for (const DamagedObject& object : damage.damaged) {
      auto name = parse_object_name(object.name);
      if (!name) continue;
      Points affected(object.affects.begin(), object.affects.end());
      if (name->type == ObjectType::pack) {
        packs_.push_back(object.name);
        affects_[object.name] = affected;
      } else if (name->type == ObjectType::index) {
        indexes_[object.name] = affected;
      } else if (name->type == ObjectType::inventory) {
        pages_[object.name] = affected;
        unsure_.insert(affected.begin(), affected.end());
      } else {
        continue;
      }
      at_risk_.insert(affected.begin(), affected.end());
    }
  }

  void load_points() {
    for (const PointSummary& summary : parts_.points) {
      if (!at_risk_.contains(summary.id)) continue;
      try {
        points_.emplace(summary.id, parts_.load(summary.id));
      } catch (const Error& error) {
        if (error.code() != Code::damaged) throw;
        unreadable_ = true;   // nobody knows what it needs
      }
    }
  }

  // False when a listing or a list of chunks is lost: what else the point needs is not known then.
  bool walk(Impact& impact, const Point& point, bool remember) {
    bool known = true;
    for (const StoredItem& item : point.items) {
      if (!item.root) continue;
      impact.walk(*item.root, [&](const std::string& path, bool listing, const std::vector<std::string>&) {
        known = known && !listing;
        if (remember && !listing) wanted_[item.name].insert(path);
      });
      known = known && !impact.lost_its_way();
    }
    return known;
  }

  const LogWriter& writer() {
    if (!writer_) writer_.emplace(parts_.writer());
    return *writer_;
  }

  // A chunk that comes from somewhere: kept when it is one of those that no whole pack has.
  void take(ChunkType type, ByteView plain) {
    Keyring& keyring = engine_->context.keyring;
    for (std::uint32_t number : keyring.epochs()) {
      const Epoch& epoch = keyring.epoch(number, "epoch");
      ChunkId id = chunk_id(epoch, type, plain);
      auto wanted = impact_->at_risk().find(id);
      if (wanted == impact_->at_risk().end() || wanted->second.type != type) continue;
      if (!rescue_) rescue_.emplace(*engine_, writer().id, writer().key);
      rescue_->store(id, type, plain, epoch);
      return;
    }
  }

  // What can still be read out of damaged packs.
  void salvage() {
    for (const auto& [id, chunk] : impact_->at_risk()) {
      if (parts_.run.cancel) parts_.run.cancel->check();
      if (!chunk.readable) continue;
      ChunkReader::Chunk bytes = engine_->reader.get(id, chunk.type, chunk.length);
      take(chunk.type, bytes.bytes);
    }
  }

  void write_index() {
    if (!engine_->catalog.has_pending()) return;
    engine_->catalog.write_segment({writer().id, writer().key, parts_.run, {}});
  }

  // The segments over every pack that no segment listed before.
  std::vector<NeededObject> new_segments() {
    PackSet packs;
    for (std::size_t number = listed_packs_; number < engine_->catalog.index().pack_count(); ++number)
      packs.add(static_cast<Index::PackNumber>(number));
    std::vector<NeededObject> segments;
    engine_->catalog.with_segments(std::move(packs))([&](const NeededObject& o) {
      if (o.type == ObjectType::index) segments.push_back(o);
    });
    return segments;
  }

  // Walks again with what was stored: which points are known to their last chunk now.
  void find_what_is_known() {
    now_.emplace(*engine_, packs_, parts_.run.cancel);
    for (const auto& [id, point] : points_) {
      if (walk(*now_, point, false)) known_.insert(id);
    }
  }

  // Of existing points only: a forgotten one needs nothing.
  bool all_known(const Points& points) const {
    return std::all_of(points.begin(), points.end(), [&](const PointId& id) { return !points_.contains(id) || known_.contains(id); });
  }

  std::vector<Replacement> replaced_packs() {
    std::vector<Replacement> replacements;
    if (unreadable_ || !all_known(unsure_)) return replacements;
    for (const std::string& name : packs_) {
      if (!all_known(affects_[name])) continue;
      if (auto by = elsewhere(name)) replacements.push_back({ObjectType::pack, parse_object_name(name)->hash, std::move(*by)});
    }
    return replacements;
  }

  // Where everything is that points need of that pack; nullopt: not all of it is anywhere.
  std::optional<std::vector<NeededObject>> elsewhere(const std::string& pack) {
    PackSet packs;
    const Index& index = engine_->catalog.index();
    for (const auto& [id, chunk] : impact_->at_risk()) {
      if (std::find(chunk.objects.begin(), chunk.objects.end(), pack) == chunk.objects.end()) continue;
      auto at = index.find_usable(id);
      if (!at || at->length != chunk.length) return std::nullopt;
      for (Index::PackNumber number : index.packs_for(*at)) packs.add(number);
    }
    std::vector<NeededObject> objects;
    engine_->catalog.with_segments(std::move(packs))([&](const NeededObject& o) { objects.push_back(o); });
    return objects;
  }

  // A root that lists all that these points need.
  std::optional<std::vector<NeededObject>> inventory_again(const Points& points) {
    if (unreadable_ || !all_known(points)) return std::nullopt;
    PackSet packs;
    for (const PointId& id : points) {
      auto point = points_.find(id);
      if (point == points_.end()) continue;
      now_->forget_walked();
      walk(*now_, point->second, false);
      now_->used().each([&](Index::PackNumber number) { packs.add(number); });
    }
    InventoryRoot root = put_inventory(engine_->context.store, engine_->context.repository, engine_->catalog.with_segments(std::move(packs)),
                                       engine_->context.entropy);
    return std::vector<NeededObject>{{ObjectType::inventory, root.hash, root.size}};
  }

  const MendingParts parts_;
  EnginePtr engine_;
  std::vector<std::string> packs_;                          // damaged or missing
  std::map<std::string, Points> affects_, indexes_, pages_; // by object the points that need it: packs, segments, inventory
  Points at_risk_, unsure_;                                 // unsure: their inventory may not tell all that they need
  std::map<PointId, Point> points_;
  bool unreadable_ = false;
  std::size_t listed_packs_ = 0;
  std::optional<Impact> impact_, now_;                      // before and after
  std::map<std::string, std::set<std::string>> wanted_;
  std::optional<LogWriter> writer_;
  std::optional<ChunkRescue> rescue_;
  std::optional<ChunkSieve> sieve_;
  Points known_;
};

}  // namespace

std::unique_ptr<Mending> begin_mending(MendingParts parts, const CheckReport& damage) {
  return std::make_unique<OpenMending>(std::move(parts), damage);
}

}  // namespace holdfast::repository
