#include "cli/damage.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "repository/upkeep/impact.h"

namespace holdfast::cli {

using repository::short_id;

std::string describe_damage(const repository::CheckReport& report) {
  std::string text = counted(report.damaged.size(), "object") + " damaged or missing:";
  std::string folder;
  for (const auto& d : report.damaged) {
    text += "\n  " + printable(d.name) + ": " + printable(d.what);
    if (std::string own = d.name.substr(0, d.name.find('/')); own != folder) {
      repository::Meaning meaning = repository::meaning_of_damage(d.name);
      text += "\n" + wrap("what it means: " + meaning.means, kTextWidth, "    ") + "\n" + wrap("what helps: " + meaning.remedy, kTextWidth, "    ");
      folder = own;
    }
    if (!d.affects.empty()) {
      text += "\n    affects the recovery points";
      for (const auto& p : d.affects) text += " " + short_id(p);
    }
    for (const auto& f : d.files) {
      text += "\n    in " + short_id(f.point) + " " + counted(f.count, "file") + " cannot be restored whole:";
      for (const auto& path : f.first) text += "\n      " + printable(path);
      if (f.count > f.first.size()) text += "\n      and " + human_count(f.count - f.first.size()) + " more (--json names all)";
    }
    if (report.files_known && d.files.empty() && !d.affects.empty() && !d.name.starts_with("point/")) text += "\n    every file of them can be restored";
  }
  return text;
}

void tell(Output& output, const repository::CheckReport& report) {
  for (const auto& d : report.damaged) {
    repository::Meaning meaning = repository::meaning_of_damage(d.name);
    Json points = Json::array();
    for (const auto& p : d.affects) points.push_back(p.hex());
    std::uint64_t files = 0;
    for (const auto& f : d.files) files += f.count;
    Json more{{"means", meaning.means}, {"points", points}};
    if (report.files_known) more["files"] = files;
    output.script_finding({"object_damaged", d.name, d.what, meaning.remedy}, more);
  }
}

void tell(Output& output, const repository::AffectedFile& file) {
  std::string object = file.path.empty() ? file.item : file.item + "/" + file.path;
  std::string what = file.listing ? "what is in this directory is not known any more" : "its content cannot be read whole";
  output.script_finding({"file_affected", object, what, ""},
                        Json{{"damaged", file.object}, {"point", file.point.hex()}, {"item", printable(file.item)},
                             {"path", printable(file.path)}, {"directory", file.listing}});
}

}  // namespace holdfast::cli
