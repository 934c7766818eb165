#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "backup/reread.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/damage.h"
#include "cli/verbs.h"
#include "repository/upkeep/impact.h"
#include "repository/upkeep/repair.h"

namespace holdfast::cli {
namespace {

using repository::CheckReport;
using repository::RepairPlan;
using repository::RepairResult;
using repository::short_id;

std::uint64_t lost_files(const CheckReport& report) {
  std::uint64_t files = 0;
  for (const auto& d : report.damaged) {
    for (const auto& f : d.files) files += f.count;
  }
  return files;
}

Json names(const std::vector<std::string>& objects) {
  Json all = Json::array();
  for (const auto& o : objects) all.push_back(o);
  return all;
}

class RepairRun {
 public:
  RepairRun(const Arguments& a, Context& c) : context_(c), dry_run_(a.has("--dry-run")) {
    expect_something();
    if (!a.has("--no-source")) take_configuration();
    for (const std::string& location : a.values("--from")) {
      copies_.push_back(c.open_store(std::filesystem::absolute(location).lexically_normal().string(), false));
    }
    take_configured_copies();
    if (takes_key()) secret_.emplace(c.way_in());
    repair_.emplace(setup());
  }

  int run() {
    RepairPlan plan = repair_->plan();
    context_.output.end();
    std::string text = describe(plan);
    if (plan.damage.damaged.empty() && plan.from_copies.empty()) return finish_whole(text, plan);
    context_.output.answer(text);
    tell(context_.output, plan.damage);
    if (!plan.anything_to_do()) throw hopeless(plan.damage);
    if (dry_run_) {
      context_.output.answer("Nothing was changed.");
      Json result = to_json(plan);
      result["dry_run"] = true;
      context_.output.result(result);
      return 3;
    }
    if (!context_.confirm("Repair now?")) {
      context_.output.say("Nothing was done.");
      context_.output.result(Json{{"cancelled", true}});
      return 0;
    }
    RepairResult result = repair_->apply(plan, [this](repository::Mending& mending) { read_source(mending); });
    context_.output.end();
    return report(plan, result);
  }

 private:
  // "There is no repository" is said before anything is asked, but not when a copy may bring its first object back.
  void expect_something() {
    bool any = false;
    context_.store().list("", [&](const store::ObjectInfo&) { any = true; });
    if (!any) repository::inspect(context_.store());
  }

  void take_configuration() {
    auto file = context_.configuration_file();
    if (file && context_.world.files.exists(*file)) system_.emplace(context_.load_system());
  }

  // A copy that is away is told, and does not keep the others from helping.
  void take_configured_copies() {
    if (!system_) return;
    for (const auto& copy : system_->copies) {
      try {
        copies_.push_back(context_.open_store(copy.repository, false));
      } catch (const Error& e) {
        context_.output.finding({"copy_not_read", copy.name, e.what(), e.hint()});
      }
    }
  }

  // Without a password given and nobody to ask, copies are what is left.
  bool takes_key() {
    return context_.has_secret_source(context_.password_source()) || !context_.options.key_file.empty() || context_.can_ask();
  }

  repository::RepairSetup setup() {
    repository::RepairSetup setup{context_.store(), {}, {}, {&context_.output, &context_.cancel, 0}};
    if (secret_) setup.open = [this] { return repository::open(context_.repository_context(context_.store()), *secret_); };
    for (const auto& copy : copies_) setup.copies.push_back(copy.get());
    return setup;
  }

  void read_source(repository::Mending& mending) {
    if (!system_ || mending.wanted().empty()) return;
    context_.output.begin("reading again what was lost", 0);
    for (const Finding& f : backup::reread(*system_, context_.adapters, context_.world, context_.store().location(), context_.output,
                                           context_.cancel, mending)) {
      context_.output.finding(f);
    }
    context_.output.end();
  }

  std::string describe(const RepairPlan& plan) const {
    std::string text = "repository " + context_.repository_location() + ": ";
    if (plan.damage.damaged.empty()) return text + "it is whole; there is nothing to repair.";
    text += describe_damage(plan.damage);
    if (!plan.closed.empty()) text += "\nIt cannot be opened, so that only copies can help now; run 'holdfast repair' again afterwards: " + printable(plan.closed);
    if (!secret_) text += "\nWithout a password only copies can help.";
    text += "\n\nPlan:";
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> from;   // by location: objects, bytes
    for (const auto& o : plan.from_copies) {
      auto& [objects, bytes] = from[o.from->location()];
      objects += 1;
      bytes += o.size;
    }
    for (const auto& [location, amount] : from)
      text += "\n  take " + counted(amount.first, "object") + " (" + human_bytes(amount.second) + "), whole there, from " + printable(location);
    for (const auto& object : plan.made_again) text += "\n  make again what it said: " + object;
    if (plan.rescue) text += "\n  store anew what can still be read of damaged packs";
    if (system_ && !plan.to_read.empty()) {
      for (const auto& [item, files] : plan.to_read)
        text += "\n  read " + counted(files.size(), "file") + " of " + printable(item) + " again on this server; what is unchanged comes back";
    } else if (!plan.to_read.empty()) {
      text += "\n  nothing is read again: no configuration of the protected server is in use";
    }
    if (!plan.anything_to_do()) text += "\n  nothing can be done with what is at hand";
    return text + "\nA repair deletes nothing and changes no object that is whole.";
  }

  int finish_whole(const std::string& text, const RepairPlan& plan) {
    for (const auto& f : plan.chain) context_.output.finding({"history", context_.store().location(), f.message, "a copy that has the newer records: 'holdfast repair --from COPY'"});
    context_.output.answer(text);
    context_.output.result(to_json(plan));
    return context_.output.findings() == 0 ? 0 : 3;
  }

  Json to_json(const RepairPlan& plan) const {
    Json from = Json::array(), read = Json::object();
    for (const auto& o : plan.from_copies) from.push_back({{"object", o.name}, {"bytes", o.size}, {"from", o.from->location()}});
    for (const auto& [item, files] : plan.to_read) read[printable(item)] = files.size();
    return {{"damaged", plan.damage.damaged.size()}, {"from_copies", from}, {"made_again", names(plan.made_again)},
            {"rescue", plan.rescue}, {"files_to_read", read}};
  }

  Error hopeless(const CheckReport& report) const {
    const auto& d = report.damaged.front();
    return Error(Code::damaged, "nothing can be repaired in " + context_.repository_location() + " with what is at hand; " +
                                    counted(report.damaged.size(), "object") + " damaged or missing, first " + printable(d.name))
        .safe("nothing was changed; what is not named above can be restored")
        .hint(secret_ ? "name a copy with --from; 'holdfast backup' stores anew what is on the server and relies on nothing damaged"
                      : "name a copy with --from, or give the password");
  }

  int report(const RepairPlan& plan, const RepairResult& result) {
    for (const Finding& f : result.problems) context_.output.finding(f);
    for (const auto& f : result.chain) context_.output.finding({"history", context_.store().location(), f.message, ""});
    std::string text = counted(result.from_copies.size(), "object") + " taken from copies and read back, " +
                       counted(result.replaced.size(), "object") + " replaced by others.";
    bool whole = result.left.damaged.empty();
    std::uint64_t before = lost_files(plan.damage), after = lost_files(result.left);
    if (!whole) {
      text += "\nStill " + describe_damage(result.left) + "\n" + whole_points(result.left);
      tell(context_.output, result.left);
      bool helped = !result.from_copies.empty() || !result.replaced.empty() || after < before;
      if (!helped) {
        context_.output.answer(text);
        throw hopeless(result.left);
      }
      context_.output.finding({"still_damaged", context_.repository_location(),
                               counted(result.left.damaged.size(), "object") + " damaged or missing; " + counted(after, "file") + " of recovery points lost",
                               "'holdfast backup' stores anew what is on the server and relies on nothing damaged"});
    } else {
      text += "\nThe repository is whole.";
    }
    context_.output.answer(text);
    context_.output.result(Json{{"from_copies", names(result.from_copies)}, {"replaced", names(result.replaced)}, {"whole", whole},
                                {"damaged", result.left.damaged.size()}, {"files_lost_before", before}, {"files_lost", after}});
    return whole && context_.output.findings() == 0 ? 0 : 3;
  }

  // Points that nothing of what is left affects.
  std::string whole_points(const CheckReport& left) {
    if (!left.files_known) return "";
    std::set<repository::PointId> hit;
    for (const auto& d : left.damaged) {
      if (d.name.starts_with("point/")) hit.insert(d.affects.begin(), d.affects.end());
      for (const auto& f : d.files) hit.insert(f.point);
    }
    std::string text;
    for (const auto& p : repair_->points()) {
      if (!hit.contains(p.id)) text += " " + short_id(p.id);
    }
    return text.empty() ? "No recovery point is without loss." : "Without any loss are the recovery points" + text + ".";
  }

  Context& context_;
  const bool dry_run_;
  std::optional<system::System> system_;
  std::vector<std::unique_ptr<store::ObjectStore>> copies_;
  std::optional<repository::SlotSecret> secret_;
  std::optional<repository::Repair> repair_;
};

int run(const Arguments& a, Context& c) { return RepairRun(a, c).run(); }

}  // namespace

Verb repair_verb() {
  Verb v;
  v.name = "repair";
  v.summary = "put right what is damaged or missing in the repository";
  v.options = {{"--from", "FOLDER", "a copy of this repository, besides those of the configuration", true},
               {"--no-source", "", "read nothing on the protected server"},
               {"--dry-run", "", "show the plan, change nothing"}};
  v.details = "Checks everything first, shows the plan and asks. Takes whole objects from copies; makes index segments and inventories again; stores anew what "
              "can still be read of damaged packs; reads files again that are unchanged on the server. Deletes nothing, and says what stays lost. "
              "Without a password only copies can help. Exit 3: something was repaired and something is left. Exit 20: nothing could be repaired.";
  v.examples = {{"holdfast repair --dry-run", "what is damaged, what it costs, what would be done"},
                {"holdfast repair --from /mnt/usb/ns01 --yes", "with what a copy has"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
