#include "repository/upkeep/prune.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "repository/format/repository_object.h"
#include "repository/index/segment_object.h"
#include "repository/log/point_list.h"
#include "repository/upkeep/prune_list.h"
#include "repository/upkeep/prune_needs.h"
#include "repository/upkeep/repack.h"
#include "repository/upkeep/used_frames.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kMostNames = 100'000;                         // in one record, which may hold 16 MiB
constexpr std::uint64_t kSmallSegment = std::uint64_t{1} << 20;     // worth merging
constexpr std::size_t kMergeFrom = 8;                               // so many at a time
constexpr std::uint64_t kMostMerged = std::uint64_t{64} << 20;      // bytes of segments in one
constexpr int kMostRounds = 10;                                     // each begins because another prune deleted something

// A point that was looked at was forgotten and deleted meanwhile. Nothing was done yet.
struct GivenUp {};

class Prune {
 public:
  Prune(const PruneContext& context, const PruneOptions& options) : context_(context), options_(options) {}

  PruneReport run() {
    refuse_copies();
    first_ = context_.view();
    refuse_incomplete_logs();
    forget_void_points();
    list();
    find_needed();
    find_unneeded();
    find_wasteful_packs();
    find_small_segments();
    if (options_.dry_run) tell_what_would_go();
    if (options_.dry_run || (unneeded_.empty() && replaced_.empty())) return report_;
    rewrite();
    condemn();
    fence();
    remove();
    context_.engine.catalog.match_with_store();
    return report_;
  }

 private:
  struct Intent {
    crypto::Sha256 hash;                     // of its record
    std::vector<NeededObject> objects;       // in the order of deletion; later only those that its fence names
  };
  struct Plan {              // an object that points name and that others stand in for
    NeededObject object;
    std::optional<Index::PackNumber> pack;   // to be rewritten; else a segment to be merged, or a map stands for it already
    bool has_map = false;
  };

  // -- finding out

  void refuse_copies() {
    std::vector<std::string> names;
    context_.store.list(folder_of(ObjectType::replica), [&](const store::ObjectInfo& info) { names.push_back(info.name); });
    bool copy = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return read_replica(context_.store.get(name, object_limit(ObjectType::replica)), context_.repository, name).kind == ReplicaKind::copy;
    });
    if (!copy && !names.empty()) return;
    throw Error(Code::precondition, "cannot prune " + context_.store.location() + ": it is a copy of a repository, and a copy never deletes anything")
        .safe("nothing was changed")
        .hint("prune the original; where space is short, make a new copy of it and remove this one");
  }

  void refuse_incomplete_logs() {
    if (first_.findings.empty()) return;
    throw Error(Code::damaged, "cannot prune repository " + context_.store.location() + ": its logs are not whole, so nobody knows what is needed: " +
                                   first_.findings.front().message)
        .safe("nothing was deleted")
        .hint("'holdfast repair' brings back what a copy has; what is lost for good is settled with 'holdfast forget' or 'holdfast accept-older'");
  }

  // Their objects may be gone at any time, so that nobody could tell later that they are void.
  void forget_void_points() {
    report_.void_points = first_.void_points.size();
    if (first_.void_points.empty() || options_.dry_run) return;
    RecordBody body;
    body.points.assign(first_.void_points.begin(), first_.void_points.end());
    body.note = "void: its backup was killed before it was acknowledged";
    context_.append(RecordType::forget, std::move(body));
    first_ = context_.view();
    refuse_incomplete_logs();
  }

  void list() {
    context_.store.list("", [&](const store::ObjectInfo& info) {
      auto name = parse_object_name(info.name);
      if (!name) return;
      report_.repository_bytes += info.size;
      now_ = std::max(now_, info.modified);
      if (name->type == ObjectType::map || name->type == ObjectType::point || name->type == ObjectType::inventory ||
          name->type == ObjectType::index || name->type == ObjectType::pack) {
        listed_.add({{name->type, name->hash, info.size}, info.modified});
      }
    });
    listed_.sort();
    maps_ = Maps::read(context_.store, context_.repository, &context_.keyring);
    condemned_ = std::make_unique<Condemned>(first_.records);
    needs_.emplace(needs_by(maps_));
  }

  PruneNeeds needs_by(const Maps& maps) const { return {context_.store, context_.repository, maps, listed_}; }

  bool is_there(const NeededObject& object) const { return listed_.contains(object.type, object.hash); }

  void find_needed() {
    for (const PointSummary& point : first_.points) {
      try {
        needs_->add_point(point.id);
      } catch (const Error& error) {
        if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
        if (find_point(context_.view().points, point.id) == nullptr) throw GivenUp{};
        throw Error(Code::damaged, "cannot prune repository " + context_.store.location() + ": what point " + short_id(point.id) +
                                       " needs cannot be read: " + error.message())
            .safe("nothing was deleted")
            .hint("'holdfast repair' brings it back from a copy; 'holdfast forget " + short_id(point.id) + "' gives it up");
      }
    }
  }

  // Forgotten points whose objects are still there: what they name was in use once, and needs no time to be claimed.
  PruneNeeds once_needed() {
    PruneNeeds once = needs_by(no_maps_);
    for (const auto& record : first_.records) {
      if (record->type != RecordType::forget || record->body.note == kWithdrawn) continue;
      for (const PointId& id : record->body.points) {
        if (!listed_.contains(ObjectType::point, id)) continue;
        try {
          once.add_point(id);
        } catch (const Error& error) {
          if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
        }
      }
    }
    return once;
  }

  void find_unneeded() {
    PruneNeeds once = once_needed();
    for (const PruneList::Listed& o : listed_) {
      if (needs_->contains(o.object)) continue;
      bool named = once.contains(o.object) || condemned_->was_named(o.name());
      bool young = o.modified.seconds + options_.unused_for.count() > now_.seconds;
      if (!named && young) {
        report_.waiting.add(o.object.size);
      } else {
        unneeded_.push_back(o.object);
      }
    }
  }

  // -- what is to be rewritten

  void find_wasteful_packs() {
    NeededObjects packs = [this](const auto& visit) {
      for (const PruneList::Listed& o : listed_) {
        if (o.object.type == ObjectType::pack && needs_->contains(o.object)) visit(o.object);
      }
    };
    if (options_.run.progress != nullptr) options_.run.progress->begin("finding what is needed", 0);
    used_ = std::make_unique<UsedFrames>(context_.engine, packs, options_.run);
    for (const PointSummary& point : first_.points) walk(point.id);
    if (options_.run.progress != nullptr) options_.run.progress->end();
    std::erase_if(unneeded_, [&](const NeededObject& o) { return used_->elsewhere().contains(o.hash); });
    choose_packs();
  }

  void walk(const PointId& id) {
    try {
      for (const StoredItem& item : context_.read(id).point.items) {
        if (item.root) used_->walk(*item.root);
      }
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found && error.code() != Code::unsupported) throw;
      report_.damaged.push_back("point " + short_id(id) + ": " + error.message());
      PruneNeeds of_it = needs_by(maps_);
      try {
        of_it.add_point(id);
      } catch (const Error& gone) {
        if (gone.code() != Code::not_found) throw;
        return;   // it was there: somebody forgot it meanwhile, and another prune deleted it
      }
      for (const PruneList::Listed& o : listed_) {
        if (of_it.contains(o.object)) used_->keep_whole(o.object.hash);
      }
    }
  }

  void choose_packs() {
    struct Choice {
      Index::PackNumber pack;
      std::uint64_t unused, size;
      bool at_once;
    };
    const Index& index = context_.engine.catalog.index();
    LargeList<Choice> choices;
    std::uint64_t unused = 0, kept = report_.repository_bytes;
    for (const NeededObject& o : unneeded_) kept -= o.size;
    used_->packs().each([&](Index::PackNumber number) {
      Index::Pack pack = index.pack(number);
      Choice choice{number, used_->unused_bytes(number), pack.size, options_.rewrite_old_epochs && has_old_keys(pack)};
      unused += choice.unused;
      if (maps_.of({ObjectType::pack, pack.hash, pack.size}) != nullptr && is_covered(number)) {
        rely_on_maps({ObjectType::pack, pack.hash, pack.size});
        unused -= choice.unused;
      } else if (choice.unused != 0 || choice.at_once) {
        choices.push_back(choice);
      }
    });
    std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
      auto wasted = [](const Choice& c) { return static_cast<double>(c.unused) / static_cast<double>(std::max<std::uint64_t>(c.size, 1)); };
      if (a.at_once != b.at_once) return a.at_once;
      return wasted(a) != wasted(b) ? wasted(a) > wasted(b) : a.pack < b.pack;
    });
    for (const Choice& choice : choices) {
      if (!choice.at_once && static_cast<double>(unused) <= options_.most_unused * static_cast<double>(kept)) break;
      unused -= choice.unused;
      replaced_.push_back({{ObjectType::pack, index.pack(choice.pack).hash, choice.size}, choice.pack, false});
    }
    report_.unused_bytes = unused;
  }

  bool has_old_keys(const Index::Pack& pack) const {
    Bytes header(kHeaderSize);
    context_.store.get_range(pack.name(), 0, header);
    return Reader(ByteView(header).subspan(16), pack.name()).u32() < context_.keyring.current().number;
  }

  // Whether a prune that was killed has already stored elsewhere what is needed of this pack.
  bool is_covered(Index::PackNumber number) const {
    const Index& index = context_.engine.catalog.index();
    Index::Pack pack = index.pack(number);
    std::set<Index::PackNumber> others;
    for (const Maps::Entry& entry : *maps_.of({ObjectType::pack, pack.hash, pack.size})) {
      if (was_condemned(entry)) return false;
      for (const NeededObject& by : entry.by) {
        if (!is_there(by)) return false;
        if (auto other = index.number_of(by.hash); other && by.type == ObjectType::pack) others.insert(*other);
      }
    }
    PackDirectory directory;
    try {
      directory = decode_directory(
          read_directory(context_.store, pack.name(), pack.size, context_.repository, context_.keyring).encoded, pack.header_length, pack.size, pack.name());
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
      return false;
    }
    for (std::uint32_t i = 0; i < directory.frames.size(); ++i) {
      if (!used_->is_used(number, i)) continue;
      for (const PackDirectory::Chunk& chunk : directory.chunks_of(directory.frames[i])) {
        std::vector<Index::Location> places = index.find(chunk.id);
        bool elsewhere = std::any_of(places.begin(), places.end(), [&](const Index::Location& at) { return others.contains(at.pack); });
        if (!elsewhere) return false;
      }
    }
    return true;
  }

  bool was_condemned(const Maps::Entry& entry) const {
    auto named = [&](const NeededObject& o) { return condemned_->was_named(object_name(o.type, o.hash)); };
    return named(entry.map) || std::any_of(entry.by.begin(), entry.by.end(), named);
  }

  void rely_on_maps(const NeededObject& object) {
    replaced_.push_back({object, std::nullopt, true});
    for (const Maps::Entry& entry : *maps_.of(object)) {
      stands_in_.insert(object_name(entry.map.type, entry.map.hash));
      for (const NeededObject& by : entry.by) stands_in_.insert(object_name(by.type, by.hash));
    }
  }

  void find_small_segments() {
    std::vector<Plan> small;
    std::uint64_t bytes = 0;
    for (const PruneList::Listed& o : listed_) {
      if (o.object.type != ObjectType::index || o.object.size >= kSmallSegment || !needs_->contains(o.object)) continue;
      if (maps_.of(o.object) != nullptr) {
        if (is_covered_segment(o.object)) rely_on_maps(o.object);
        continue;
      }
      if ((bytes += o.object.size) <= kMostMerged) small.push_back({o.object, std::nullopt, false});
    }
    if (small.size() >= kMergeFrom) replaced_.insert(replaced_.end(), small.begin(), small.end());
  }

  bool is_covered_segment(const NeededObject& segment) const {
    std::set<crypto::Sha256> elsewhere;
    try {
      for (const Maps::Entry& entry : *maps_.of(segment)) {
        if (was_condemned(entry)) return false;
        for (const NeededObject& by : entry.by) {
          if (!is_there(by)) return false;
          if (by.type != ObjectType::index) continue;
          Bytes plain = open_segment(context_.engine.context, by.hash);
          for (const auto& pack : decode_segment(plain, "index segment").packs) elsewhere.insert(pack.hash);
        }
      }
      Bytes plain = open_segment(context_.engine.context, segment.hash);
      SegmentView view = decode_segment(plain, "index segment");
      return std::all_of(view.packs.begin(), view.packs.end(), [&](const auto& pack) {
        return elsewhere.contains(pack.hash) || !needs_->contains(ObjectType::pack, pack.hash) || is_replaced(pack.hash);
      });
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
      return false;
    }
  }

  bool is_replaced(const crypto::Sha256& hash) const {
    return std::any_of(replaced_.begin(), replaced_.end(), [&](const Plan& plan) { return plan.object.hash == hash; });
  }

  void tell_what_would_go() {
    for (const NeededObject& o : unneeded_) report_.deleted.add(o.size);
    for (const Plan& plan : replaced_) {
      report_.deleted.add(plan.object.size);
      report_.rewritten.add(plan.object.size);
    }
  }

  // -- rewriting

  void rewrite() {
    bool any = std::any_of(replaced_.begin(), replaced_.end(), [](const Plan& plan) { return !plan.has_map; });
    if (!any) return;
    LogWriter writer = context_.writer();
    Repack repack(context_.engine, writer, options_.run);
    rewrite_packs(repack);
    std::vector<Replacement> replacements;
    std::optional<NeededObject> segment = put_segment(writer, repack);
    for (Plan& plan : replaced_) {
      if (plan.has_map) continue;
      Replacement replacement{plan.object.type, plan.object.hash, {}};
      if (plan.pack) replacement.by = repack.in_place_of(*plan.pack);
      if (segment && (!plan.pack || !replacement.by.empty())) replacement.by.push_back(*segment);
      replacements.push_back(std::move(replacement));
      plan.has_map = true;
    }
    if (replacements.empty()) return;
    NeededObject map = put_map(context_.store, context_.repository, writer, replacements);
    maps_.add(map, replacements);
    written(map);
  }

  void rewrite_packs(Repack& repack) {
    if (options_.run.progress != nullptr) options_.run.progress->begin("rewriting packs", 0);
    std::erase_if(replaced_, [&](const Plan& plan) {
      if (!plan.pack || repack.take(*plan.pack, [&](std::uint32_t frame) { return used_->is_used(*plan.pack, frame); })) return false;
      report_.damaged.push_back(object_name(plan.object.type, plan.object.hash) + " cannot be read whole; it stays as it is");
      return true;
    });
    repack.finish();
    if (options_.run.progress != nullptr) options_.run.progress->end();
    for (const SegmentPack& pack : repack.written()) written({ObjectType::pack, pack.hash, pack.size});
  }

  // One segment over the new packs and over all that the merged ones list and that stays.
  std::optional<NeededObject> put_segment(const LogWriter& writer, const Repack& repack) {
    std::vector<SegmentPack> packs = repack.written();
    std::vector<crypto::Sha256> superseded;
    std::set<crypto::Sha256> listed, gone;
    for (const SegmentPack& pack : packs) listed.insert(pack.hash);
    for (const NeededObject& o : unneeded_) gone.insert(o.hash);
    for (const Plan& plan : replaced_) gone.insert(plan.object.hash);
    std::erase_if(replaced_, [&](const Plan& plan) {
      if (plan.object.type != ObjectType::index || plan.has_map) return false;
      try {
        Bytes plain = open_segment(context_.engine.context, plan.object.hash);
        for (const SegmentView::Pack& pack : decode_segment(plain, object_name(plan.object.type, plan.object.hash)).packs) {
          if (gone.contains(pack.hash) || !listed_.contains(ObjectType::pack, pack.hash) || !listed.insert(pack.hash).second) continue;
          packs.push_back({pack.hash, pack.size, pack.header_length, Bytes(pack.directory.begin(), pack.directory.end())});
        }
        superseded.push_back(plan.object.hash);
        return false;
      } catch (const Error& error) {
        if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
        report_.damaged.push_back(error.message());
        return true;
      }
    });
    if (packs.empty() && superseded.empty()) return std::nullopt;
    NeededObject segment = repository::put_segment(context_.engine.context, writer.id, writer.key, superseded, packs);
    written(segment);
    return segment;
  }

  void written(const NeededObject& object) {
    report_.written.add(object.size);
    stands_in_.insert(object_name(object.type, object.hash));
  }

  // -- the protocol

  void condemn() {
    std::vector<NeededObject> all = unneeded_;
    for (const Plan& plan : replaced_) {
      all.push_back(plan.object);
      given_up_.insert(plan.object.hash);
    }
    std::sort(all.begin(), all.end(), goes_before);
    for (std::size_t i = 0; i < all.size(); i += kMostNames) {
      Intent intent;
      intent.objects.assign(all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), i + kMostNames)));
      RecordBody body;
      for (const NeededObject& o : intent.objects) body.objects.push_back(object_name(o.type, o.hash));
      intent.hash = context_.append(RecordType::prune_intent, std::move(body)).hash;
      intents_.push_back(std::move(intent));
    }
  }

  // What goes: what no point of this view needs. Of what was rewritten, all that only points need that were looked at, as long
  // as nobody has condemned what stands in its place.
  void fence() {
    PruneContext::View view = context_.view();
    Maps maps = Maps::read(context_.store, context_.repository, &context_.keyring);   // others may have rewritten, too
    PruneNeeds needs = needs_by(maps), fresh = needs_by(maps);
    add_points_of(view, needs, fresh);
    Condemned now(view.records);
    bool safe = std::none_of(stands_in_.begin(), stands_in_.end(), [&](const std::string& name) { return now.was_named(name); });
    for (Intent& intent : intents_) {
      std::erase_if(intent.objects, [&](const NeededObject& o) {
        bool goes = !needs.contains(o) || (safe && given_up_.contains(o.hash) && !fresh.contains(o));
        if (!goes) report_.spared.add(o.size);
        return !goes;
      });
      RecordBody body;
      body.concludes = intent.hash;
      body.ground = view.ground;
      for (const NeededObject& o : intent.objects) body.objects.push_back(object_name(o.type, o.hash));
      context_.append(RecordType::fence, std::move(body));
    }
  }

  // `fresh`: of the points that were not there when it was found out which chunks are needed. Void points that nobody has forgotten
  // keep what tells that they are void.
  void add_points_of(const PruneContext::View& view, PruneNeeds& needs, PruneNeeds& fresh) const {
    std::set<PointId> known;
    for (const PointSummary& point : first_.points) known.insert(point.id);
    auto add = [&](const PointId& id) {
      try {
        needs.add_point(id);
        if (!known.contains(id)) fresh.add_point(id);
      } catch (const Error& error) {
        if (error.code() != Code::not_found) throw;   // withdrawn just now
      }
    };
    for (const PointSummary& point : view.points) add(point.id);
    for (const PointId& id : view.void_points) add(id);
  }

  void remove() {
    if (options_.wait.count() > 0) context_.clock.sleep(options_.wait);
    if (options_.run.progress != nullptr) options_.run.progress->begin("deleting", 0);
    for (const Intent& intent : intents_) {
      for (const NeededObject& o : intent.objects) {
        if (options_.run.cancel != nullptr) options_.run.cancel->check();
        context_.store.remove(object_name(o.type, o.hash));
        report_.deleted.add(o.size);
        if (given_up_.contains(o.hash)) report_.rewritten.add(o.size);
        if (options_.run.progress != nullptr) options_.run.progress->add(o.size, 1);
      }
    }
    if (options_.run.progress != nullptr) options_.run.progress->end();
  }

  const PruneContext& context_;
  const PruneOptions& options_;
  PruneReport report_;
  PruneContext::View first_;
  Timestamp now_;                                      // of the store: its newest object
  PruneList listed_;
  Maps maps_, no_maps_;
  std::unique_ptr<Condemned> condemned_;
  std::optional<PruneNeeds> needs_;                    // of the points that existed at the beginning
  std::unique_ptr<UsedFrames> used_;
  std::vector<NeededObject> unneeded_;
  std::vector<Plan> replaced_;
  std::set<std::string> stands_in_;                    // what this prune relies on: its new objects, and maps of earlier ones
  std::set<crypto::Sha256> given_up_;                  // objects of replaced_
  std::vector<Intent> intents_;
};

}  // namespace

PruneReport prune(const PruneContext& context, const PruneOptions& options) {
  for (int rounds = 1;; ++rounds) {
    try {
      return Prune(context, options).run();
    } catch (const GivenUp&) {
      if (rounds == kMostRounds)
        throw Error(Code::busy, "cannot prune repository " + context.store.location() + ": points keep being forgotten and deleted meanwhile")
            .safe("nothing was deleted by this run")
            .hint("prune again when the other prunes are done");
    }
  }
}

}  // namespace holdfast::repository
