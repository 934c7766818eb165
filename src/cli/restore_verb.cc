#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "backup/status.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/restore_report.h"
#include "cli/source.h"
#include "cli/verbs.h"
#include "cli/wizard.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using platform::Path;

// "latest" with items means the newest point in which every one of them is complete, not the newest point.
repository::PointId choose_point(Context& c, repository::Repository& from, const std::string& text, const std::vector<std::string>& items) {
  if (text == "latest" && !items.empty()) {
    auto system = c.system_id(from);
    for (const auto& p : from.points())
      if (system && std::all_of(items.begin(), items.end(), [&](const std::string& i) { return backup::newest_with_item({p}, *system, i).has_value(); }))
        return p.id;
  }
  return c.point(from, text);
}

std::string describe(const recovery::RestoreReview& r, const repository::Point& point, const recovery::RestoreRequest& request) {
  std::string text = "Review: restore of recovery point " + short_id(point.id) + " of " + printable(point.system_name) + ", taken " + when(point.finished) +
                     "\n  to " + (request.to ? printable(request.to->string()) : "the places on this server") + "\n\n";
  std::vector<std::vector<std::string>> rows;
  std::size_t replaced = 0;
  for (const auto& l : r.lines) {
    rows.push_back({printable(l.item), human_bytes(l.bytes), printable(l.place), l.replaces ? "replaces what is there" : ""});
    replaced += l.replaces ? 1 : 0;
  }
  text += table(rows) + "\n\n  " + counted(r.lines.size(), "item") + ", " + human_bytes(r.bytes) + " to write";
  if (r.free_bytes) text += ", " + human_bytes(*r.free_bytes) + " free";
  if (replaced != 0) text += "; " + std::to_string(replaced) + " replace what is there now";
  if (request.privileged) text += "\n  with setuid bits, device nodes and security attributes: only from a backup that you trust";
  return text + "\n";
}

recovery::RestoreRequest request_of(const Arguments& a, Context& c) {
  if (a.has("--to") == a.has("--in-place"))
    throw Error(Code::usage, "restore takes either --to FOLDER or --in-place")
        .safe("nothing was changed")
        .hint("--to FOLDER writes beside the server and changes nothing on it; --in-place writes to the places that the items came from");
  recovery::RestoreRequest request;
  request.items = a.values("--item");
  request.privileged = a.has("--privileged");
  if (a.has("--to")) {
    if (a.value("--to").empty()) throw Error(Code::usage, "--to needs the name of a folder").safe("nothing was changed");
    request.to = std::filesystem::absolute(a.value("--to")).lexically_normal();
  }
  if (request.privileged && !c.world.host.is_administrator())
    throw Error(Code::permission, "--privileged needs root: only root may make device nodes and files of other owners")
        .safe("nothing was changed")
        .hint("run it as root, or leave --privileged away");
  return request;
}

int run(const Arguments& a, Context& c) {
  if (a.positionals.empty() && a.options.empty() && !c.options.yes && c.can_ask() && !c.output.json()) return restore_wizard(c);
  if (a.positionals.empty())
    throw Error(Code::usage, "'holdfast restore' needs POINT")
        .safe("nothing was changed")
        .hint("'holdfast points' lists the points; without anything else at a terminal, 'holdfast restore' asks");
  recovery::RestoreRequest request = request_of(a, c);
  OpenedSource source = open_source(a, c);
  repository::Point point = source.repository->load(choose_point(c, *source.repository, a.positional(0), request.items));
  return restore_reviewed(c, *source.repository, point, request, a.has("--dry-run"));
}

}  // namespace

int restore_reviewed(Context& c, repository::Repository& from, const repository::Point& point, const recovery::RestoreRequest& request, bool dry_run) {
  recovery::Source source{from, c.adapters, c.world, c.output, c.cancel};
  recovery::RestoreReview review = recovery::review_restore(source, point, request);
  std::string text = describe(review, point, request);
  if (review.free_bytes && review.bytes > *review.free_bytes)
    throw Error(Code::no_space, "the items need " + human_bytes(review.bytes) + ", and " + human_bytes(*review.free_bytes) + " are free at " + request.to->string())
        .safe("nothing was changed")
        .hint("choose a folder in another file system, or fewer items with --item NAME");
  if (dry_run) {
    c.output.answer(text + "\nNothing was changed.");
    Json result{{"point", point.id.hex()}};
    result.update(to_json(review));
    result["dry_run"] = true;
    c.output.result(result);
    return 0;
  }
  c.output.say(text);
  if (!c.confirm(request.to ? "Restore now?" : "Write to this server now?")) {
    c.output.say("Nothing was done.");
    c.output.result(Json{{"point", point.id.hex()}, {"cancelled", true}});
    return 0;
  }
  std::optional<Code> failed;
  recovery::RestoreReport report = recovery::restore(source, point, request, failed);
  c.output.end();
  return report_restore(c, point.id, report, failed, request.to ? "restored to " + printable(request.to->string()) : "restored in place");
}

Verb restore_verb() {
  Verb v;
  v.name = "restore";
  v.summary = "give items back, into a folder or to their own places";
  v.positionals = {{"POINT", "first digits of a point's id, or latest; at a terminal without anything: asks", false}};
  v.options = {{"--item", "NAME", "only this item", true},
               {"--to", "FOLDER", "into this folder, each item in a folder of its own"},
               {"--in-place", "", "to the places that the items came from"},
               {"--privileged", "", "also setuid bits, device nodes and security attributes (root only)"}};
  for (Option& o : from_options()) v.options.push_back(std::move(o));
  v.options.push_back({"--dry-run", "", "show the review, change nothing"});
  v.details = "Shows first where each item goes, what it replaces and how much room there is, then asks. 'restore latest --item NAME' takes the newest point in "
              "which NAME is complete. Nothing is ever written outside the chosen folder or the item's own place. A whole server comes back with 'holdfast recover'.";
  v.examples = {{"holdfast restore", "at a terminal: asks from where, what and whereto"},
                {"holdfast restore latest --item core-settings --to /tmp/look", "one item, to look at it"},
                {"holdfast restore 3f2a9c01 --item web-config --in-place", "back to its place on this server"},
                {"holdfast restore latest --from ns01.hfbackup --to /tmp/all", "everything out of a backup file"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
