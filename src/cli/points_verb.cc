#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using repository::to_text;

int run(const Arguments&, Context& c) {
  repository::Repository& repository = c.repository();
  std::optional<repository::SystemId> only;
  if (!c.options.system.empty()) only = c.system_id(repository);
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"POINT", "TIME", "SYSTEM", "ORIGIN", "STATUS", "VERIFIED", "SIZE", "ITEMS", "LABEL"}};
  for (const auto& p : repository.points()) {
    if (only && p.system_id != *only) continue;
    all.push_back(to_json(p));
    rows.push_back({short_id(p.id), when(p.finished), printable(p.system_name), std::string(to_text(p.origin)),
                    std::string(to_text(p.status)) + (p.scope == repository::Scope::partial ? ", partial" : ""),
                    p.verification_failed ? "DAMAGED" : p.verified == repository::Level::none ? "never" : std::string(to_text(p.verified)),
                    human_bytes(p.bytes()), std::to_string(p.items.size()), printable(p.label) + (p.pinned ? " (pinned)" : "")});
  }
  c.output.answer(rows.size() == 1 ? "There is no recovery point yet. Next: holdfast backup" : table(rows, ""));
  c.output.result(Json{{"points", all}, {"head", repository.head_code()}});
  return c.output.findings() != 0 ? 3 : 0;
}

}  // namespace

Verb points_verb() {
  Verb v;
  v.name = "points";
  v.summary = "list the recovery points, newest first";
  v.examples = {{"holdfast points", "of every system in the repository"}, {"holdfast points --json --system ns01", "for a script"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
