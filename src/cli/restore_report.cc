#include "cli/restore_report.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::cli {

int report_restore(Context& c, const repository::PointId& point, const recovery::RestoreReport& report, std::optional<Code> failed,
                   const std::string& done) {
  for (const Finding& f : report.findings) c.output.finding(f);
  std::uint64_t bytes = 0, files = 0;
  std::string first;
  Json items = Json::array();
  for (const auto& l : report.lines) {
    bytes += l.bytes;
    files += l.files;
    items.push_back({{"item", l.item}, {"bytes", l.bytes}, {"files", l.files}, {"error", l.error.empty() ? Json(nullptr) : Json(printable(l.error))}});
    if (!l.error.empty()) {
      c.output.say("  failed: " + l.item + ": " + printable(l.error));
      if (first.empty()) first = l.item + ": " + l.error;
    }
  }
  if (failed)
    throw Error(*failed, first).safe("the items without an error were written; the repository was not touched").hint(
        "'holdfast check --read-data' tells whether the repository is whole");
  c.output.say(counted(report.lines.size(), "item") + ", " + counted(files, "file") + ", " + human_bytes(bytes) + " " + done + " in " +
               human_seconds(report.seconds) + "; every byte was verified.");
  c.output.result(Json{{"point", point.hex()}, {"items", items}, {"bytes", bytes}, {"files", files}, {"seconds", report.seconds}});
  return c.output.findings() != 0 ? 3 : 0;
}

}  // namespace holdfast::cli
