#include "repository/repository.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "repository/data/data.h"
#include "repository/data/engine.h"
#include "repository/format/inventory.h"
#include "repository/format/map_object.h"
#include "repository/format/point_codec.h"
#include "repository/format/point_object.h"
#include "repository/keys/keyring.h"
#include "repository/log/condemned.h"
#include "repository/log/log.h"
#include "repository/log/point_list.h"
#include "repository/log/writer_seat.h"
#include "repository/open_repository.h"
#include "repository/upkeep/impact.h"
#include "repository/upkeep/mending.h"
#include "repository/upkeep/object_check.h"
#include "repository/upkeep/prune.h"

namespace holdfast::repository {
namespace {

[[noreturn]] void throw_rolled_back(const store::ObjectStore& store, const std::string& what) {
  throw Error(Code::damaged, "cannot write to repository " + store.location() + ": it is not the one that was last seen: " + what)
      .safe("nothing was changed; everything in it can be read and restored")
      .hint("if an older state was put back on purpose: 'holdfast accept-older'; if not, use a copy and find out who changed it");
}

// What a session had seen when it began.
struct SessionView {
  Ground ground;
  Condemned condemned;
};

class OpenRepository final : public Repository {
 public:
  OpenRepository(const Context& context, const RepositoryObject& object, OpenedSlot opened)
      : context_(context), object_(object), root_key_(std::move(opened.root_key)), opened_with_(opened.slot),
        keyring_(context_.store, object_.id, root_key_), seat_(context_, object_.id, keyring_),
        log_(context_.store, object_.id, keyring_) {
    if (keyring_.current().repository_object != object_.hash) {
      throw Error(Code::damaged, "the repository in " + context_.store.location() + " is damaged: its parameters were exchanged")
          .safe("nothing was changed")
          .hint("use a copy of the repository");
    }
    data_ = open_data({context_.store, keyring_, context_.clock, context_.entropy, object_.id, object_.parameters,
                       context_.cache.empty() ? platform::Path() : context_.cache / object_.id.hex()});
    log_.refresh();
    remember_heads();
  }

  RepositoryId id() const override { return object_.id; }
  store::ObjectStore& store() override { return context_.store; }

  std::vector<PointSummary> points() override {
    std::lock_guard lock(mutex_);
    return current_points();
  }

  PointId resolve(const std::string& text) override { return resolve_point(points(), text); }

  Point load(const PointId& id) override { return read(id).point; }

  tree::NodePtr open_item(const Point& point, const std::string& item) override {
    auto it = std::find_if(point.items.begin(), point.items.end(), [&](const StoredItem& i) { return i.name == item; });
    if (it == point.items.end()) {
      throw Error(Code::not_found, "point " + short_id(point.id) + " has no item " + printable(item)).safe("nothing was changed");
    }
    if (!it->root) {
      throw Error(Code::not_found, "item " + printable(item) + " of point " + short_id(point.id) + " could not be captured")
          .safe("nothing was changed")
          .hint("an earlier point may hold it");
    }
    return data_->open_node(it->root->first, it->root->second);
  }

  std::unique_ptr<BackupSession> begin_backup(const RunOptions& options) override {
    std::lock_guard lock(mutex_);
    refuse_when_rolled_back();
    LogWriter writer = seat_.take();
    keyring_.refresh();
    std::shared_ptr<const SessionView> view = session_view();
    data_->engine()->catalog.avoid([view](const std::string& object) { return view->condemned.contains(object); });
    auto commit = [this, writer, view](const PointDraft& draft, const NeededObjects& needed) {
      PointDraft made = draft;
      made.tool_version = context_.tool_version;
      return commit_point(writer, *view, made, needed);
    };
    return data_->begin_session({writer.id, writer.key, options, commit});
  }

  void forget(const std::vector<PointId>& ids, const std::string& reason) override {
    std::lock_guard lock(mutex_);
    std::vector<PointSummary> existing = current_points();
    for (const PointId& id : ids) {
      if (need(existing, id).pinned) {
        throw Error(Code::precondition, "cannot forget point " + short_id(id) + ": it is pinned")
            .safe("nothing was changed")
            .hint("'holdfast unpin " + short_id(id) + "' first");
      }
    }
    if (ids.empty()) return;
    RecordBody body;
    body.points = ids;
    body.note = reason;
    append(RecordType::forget, std::move(body));
  }

  void pin(const PointId& id, bool pinned) override {
    std::lock_guard lock(mutex_);
    if (need(current_points(), id).pinned == pinned) return;
    RecordBody body;
    body.points = {id};
    append(pinned ? RecordType::pin : RecordType::unpin, std::move(body));
  }

  void accept_older(const std::string& note) override {
    std::lock_guard lock(mutex_);
    RecordBody body;
    body.note = note;
    // A new writer: the numbers that were lost are never used again.
    log_.append(seat_.begin_anew(), RecordType::accept_older, std::move(body), context_.clock, context_.entropy);
    if (context_.state != nullptr) context_.state->set_heads(object_.id, log_.heads());
  }

  std::vector<ChainFinding> chain_findings() override {
    std::lock_guard lock(mutex_);
    return settled_findings();
  }

  std::string head_code() override {
    std::lock_guard lock(mutex_);
    log_.refresh();
    if (log_.records().empty()) return "";
    const Record& newest = *log_.records().back();
    return repository::head_code(newest.writer, {newest.number, newest.hash});
  }

  bool contains_head(const std::string& code) override {
    std::string wanted = to_lower_ascii(trim(code));
    check_head_code(wanted);
    std::lock_guard lock(mutex_);
    log_.refresh();
    return std::any_of(log_.records().begin(), log_.records().end(), [&](const auto& record) {
      return repository::head_code(record->writer, {record->number, record->hash}) == wanted;
    });
  }

  std::vector<SlotInfo> slots_with_labels() override {
    std::vector<SlotInfo> slots = list_slots(context_.store, object_.id, &root_key_);
    for (SlotInfo& slot : slots) slot.opened_with = slot.id == opened_with_ && !slot.damage;
    return slots;
  }

  SlotInfo add_slot(const SlotSecret& secret, const std::string& label) override {
    std::lock_guard lock(mutex_);
    refuse_when_rolled_back();
    SlotInfo slot = repository::add_slot(context_.store, object_.id, root_key_, secret, label, {}, context_.clock.now(), context_.entropy);
    record_key_change(slot.id, true, label);
    return slot;
  }

  void remove_slot(const SlotId& id) override {
    std::lock_guard lock(mutex_);
    refuse_when_rolled_back();
    std::vector<SlotInfo> slots = list_slots(context_.store, object_.id, &root_key_);
    auto it = std::find_if(slots.begin(), slots.end(), [&](const SlotInfo& s) { return s.id == id; });
    if (it == slots.end()) throw Error(Code::not_found, "there is no key slot " + id.hex().substr(0, 8)).safe("nothing was changed");
    bool another = std::any_of(slots.begin(), slots.end(), [&](const SlotInfo& s) { return s.object != it->object && !s.damage; });
    if (!another) {
      throw Error(Code::precondition, "cannot remove key slot " + id.hex().substr(0, 8) + ": it is the last way in")
          .safe("nothing was changed")
          .hint("add another password or key first");
    }
    context_.store.remove(it->object);
    record_key_change(id, false, it->label.value_or(""));
  }

  CheckReport verify(const PointId& id, const CheckOptions& options) override {
    if (options.level > Level::content || options.level == Level::none) {
      throw Error(Code::usage, "cannot verify point " + short_id(id) + " at level " + std::string(to_text(options.level)) +
                                   ": only a drill proves a restore")
          .safe("nothing was changed");
    }
    CheckReport report = verify_beside_prunes(id, options);
    bool whole_look = (options.share >= 1.0 || options.level != Level::bytes) && report.later == 0;
    std::lock_guard lock(mutex_);
    log_.refresh();
    if ((whole_look || !report.damaged.empty()) && !rolled_back()) record_result(id, options.level, report.damaged.empty());
    return report;
  }

  void record_verification(const PointId& id, Level level, bool ok) override {
    std::lock_guard lock(mutex_);
    need(current_points(), id);
    record_result(id, level, ok);
  }

  CheckReport check(const CheckOptions& options) override {
    PackCheck pack_check;
    if (options.level >= Level::content) {
      pack_check = [&](const NeededObject& pack) -> std::optional<std::string> {
        auto problem = data_->check_pack(pack.hash, pack.size);
        return problem ? std::optional(problem->what) : std::nullopt;
      };
    }
    CheckReport report = check_store(context_.store, options, pack_check, [this] { return listed_points(); });
    for (const auto& [name, what] : keyring_.damage()) blame(report, name, what, {});
    for (const SlotInfo& slot : slots_with_labels()) {
      if (slot.damage) blame(report, slot.object, *slot.damage, {});
    }
    for (const PointSummary& point : points()) {
      try {
        read(point.id);
      } catch (const Error& error) {
        if (!is_damage(error)) throw;
        if (!listed_points().contains(point.id)) continue;   // forgotten meanwhile
        blame(report, object_name(ObjectType::point, point.id), error.message(), {point.id});
      }
    }
    find_affected_files(*data_->engine(), points(), [this](const PointId& id) { return read(id).point; }, options, report);
    return report;
  }

  PruneReport prune(const PruneOptions& options) override;
  std::uint32_t rotate_keys() override {
    std::lock_guard lock(mutex_);
    refuse_when_rolled_back();
    keyring_.refresh();
    keyring_.add_epoch(context_.entropy, context_.clock.now());
    std::uint32_t epoch = keyring_.current().number;
    RecordBody body;
    body.note = "key epoch " + std::to_string(epoch);
    append_as(seat_.take(), RecordType::key_change, std::move(body));
    return epoch;
  }

  std::unique_ptr<Mending> begin_mending(const CheckReport& damage, const RunOptions& run) override {
    auto load = [this](const PointId& id) { return read(id).point; };
    auto writer = [this] {
      std::lock_guard lock(mutex_);
      refuse_when_rolled_back();
      return seat_.take();
    };
    DataContext data{context_.store, keyring_, context_.clock, context_.entropy, object_.id, object_.parameters, {}};
    return repository::begin_mending({data, points(), load, writer, run}, damage);
  }

 private:
  static void check_head_code(const std::string& code) {
    std::vector<std::string> parts = split(code, '-');
    auto all_of = [](const std::string& text, const char* digits) {
      return !text.empty() && text.find_first_not_of(digits) == std::string::npos;
    };
    const char* hex = "0123456789abcdef";
    if (parts.size() == 3 && parts[0].size() == 8 && parts[2].size() == 16 && parts[1].size() <= 10 && all_of(parts[0], hex) &&
        all_of(parts[1], "0123456789") && all_of(parts[2], hex)) {
      return;
    }
    throw Error(Code::usage, "'" + printable(code) + "' is not a head code")
        .safe("nothing was changed")
        .hint("a head code looks like 1a2b3c4d-17-0123456789abcdef; it is in notifications and in the kit");
  }

  static void blame(CheckReport& report, const std::string& name, const std::string& what, std::vector<PointId> affects) {
    bool known = std::any_of(report.damaged.begin(), report.damaged.end(), [&](const DamagedObject& d) { return d.name == name; });
    if (!known) report.damaged.push_back({name, what, std::move(affects)});
  }

  static const PointSummary& need(const std::vector<PointSummary>& points, const PointId& id) {
    const PointSummary* point = find_point(points, id);
    if (point == nullptr) throw_no_such_point(short_id(id), points);
    return *point;
  }

  // The functions below expect mutex_ to be held, read() and verify_point() excepted.

  std::vector<PointSummary> current_points() {
    log_.refresh();
    return list_points(log_.records(), void_.among(log_.records()));
  }

  std::shared_ptr<const SessionView> session_view() {
    return std::make_shared<const SessionView>(SessionView{log_.ground(), Condemned(log_.records())});
  }

  Heads remembered() { return context_.state == nullptr ? Heads{} : context_.state->heads(object_.id); }

  bool rolled_back() {
    std::vector<ChainFinding> findings = log_.findings(remembered());
    return std::any_of(findings.begin(), findings.end(), is_rollback_or_fork);
  }

  // What is gone was forgotten before it went, so a log that was read too early says so when it is read again.
  std::vector<ChainFinding> settled_findings() {
    while (true) {
      const Heads known = remembered();   // before the list: another process of this machine may remember more by the end of it
      log_.refresh();
      std::vector<ChainFinding> findings = log_.findings(known);
      const Heads heads = log_.heads();
      if (!findings.empty()) log_.refresh();
      if (log_.heads() == heads) return findings;
    }
  }

  std::set<PointId> listed_points() {
    std::set<PointId> listed;
    for (const PointSummary& point : points()) listed.insert(point.id);
    return listed;
  }

  void refuse_when_rolled_back() {
    for (const ChainFinding& finding : settled_findings()) {
      if (is_rollback_or_fork(finding)) throw_rolled_back(context_.store, finding.message);
    }
  }

  // Only of a repository that is not older than what is remembered already.
  void remember_heads() {
    if (context_.state == nullptr) return;
    Heads known = remembered();
    if (log_.heads() == known || rolled_back()) return;
    try {
      context_.state->set_heads(object_.id, log_.heads());
    } catch (const Error&) {
      // Reading goes on without a memory; whoever writes needs set_writer(), which tells that the folder cannot be written.
    }
  }

  Record append(RecordType type, RecordBody body) {
    refuse_when_rolled_back();
    return append_as(seat_.take(), type, std::move(body));
  }

  Record append_as(const LogWriter& writer, RecordType type, RecordBody body) {
    Record record = log_.append(writer, type, std::move(body), context_.clock, context_.entropy);
    remember_heads();
    return record;
  }

  void record_key_change(const SlotId& slot, bool added, const std::string& label) {
    RecordBody body;
    body.slot = slot;
    body.slot_added = added;
    body.note = label;
    append_as(seat_.take(), RecordType::key_change, std::move(body));
  }

  void record_result(const PointId& id, Level level, bool ok) {
    RecordBody body;
    body.points = {id};
    body.level = level;
    body.ok = ok;
    append(RecordType::verification, std::move(body));
  }

  // Pages of the newest point of that system, which most likely needs nearly the same.
  KnownPages pages_to_share(const SystemId& system, const SessionView& view) {
    KnownPages pages;
    std::vector<PointSummary> points = current_points();
    auto newest = std::find_if(points.begin(), points.end(), [&](const PointSummary& p) { return p.system_id == system; });
    if (newest == points.end()) return pages;
    try {
      Bytes object = context_.store.get(object_name(ObjectType::point, newest->id), object_limit(ObjectType::point));
      pages.take(context_.store, object_.id, read_point_envelope(object, object_.id, newest->id).inventory,
                 [&](const NeededObject& page) { return !view.condemned.contains(object_name(page.type, page.hash)); });
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
    }
    return pages;
  }

  // docs/concurrency.md "A writer", from step 2 on.
  PointId commit_point(const LogWriter& writer, const SessionView& view, const PointDraft& draft, const NeededObjects& objects) {
    std::unique_lock lock(mutex_);
    KnownPages shared = pages_to_share(draft.system_id, view);
    lock.unlock();
    std::vector<NeededObject> more;   // that the point needs
    InventoryRoot inventory = put_inventory(context_.store, object_.id, objects, context_.entropy, shared, &more);
    PointId id = put_point(context_.store, object_.id, keyring_.current(), writer, draft, inventory, context_.entropy);
    more.push_back({ObjectType::point, id, 0});
    lock.lock();
    RecordBody body;
    body.points = {id};
    body.point = summary_of(draft);
    body.ground = view.ground;
    append_as(writer, RecordType::point, std::move(body));
    log_.refresh();
    Condemned now(log_.records());
    if (now.empty()) return id;   // names of millions of objects take their time
    auto look = [&](const NeededObject& o) {
      if (std::string name = object_name(o.type, o.hash); now.contains(name)) withdraw(writer, id, name);
    };
    objects(look);
    std::for_each(more.begin(), more.end(), look);
    return id;
  }

  [[noreturn]] void withdraw(const LogWriter& writer, const PointId& id, const std::string& object) {
    RecordBody body;
    body.points = {id};
    body.note = kWithdrawn;
    append_as(writer, RecordType::forget, std::move(body));
    context_.store.remove(object_name(ObjectType::point, id));   // nobody was ever told of it
    throw Withdrawn(object);
  }

  ReadPoint read(const PointId& id) {
    WriterId writer;
    {
      std::lock_guard lock(mutex_);
      writer = need(current_points(), id).writer;
    }
    ReadPoint read = read_point(context_.store, object_.id, keyring_, id);
    if (read.point.writer != writer) {
      throw Error(Code::damaged, "point " + short_id(id) + " is damaged: it is by another writer than its record");
    }
    return read;
  }

  // Damage that is seen while a prune replaces what the point needs may be none: it is looked at again.
  CheckReport verify_beside_prunes(const PointId& id, const CheckOptions& options) {
    auto fences = [this] {
      std::lock_guard lock(mutex_);
      log_.refresh();
      const auto& records = log_.records();
      return std::count_if(records.begin(), records.end(), [](const auto& record) { return record->type == RecordType::fence; });
    };
    while (true) {
      const auto before = fences();
      CheckReport report = verify_point(id, options);
      if (report.damaged.empty() || fences() == before) return report;
      if (listed_points().contains(id)) continue;
      throw Error(Code::not_found, "point " + short_id(id) + " was forgotten while it was verified").safe("nothing was changed");
    }
  }

  CheckReport verify_point(const PointId& id, const CheckOptions& options) {
    ReadPoint point;
    try {
      point = read(id);
    } catch (const Error& error) {
      if (error.code() != Code::damaged) throw;
      CheckReport report;
      report.damaged.push_back({object_name(ObjectType::point, id), error.message(), {id}});
      return report;
    }
    LargeList<NeededObject> packs;
    CheckReport report = check_inventory(context_.store, object_.id, id, point.inventory, options, packs);
    if (options.level < Level::content) return report;
    std::vector<std::pair<Bytes, ContentRef>> roots;
    for (const StoredItem& item : point.point.items) {
      if (item.root) roots.push_back(*item.root);
    }
    std::optional<PackReading> reading;
    if (options.turns != nullptr) reading.emplace(PackReading{*options.turns});
    std::vector<DataProblem> problems = data_->verify_content(roots, std::span(packs.begin(), packs.size()), options.run, reading ? &*reading : nullptr);
    drop_replaced(problems);
    for (const DataProblem& problem : problems) {
      blame(report, problem.object.empty() ? object_name(ObjectType::point, id) : problem.object, problem.what, {id});
    }
    if (reading) report.later = reading->later, report.bytes += reading->bytes;
    return report;
  }

  // A pack that is damaged or missing is no problem when others stand in for it and nothing that is needed is lost with it.
  void drop_replaced(std::vector<DataProblem>& problems) {
    if (problems.empty()) return;
    Maps maps = Maps::read(context_.store, object_.id, &keyring_);
    std::map<std::string, int> told;
    for (const DataProblem& problem : problems) ++told[problem.object];
    auto there = [&](const NeededObject& o) {
      std::string name = object_name(o.type, o.hash);
      if (told.contains(name)) return false;
      auto info = context_.store.info(name);
      return info && info->size == o.size;
    };
    std::erase_if(problems, [&](const DataProblem& problem) {
      auto name = parse_object_name(problem.object);
      return name && told[problem.object] == 1 && maps.stand_in({name->type, name->hash, 0}, there).has_value();
    });
  }

  Context context_;
  RepositoryObject object_;
  crypto::Secret root_key_;
  SlotId opened_with_;
  Keyring keyring_;
  std::mutex mutex_;            // seat_, log_ and void_
  WriterSeat seat_;
  Log log_;
  VoidPoints void_{[this](const PointId& point, const std::set<std::string>& names) {
    return needs_any(context_.store, object_.id, point, names);
  }};
  std::shared_ptr<DataStore> data_;
};

PruneReport OpenRepository::prune(const PruneOptions& options) {
  PruneContext context{context_.store, object_.id, keyring_, context_.entropy, context_.clock, *data_->engine(), {}, {}, {}, {}};
  context.view = [this] {
    std::lock_guard lock(mutex_);
    std::vector<ChainFinding> findings = settled_findings();
    PruneContext::View view{log_.records(), log_.ground(), {}, void_.among(log_.records()), std::move(findings)};
    view.points = list_points(view.records, view.void_points);
    return view;
  };
  context.writer = [this] {
    std::lock_guard lock(mutex_);
    return seat_.take();
  };
  context.append = [this](RecordType type, RecordBody body) {
    std::lock_guard lock(mutex_);
    return append_as(seat_.take(), type, std::move(body));
  };
  context.read = [this](const PointId& id) { return read_point(context_.store, object_.id, keyring_, id); };
  return repository::prune(context, options);
}

}  // namespace

Withdrawn::Withdrawn(const std::string& object)
    : Error(Code::busy, "cannot make a recovery point: a prune that runs at the same time keeps condemning what it needs, such as " + object) {
  safe("earlier recovery points are whole; what was stored will be used by the next run").hint("run it again, or after the prune");
}

std::unique_ptr<Repository> open_with(const Context& context, const RepositoryObject& object, OpenedSlot opened) {
  return std::make_unique<OpenRepository>(context, object, std::move(opened));
}

std::unique_ptr<Repository> open(const Context& context, const SlotSecret& secret) {
  RepositoryObject object = read_repository_object(context.store);
  return open_with(context, object, open_root_key(context.store, object.id, secret));
}

Overview inspect(store::ObjectStore& store) {
  RepositoryObject object = read_repository_object(store);
  return {object.id, object.version, object.created, list_slots(store, object.id, nullptr)};
}

}  // namespace holdfast::repository
