#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "backup/verification.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"
#include "recovery/prove_restore.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using repository::Level;

Level level_of(const std::string& text) {
  std::vector<std::string> names;
  for (Level l : {Level::exists, Level::bytes, Level::content, Level::restore}) {
    if (text == repository::to_text(l)) return l;
    names.emplace_back(repository::to_text(l));
  }
  std::string near = nearest_name(text, names);
  throw Error(Code::unknown_name, "there is no level '" + printable(text) + "'").hint(near.empty() ? "levels: " + join(names, ", ") : "did you mean '" + near + "'?");
}

int finish(Context& c, const std::string& what, const repository::CheckReport& report, Json result) {
  c.output.end();
  c.output.answer(what + ": " + describe(report));
  if (!report.damaged.empty()) {
    const auto& d = report.damaged.front();
    throw Error(Code::damaged, std::to_string(report.damaged.size()) + " objects of " + what + " are damaged or missing, first " + d.name + ": " + d.what)
        .safe("recovery points that are not named above are whole")
        .hint("'holdfast repair --dry-run' shows what a copy or the server can give back");
  }
  result.update(to_json(report));
  c.output.result(result);
  return 0;
}

[[noreturn]] void bad_value(const std::string& option, const std::string& text, const std::string& expected) {
  throw Error(Code::usage, option + " takes " + expected + ", not '" + printable(text) + "'").safe("nothing was changed");
}

// A whole number above 0 and a unit; nullopt when it is something else or too large.
std::optional<std::uint64_t> with_unit(const std::string& text, const std::map<std::string, std::uint64_t>& units) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  auto unit = units.find(to_lower_ascii(std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end))));
  if (unit == units.end() || number > (UINT64_C(1) << 62) / unit->second) return std::nullopt;
  return number * unit->second;
}

backup::Budget budget_of(const Arguments& a, Level level) {
  static const std::map<std::string, std::uint64_t> kSizes{
      {"", 1}, {"b", 1}, {"kb", 1'000}, {"mb", 1'000'000}, {"gb", 1'000'000'000}, {"tb", 1'000'000'000'000},
      {"kib", UINT64_C(1) << 10}, {"mib", UINT64_C(1) << 20}, {"gib", UINT64_C(1) << 30}, {"tib", UINT64_C(1) << 40}};
  static const std::map<std::string, std::uint64_t> kTimes{{"s", 1}, {"m", 60}, {"h", 3'600}};
  backup::Budget budget;
  if (a.has("--share")) budget.share = share_of("--share", a.value("--share"));
  if (a.has("--size")) {
    budget.bytes = with_unit(a.value("--size"), kSizes);
    if (!budget.bytes) bad_value("--size", a.value("--size"), "a size like 10GiB");
  }
  if (a.has("--time")) {
    auto seconds = with_unit(a.value("--time"), kTimes);
    if (!seconds || *seconds > 366 * 86'400) bad_value("--time", a.value("--time"), "a time like 90s, 30m or 2h");
    budget.time = std::chrono::seconds(*seconds);
  }
  if (budget.any() && level == Level::exists)
    throw Error(Code::usage, "level 'exists' reads no packs: there is nothing to share out").safe("nothing was changed").hint("leave --share, --size and --time away");
  return budget;
}

std::optional<Span> older_than(const Arguments& a) {
  if (!a.has("--older-than")) return std::nullopt;
  auto span = parse_span(a.value("--older-than"));
  if (!span) bad_value("--older-than", a.value("--older-than"), "a whole number and h, d, w, m or y, like 30d");
  return span;
}

std::vector<repository::PointSummary> chosen_points(const Arguments& a, Context& c, const backup::Budget& budget) {
  repository::Repository& r = c.repository();
  auto points = r.points();
  const bool named = !a.positional(0).empty();
  if (named && a.has("--all"))
    throw Error(Code::usage, "verify takes either POINT or --all").safe("nothing was changed").hint("leave one of them away");
  if (a.has("--all") || (!named && (budget.any() || a.has("--older-than")))) return points;
  repository::PointId id = c.point(r, named ? a.positional(0) : "latest");
  std::erase_if(points, [&](const auto& p) { return p.id != id; });
  return points;
}

// In bytes of what there is to read: packs, or restored files.
std::optional<std::uint64_t> byte_limit(const backup::Budget& budget, Level level, const std::vector<repository::PointSummary>& points, store::ObjectStore& store) {
  std::optional<std::uint64_t> limit = budget.bytes;
  if (!budget.share) return limit;
  std::uint64_t all = 0;
  if (level == Level::restore)
    for (const auto& p : points) all += p.bytes();
  else
    store.list("pack", [&](const store::ObjectInfo& o) { all += o.size; });
  auto share = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(*budget.share * static_cast<double>(all)));
  return limit ? std::min(*limit, share) : share;
}

// One run over several points.
class Verification {
 public:
  Verification(const Arguments& a, Context& c, Level level)
      : context_(c), repository_(c.repository()), level_(level), budget_(budget_of(a, level)), now_(c.world.clock.now()),
        due_(chosen_points(a, c, budget_)), memory_(c.world.files, c.state_folder() / (repository_.id().hex() + ".looked_at")) {
    const auto age = older_than(a);
    const auto limit = byte_limit(budget_, level, due_, repository_.store());
    if (age || due_.size() > 1) due_ = backup::due_for_verification(std::move(due_), level, age, now_);
    run_.emplace(level, limit, budget_.time, budget_.any(), before(now_, age.value_or(backup::kVerificationLasts)), memory_, c.world.clock);
    if (level != Level::restore) return;
    place_ = a.has("--to") ? a.value("--to") : platform::get(c.world.environment, "TMPDIR").value_or("");
    if (place_.empty()) place_ = "/var/tmp";
    place_ = std::filesystem::absolute(place_).lexically_normal();
    if (!c.world.files.exists(place_))
      throw Error(Code::not_found, "there is no folder " + printable(place_.string()) + " to restore into").safe("nothing was changed").hint("name one with --to FOLDER");
  }

  int plan() {
    std::string text = due_.empty() ? "No recovery point is due.\n" : "";
    Json which = Json::array();
    for (const auto& p : due_) {
      auto passed = backup::last_passed(p, level_, now_);
      text += "Recovery point " + short_id(p.id) + " would be verified at level '" + std::string(repository::to_text(level_)) + "', and that recorded; " +
              (passed ? "last on " + when(*passed) : "never before") + ".\n";
      which.push_back({{"point", p.id.hex()}, {"last", passed ? Json(format_utc(*passed)) : Json(nullptr)}});
    }
    if (budget_.any()) text += "In this order, until the budget of the run is used up.\n";
    context_.output.answer(text + "Nothing was changed.");
    context_.output.result(Json{{"level", repository::to_text(level_)}, {"points", which}, {"dry_run", true}});
    return 0;
  }

  int run() {
    if (level_ == Level::restore) tell_scratch_left();
    std::size_t done = 0;
    for (const auto& p : due_) {
      if (budget_.any() && level_ == Level::restore && run_->used_up()) break;
      repository::CheckReport report = verify(p);
      const bool left = report.later != 0;
      points_.push_back({{"point", p.id.hex()}, {"level", repository::to_text(level_)}, {"whole", report.damaged.empty() && !left}, {"packs_left", report.later}});
      all_.objects += report.objects;
      all_.bytes += report.bytes;
      all_.later += report.later;
      for (auto& d : report.damaged) all_.damaged.push_back(std::move(d));
      if (left) break;
      ++done;
    }
    save();
    return tell(done);
  }

 private:
  repository::CheckReport verify(const repository::PointSummary& p) {
    if (level_ == Level::restore) return restore(p);
    repository::CheckOptions options;
    options.level = level_;
    options.run = {&context_.output, &context_.cancel, 0};
    if (level_ != Level::exists) options.turns = &*run_;
    run_->begin_point(backup::last_passed(p, level_, now_));
    try {
      return repository_.verify(p.id, options);
    } catch (const Error&) {
      save();   // a run that was stopped: the next one goes on where it was
      throw;
    }
  }

  repository::CheckReport restore(const repository::PointSummary& p) {
    recovery::Source source{repository_, context_.adapters, context_.world, context_.output, context_.cancel};
    repository::CheckReport report;
    std::vector<std::string> wrong;
    try {
      recovery::RestoreProof proof = recovery::prove_restore(source, repository_.load(p.id), place_);
      context_.output.end();
      for (const Finding& f : proof.findings) {
        if (f.code == "scratch_left") find_scratch(f);
        else context_.output.say("  " + printable(f.object) + ": " + printable(f.message));
      }
      report.objects = proof.files;
      report.bytes = proof.bytes;
      wrong = std::move(proof.wrong);
    } catch (const Error& e) {
      context_.output.end();
      if (e.code() != Code::damaged) throw;
      wrong.emplace_back(e.what());
    }
    run_->take(std::max<std::uint64_t>(1, p.bytes()));
    for (const std::string& w : wrong) report.damaged.push_back({"point/" + p.id.hex(), w, {p.id}});
    if (!older_than_remembered()) repository_.record_verification(p.id, Level::restore, wrong.empty());
    return report;
  }

  // Nothing is written to a repository that somebody may have rolled back; the finding about it was told at opening.
  bool older_than_remembered() {
    auto findings = repository_.chain_findings();
    return std::any_of(findings.begin(), findings.end(), [](const repository::ChainFinding& f) {
      return f.kind == repository::ChainFinding::Kind::rollback || f.kind == repository::ChainFinding::Kind::fork;
    });
  }

  void tell_scratch_left() {
    for (const auto& folder : recovery::left_by_proofs(context_.world.files, place_))
      find_scratch({"scratch_left", folder.string(), "a folder of a verification that was killed lies here, with files of a recovery point", "remove it"});
  }

  // The memory only saves work: without it a run is as good, and reads more.
  void save() {
    try {
      memory_.save(context_.world.clock.now());
    } catch (const Error& e) {
      context_.output.say(std::string("What was looked at could not be remembered: ") + e.what());
    }
  }

  int tell(std::size_t done) {
    const std::size_t left = due_.size() - done;
    std::string what = due_.size() == 1 ? "recovery point " + short_id(due_.front().id) : counted(due_.size(), "recovery point");
    if (all_.damaged.empty() && left != 0) {
      context_.output.end();
      context_.output.answer(what + ": " + std::to_string(done) + " verified and recorded, " + std::to_string(left) + " left to later runs" +
                             (all_.later != 0 ? ", one of them begun" : "") + ". " + human_bytes(all_.bytes) + " checked; nothing that was looked at is damaged.");
    } else if (due_.empty()) {
      context_.output.answer("No recovery point is due.");
    } else {
      finish(context_, what, all_, result(left));
      return scratch_left_ ? 3 : 0;
    }
    Json r = result(left);
    r.update(to_json(all_));
    context_.output.result(r);
    return scratch_left_ ? 3 : 0;
  }

  void find_scratch(const Finding& f) {
    scratch_left_ = true;
    context_.output.finding(f);
  }

  Json result(std::size_t left) const { return {{"level", repository::to_text(level_)}, {"points", points_}, {"left", left}}; }

  Context& context_;
  repository::Repository& repository_;
  Level level_;
  backup::Budget budget_;
  Timestamp now_;
  std::vector<repository::PointSummary> due_;
  backup::LookedAt memory_;
  std::optional<backup::VerificationRun> run_;
  platform::Path place_;
  repository::CheckReport all_;
  Json points_ = Json::array();
  bool scratch_left_ = false;
};

int run_verify(const Arguments& a, Context& c) {
  Level level = a.has("--level") ? level_of(a.value("--level")) : Level::content;
  if (a.has("--to") && level != Level::restore)
    throw Error(Code::usage, "--to belongs to --level restore").safe("nothing was changed").hint("leave it away, or verify at level restore");
  Verification verification(a, c, level);
  return a.has("--dry-run") ? verification.plan() : verification.run();
}

}  // namespace

Verb verify_verb() {
  Verb v;
  v.name = "verify";
  v.summary = "raise a point's verification level";
  v.positionals = {{"POINT", "first digits of a point's id, or latest", false}};
  v.options = {{"--all", "", "every point"},
               {"--level", "LEVEL", "exists, bytes (SHA-256 of every object), content (decoded and compared; the default) or restore (given back into a scratch folder, compared, removed)"},
               {"--older-than", "AGE", "only points whose verification at that level is missing or older: 30d, 12h, 6m"},
               {"--share", "SHARE", "read no more than that share of what there is: 5%"},
               {"--size", "SIZE", "read no more than that: 10GiB"},
               {"--time", "TIME", "begin nothing after that: 90s, 30m, 2h"},
               {"--to", "FOLDER", "where level restore makes its scratch folder (else TMPDIR, else /var/tmp)"},
               {"--dry-run", "", "say what would be done, change nothing"}};
  v.details = "With --share, --size, --time or --older-than and no POINT, every point is meant: those never verified first, then the oldest verification first. "
              "What a run has read is remembered on this machine, so that the next one goes on: several small runs together read everything. A point counts as "
              "verified when everything that it needs was read; docs/verification.md says what a part proves.";
  v.examples = {{"holdfast verify latest", "decode everything that the newest point needs"},
                {"holdfast verify --all --level exists", "a quick look"},
                {"holdfast verify --older-than 30d --time 2h", "every night: a part, so that each point is verified once a month"},
                {"holdfast verify latest --level restore --to /srv/scratch", "give everything back, compare, remove"}};
  v.run = run_verify;
  return v;
}

}  // namespace holdfast::cli
