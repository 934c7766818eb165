#include "backup/backup.h"

#include <algorithm>
#include <map>
#include <utility>

#include "backup/fit.h"
#include "backup/key_check.h"
#include "backup/status.h"
#include "base/error.h"
#include "base/text.h"
#include "item/database/database.h"

namespace holdfast::backup {
namespace {

using item::ItemSpec;
using repository::ItemStatus;
using repository::PointDraft;
using repository::PointStatus;
using repository::StoredItem;

repository::SystemId system_id(const system::System& system) {
  repository::SystemId id;
  if (!from_hex(system.id, id.bytes)) throw Error(Code::config, "the system's id is not 32 hex digits");
  return id;
}

StoredItem describe(const ItemSpec& spec) {
  StoredItem s;
  s.name = spec.name;
  s.kind = spec.kind;
  s.section = spec.section;
  s.criticality = std::string(item::to_text(spec.criticality));
  return s;
}

// The run of one backup: its parts in order are the member functions in order.
class Run {
 public:
  Run(const Request& request, Environment& env) : request_(request), env_(env) {}

  Report run() {
    auto started = env_.world.clock.elapsed();
    draft_.started = env_.world.clock.now();
    chosen_ = select(env_.system, request_.selection);
    if (chosen_.empty()) throw Error(Code::usage, "there is nothing to back up").hint("see 'holdfast status'");
    describe_system();
    find_previous();
    session_ = env_.repository.begin_backup({&env_.progress, &env_.cancel, env_.workers});
    env_.progress.begin("backing up " + env_.system.name, request_.expected_bytes);
    for (const ItemSpec* i : chosen_) digests_[i->name] = digest(*i);
    for (const ItemSpec* i : chosen_) capture(*i, i->name);
    capture_changed_again();
    env_.progress.end();
    check_whole();
    return publish(started);
  }

 private:
  void describe_system() {
    const system::System& s = env_.system;
    card_ = system::read_identity(s, env_.world);
    draft_.system_id = system_id(s);
    draft_.system_name = s.name;
    draft_.origin = request_.origin;
    draft_.label = request_.label;
    draft_.section = request_.selection.section;
    draft_.configuration = to_bytes(s.source);
    draft_.profile = to_bytes(s.profile.source);
    draft_.identity = card_.to_facts();
    draft_.identity.emplace_back("configuration_file", s.file.string());
    std::size_t wanted = 0;
    for (const auto& i : s.items) wanted += i.excluded ? 0 : 1;
    draft_.scope = chosen_.size() == wanted ? repository::Scope::full : repository::Scope::partial;
  }

  // The newest point that holds an item gives its tree, so that unchanged files need not be read.
  void find_previous() {
    auto points = env_.repository.points();
    for (const ItemSpec* i : chosen_) {
      auto p = newest_with_item(points, draft_.system_id, i->name);
      if (!p) continue;
      auto loaded = loaded_.find(p->id);
      if (loaded == loaded_.end()) loaded = loaded_.emplace(p->id, env_.repository.load(p->id)).first;
      try {
        previous_[i->name] = env_.repository.open_item(loaded->second, i->name);
      } catch (const Error& e) {
        if (e.code() != Code::not_found && e.code() != Code::damaged) throw;
        draft_.findings.push_back({"previous_unreadable", i->name, e.what(), "it is read anew; run 'holdfast check'"});
      }
    }
  }

  // nullopt: the kind has none, or nothing can be read there now; then the capture says so.
  std::optional<Bytes> digest(const ItemSpec& spec) {
    try {
      return env_.adapters.get(spec).live_digest(spec, env_.world);
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      return std::nullopt;
    }
  }

  item::CaptureContext context(StoredItem& stored) {
    item::CaptureContext c{env_.world, env_.cancel, env_.progress,
                           [&stored](Finding f) { stored.findings.push_back(std::move(f)); }, stored.facts,
                           {}, {}, {}};
    c.leave_out = own_places(env_.system, env_.repository.store().location());
    c.generated = [this](const std::string& what) -> std::optional<std::string> {
      if (what == "identity") return system::identity_text(card_);
      if (what == "products") return system::products_text(card_);
      return std::nullopt;
    };
    c.password = [this](const ItemSpec& spec) -> std::optional<std::string> {
      std::string file = spec.text("password_file");
      if (file.empty()) return std::nullopt;
      std::string text = to_text(env_.world.files.read_all(file, 1U << 20));
      return text.substr(0, text.find_first_of("\r\n"));
    };
    return c;
  }

  // `name` differs from the spec's name for a second capture of the same item.
  void capture(const ItemSpec& spec, const std::string& name) {
    env_.cancel.check();
    StoredItem stored = describe(spec);
    stored.name = name;
    auto begun = env_.world.clock.elapsed();
    try {
      auto previous = previous_.find(name);
      tree::TreeSink& sink = session_->begin_item(name, previous == previous_.end() ? nullptr : previous->second);
      item::CaptureContext c = context(stored);
      env_.adapters.get(spec).capture(spec, sink, c);
      session_->end_item(stored);
      stored.status = stored.findings.empty() ? ItemStatus::complete : ItemStatus::complete_with_findings;
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      session_->abandon_item();   // throws when it was the repository that failed
      stored.status = ItemStatus::failed;
      stored.root.reset();
      std::string hint = e.hint().empty() ? "repair the cause and run 'holdfast backup --item " + spec.name + "'" : e.hint();
      stored.findings.push_back({std::string(info(e.code()).name), name, e.what(), hint});
    }
    stored.milliseconds = static_cast<std::uint64_t>((env_.world.clock.elapsed() - begun).count() / 1'000'000);
    draft_.items.push_back(std::move(stored));
  }

  // Keys that changed while the database was read: both states are kept, because either may be the one that fits.
  void capture_changed_again() {
    for (const ItemSpec* i : chosen_) {
      auto after = digest(*i);
      if (after == digests_[i->name]) continue;
      if (after) capture(*i, i->name + ".after");
      draft_.findings.push_back({"changed_during_backup", i->name,
                                 "it changed while the backup ran; the state before is in '" + i->name + "', " +
                                     (after ? "the state after in '" + i->name + ".after'" : "afterwards nothing was there"),
                                 "run the backup again when nothing changes it"});
    }
  }

  // What can only be seen with all items together.
  void check_whole() {
    system::IdentityCard now = system::read_identity(env_.system, env_.world);
    if (now.products != card_.products)
      draft_.findings.push_back({"versions_changed", env_.system.name,
                                 "product versions changed while the backup ran; its items may not fit one another",
                                 "run the backup again after the installation has finished"});
    check_fit();
    check_keys();
    auto add = [&](Findings found) {
      for (Finding& f : found) draft_.findings.push_back(std::move(f));
    };
    add(check_package(card_, draft_.items));
    add(check_agent_authority(draft_.items));
    auto own = own_places(env_.system, env_.repository.store().location());
    add(uncovered(env_.system, env_.adapters, env_.world, own));
  }

  const item::DatabaseAdapter* database_of(const ItemSpec& spec) const {
    return dynamic_cast<const item::DatabaseAdapter*>(env_.adapters.find(spec.kind, spec.engine));
  }

  // The products that the database was written by are those that are installed.
  void check_fit() {
    for (const ItemSpec* i : chosen_) {
      const item::DatabaseAdapter* database = database_of(*i);
      if (database == nullptr) continue;
      for (const std::string& sql : env_.system.profile.fit_queries) {
        try {
          for (const auto& row : database->query(*i, env_.world, sql)) {
            if (row.size() < 2) continue;
            auto product = std::find_if(card_.products.begin(), card_.products.end(),
                                        [&](const system::Product& p) { return p.name == row[0]; });
            std::string installed = product == card_.products.end() ? "not installed" : product->version;
            if (installed == row[1]) continue;
            draft_.findings.push_back({"items_do_not_fit", i->name,
                                       printable(row[0]) + ": the database says " + printable(row[1]) + ", installed is " +
                                           printable(installed),
                                       "finish or repair the installation, then back up again"});
          }
        } catch (const Error& e) {
          if (e.code() == Code::interrupted) throw;
          draft_.findings.push_back({"fit_not_checked", i->name, e.what(), ""});
        }
      }
    }
  }

  // Keys that do not open the database are not a backup of the keys: the item fails (what was read is kept all the same).
  // Where the database cannot be asked, nothing is known about the keys.
  void check_keys() {
    for (const KeyFit& fit : check_keys_live(env_.system, env_.adapters, env_.world)) {
      StoredItem* keys = captured(fit.keys_item);
      if (fit.result.passed || (keys == nullptr && captured(fit.database_item) == nullptr)) continue;
      std::string text = fit.result.name + ": " + fit.result.detail;
      if (!fit.compared) {
        draft_.findings.push_back({"keys_not_checked", fit.keys_item, text, "repair the cause, then back up again"});
        continue;
      }
      Finding finding{"keys_do_not_fit", fit.keys_item, text,
                      "the keys on this server do not open its database; bring back the right keys, then back up again"};
      if (keys == nullptr) {
        draft_.findings.push_back(std::move(finding));
      } else if (keys->status != ItemStatus::failed) {
        keys->status = ItemStatus::failed;
        keys->findings.push_back(std::move(finding));
      }
    }
  }

  // nullptr: not part of this run.
  StoredItem* captured(const std::string& name) {
    for (StoredItem& s : draft_.items)
      if (s.name == name) return &s;
    return nullptr;
  }

  void decide_status() {
    bool findings = !draft_.findings.empty(), critical_failed = false;
    for (const StoredItem& s : draft_.items) {
      findings = findings || s.status != ItemStatus::complete;
      critical_failed = critical_failed || (s.status == ItemStatus::failed && s.criticality == "critical");
    }
    draft_.status = critical_failed ? PointStatus::incomplete
                    : findings      ? PointStatus::complete_with_findings
                                    : PointStatus::complete;
  }

  Report publish(std::chrono::nanoseconds started) {
    decide_status();
    draft_.finished = env_.world.clock.now();
    Report report;
    report.point = session_->publish(draft_);
    report.status = draft_.status;
    report.scope = draft_.scope;
    report.findings = draft_.findings;
    // Of the place, not of the point: a copy of it elsewhere is as good as any.
    if (auto finding = same_disk(env_.system, env_.repository.store().location(), env_.world)) report.findings.push_back(std::move(*finding));
    report.items = std::move(draft_.items);
    for (StoredItem& s : report.items) s.root.reset();
    report.bytes_read = session_->bytes_read();
    report.bytes_stored = session_->bytes_stored();
    report.seconds = std::chrono::duration<double>(env_.world.clock.elapsed() - started).count();
    return report;
  }

  const Request& request_;
  Environment& env_;
  PointDraft draft_;
  system::IdentityCard card_;
  std::vector<const ItemSpec*> chosen_;
  std::map<repository::PointId, repository::Point> loaded_;
  std::map<std::string, tree::NodePtr> previous_;
  std::map<std::string, std::optional<Bytes>> digests_;
  std::unique_ptr<repository::BackupSession> session_;
};

}  // namespace

bool Report::has_findings() const { return status != PointStatus::complete || !findings.empty(); }

Report run(const Request& request, Environment& environment) {
  return repository::begin_again_when_withdrawn([&] { return Run(request, environment).run(); });
}

}  // namespace holdfast::backup
