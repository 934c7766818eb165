#include "recovery/restore.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "recovery/parts.h"

namespace holdfast::recovery {
namespace {

using item::ItemSpec;
using platform::Path;
using repository::StoredItem;
using repository::short_id;

// An item that was captured a second time because it changed during the backup: "kms-keys.after".
constexpr std::string_view kAfter = ".after";

std::string base_name(const std::string& item) {
  return item.ends_with(kAfter) ? item.substr(0, item.size() - kAfter.size()) : item;
}

struct Chosen { const StoredItem* stored; ItemSpec spec; };

[[noreturn]] void no_such_item(const repository::Point& point, const system::System& system, const std::string& name) {
  if (const ItemSpec* known = system.find(name))
    throw Error(Code::not_found, "recovery point " + short_id(point.id) + " does not hold item '" + known->name + "'")
        .safe("nothing was changed")
        .hint("'holdfast restore latest --item " + known->name + "' takes the newest point that holds it");
  std::vector<std::string> names;
  for (const StoredItem& i : point.items) names.push_back(i.name);
  std::string near = nearest_name(name, names);
  throw Error(Code::unknown_name, "there is no item '" + printable(name) + "' in recovery point " + short_id(point.id))
      .safe("nothing was changed")
      .hint(near.empty() ? "it holds: " + printable(join(names, ", ")) : "did you mean '" + near + "'?");
}

// The items to give back, in the order of the profile. A second state (".after") goes in place only when it is named.
std::vector<Chosen> choose(const repository::Point& point, const system::System& system, const RestoreRequest& request) {
  std::vector<Chosen> chosen;
  for (const std::string& name : request.items)
    if (find_item(point, name) == nullptr) no_such_item(point, system, name);
  for (const StoredItem& i : point.items) {
    bool named = std::find(request.items.begin(), request.items.end(), i.name) != request.items.end();
    if (!request.items.empty() && !named) continue;
    if (!named && !request.to && i.name != base_name(i.name)) continue;
    if (!i.root) {
      if (named)
        throw Error(Code::not_found, "item '" + i.name + "' failed when recovery point " + short_id(point.id) + " was made: it holds nothing of it")
            .safe("nothing was changed")
            .hint("'holdfast restore latest --item " + i.name + "' takes the newest point in which it is complete");
      continue;
    }
    if (!tree::is_safe_name(i.name)) throw Error(Code::outside, "an item of this recovery point has the name '" + printable(i.name) + "'");
    ItemSpec spec;
    if (const ItemSpec* known = system.find(base_name(i.name))) {
      spec = *known;
    } else if (request.to) {
      spec.name = i.name;
      spec.kind = i.kind;
    } else {
      throw Error(Code::config, "the configuration in recovery point " + short_id(point.id) + " gives item '" + printable(i.name) + "' no place")
          .safe("nothing was changed").hint("restore it with --to FOLDER");
    }
    chosen.push_back({&i, std::move(spec)});
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const Chosen& a, const Chosen& b) { return a.spec.order < b.spec.order; });
  return chosen;
}

// As the recovery plan gives them back: by the first step that restores or installs the item. What no step names is for people (identity
// card, product list) and comes first.
void order_by_plan(std::vector<Chosen>& chosen, const system::Profile& profile) {
  std::map<std::string, std::size_t> place;
  for (const system::Step& s : profile.steps)
    if (s.kind == system::Step::Kind::restore || s.kind == system::Step::Kind::install)
      for (const std::string& name : s.items) place.emplace(name, place.size() + 1);
  auto of = [&](const Chosen& c) {
    auto found = place.find(base_name(c.stored->name));
    return found == place.end() ? 0 : found->second;
  };
  std::stable_sort(chosen.begin(), chosen.end(), [&](const Chosen& a, const Chosen& b) { return of(a) < of(b); });
}

// In a folder, an item of a kind that this program does not know is written as the tree that it is.
const item::Adapter& adapter_for(const Source& source, ItemSpec& spec, bool to_folder) {
  if (const item::Adapter* a = source.adapters.find(spec.kind, spec.engine)) return *a;
  if (!to_folder) return source.adapters.get(spec);
  spec.kind = "directory";
  spec.engine.clear();
  return source.adapters.get(spec);
}

std::string place_of(const item::Adapter& adapter, const Chosen& c, const RestoreRequest& request) {
  if (request.to) return (*request.to / c.stored->name).string();
  std::string places = places_text(adapter, c.spec);
  return places.empty() ? "(nothing on the server: it is for people)" : places;
}

bool replaces(const Source& source, const item::Adapter& adapter, const Chosen& c, const RestoreRequest& request) {
  auto places = request.to ? std::vector<Path>{*request.to / c.stored->name} : adapter.covers(c.spec);
  return std::any_of(places.begin(), places.end(), [&](const Path& p) { return source.world.files.exists(p); });
}

// The system of the point; for a restore into a folder an empty one when its configuration or profile is of another Holdfast:
// the items are then plain trees, which they always are.
system::System system_for(const Source& source, const repository::Point& point, const RestoreRequest& request, Findings& findings) {
  try {
    return system_of(point, source.adapters);
  } catch (const Error& e) {
    if (!request.to || (e.code() != Code::config && e.code() != Code::unsupported && e.code() != Code::damaged)) throw;
    findings.push_back({"configuration_not_understood", short_id(point.id), e.what(), "the items are given back as plain files"});
    return {};
  }
}

// Each item in turn; what fails does not stop the others, unless nothing can go on.
template <class One>
RestoreReport each(const Source& source, const std::vector<Chosen>& chosen, std::optional<Code>& failed, const One& one) {
  auto started = source.world.clock.elapsed();
  RestoreReport report;
  for (const Chosen& c : chosen) {
    source.cancel.check();
    RestoreReport::Line line{c.stored->name, c.stored->bytes, c.stored->files, ""};
    try {
      one(c, report.findings);
    } catch (const Error& e) {
      if (e.code() == Code::interrupted || e.code() == Code::no_space) throw;
      line.error = e.what();
      if (!failed) failed = e.code();
    }
    report.lines.push_back(std::move(line));
  }
  report.seconds = std::chrono::duration<double>(source.world.clock.elapsed() - started).count();
  return report;
}

item::ApplyContext apply_context(const Source& source, Findings& findings, const std::string& item) {
  return {source.world, source.cancel, source.progress,
          [&findings, item](Finding f) {
            f.object = f.object.empty() || f.object == item ? item : item + ": " + f.object;
            findings.push_back(std::move(f));
          },
          {}, std::nullopt, true};
}

// <item>.<detail>.<system>.<time>.<ext>: a file when the item is one file, else a folder.
Path export_item(const Source& source, const repository::Point& point, const Chosen& c, const ItemSpec& spec, const item::Adapter& adapter,
                 const Path& folder, item::ApplyContext& context) {
  auto [stem, extension] = adapter.export_name(spec);
  if (c.stored->name != spec.name) stem = c.stored->name + stem.substr(std::min(stem.size(), spec.name.size()));
  std::string name = stem + "." + point.system_name + "." + format_utc_compact(point.finished);
  std::replace(name.begin(), name.end(), '/', '_');
  if (!tree::is_safe_name(name)) throw Error(Code::outside, "an item of this recovery point has the name '" + printable(name) + "'");
  context.to = folder / name;
  platform::FileSystem& files = source.world.files;
  files.make_directories(*context.to);
  adapter.apply(spec, source.repository.open_item(point, c.stored->name), context);
  auto inside = files.list(*context.to);
  if (inside.size() != 1 || inside.front().info.kind != platform::FileInfo::Kind::file) return *context.to;
  Path only = *context.to / inside.front().name;
  if (extension.empty() && only.has_extension()) extension = only.extension().string().substr(1);
  Path file = folder / (extension.empty() ? name + ".file" : name + "." + extension);
  files.rename(only, file);
  files.remove(*context.to);
  return file;
}

std::uint64_t total_bytes(const std::vector<Chosen>& chosen) {
  std::uint64_t bytes = 0;
  for (const Chosen& c : chosen) bytes += c.stored->bytes;
  return bytes;
}

}  // namespace

using repository::short_id;

system::System system_of(const repository::Point& point, const item::AdapterSet& adapters, const std::optional<Path>& base) {
  std::string file = repository::fact(point.identity, "configuration_file");
  Path folder = base ? *base : Path(file).parent_path();
  if (!folder.is_absolute())
    throw Error(Code::damaged, "recovery point " + short_id(point.id) + " does not say where its configuration file was");
  system::System s = system::parse_system(as_text(point.configuration), "configuration in point " + short_id(point.id), folder, adapters,
                                          holdfast::to_text(point.profile));
  s.file = base ? *base / Path(file).filename() : Path(file);
  return s;
}

RestoreReview review_restore(const Source& source, const repository::Point& point, const RestoreRequest& request) {
  Findings ignored;   // told by the restore itself
  system::System system = system_for(source, point, request, ignored);
  RestoreReview review;
  for (Chosen& c : choose(point, system, request)) {
    const item::Adapter& adapter = adapter_for(source, c.spec, request.to.has_value());
    review.lines.push_back({c.stored->name, c.spec.title, place_of(adapter, c, request), c.stored->bytes, replaces(source, adapter, c, request)});
    review.bytes += c.stored->bytes;
  }
  if (request.to) {
    Path there = *request.to;
    while (!there.empty() && there != there.root_path() && !source.world.files.exists(there)) there = there.parent_path();
    review.free_bytes = source.world.files.free_bytes(there);
  }
  return review;
}

RestoreReport restore(const Source& source, const repository::Point& point, const RestoreRequest& request, std::optional<Code>& failed) {
  Findings before;
  system::System system = system_for(source, point, request, before);
  auto chosen = choose(point, system, request);
  bool root = source.world.host.is_administrator();
  if (request.to) source.world.files.make_directories(*request.to);
  source.progress.begin("restoring " + point.system_name, total_bytes(chosen));
  auto report = each(source, chosen, failed, [&](const Chosen& c, Findings& findings) {
    item::ApplyContext context = apply_context(source, findings, c.stored->name);
    context.attributes.owner = root;
    context.attributes.privileged = root && request.privileged;
    ItemSpec spec = c.spec;
    const item::Adapter& adapter = adapter_for(source, spec, request.to.has_value());
    if (request.to) {
      context.to = *request.to / c.stored->name;
      platform::open_contained_tree(*request.to)->make_directory(c.stored->name);   // a link that stands there is refused
    }
    adapter.apply(spec, source.repository.open_item(point, c.stored->name), context);
  });
  source.progress.end();
  report.findings.insert(report.findings.begin(), before.begin(), before.end());
  return report;
}

RestoreReport export_folder(const Source& source, const repository::Point& point, const std::vector<std::string>& items, const Path& folder,
                            std::optional<Code>& failed) {
  if (source.world.files.exists(folder) && !source.world.files.list(folder).empty())
    throw Error(Code::already_exists, folder.string() + " is not empty").safe("nothing was changed").hint("choose an empty or new folder");
  RestoreRequest request;
  request.items = items;
  request.to = folder;
  Findings before;
  system::System system = system_for(source, point, request, before);
  auto chosen = choose(point, system, request);
  order_by_plan(chosen, system.profile);
  source.world.files.make_directories(folder);
  std::string order = "Plain files of recovery point " + point.id.hex() + "\nsystem " + printable(point.system_name) + ", taken " + format_utc(point.finished) +
                      "\n\nBring them back in this order, after the server was built anew with the same name, domain, installation path\n"
                      "and application identity (see identity card):\n\n";
  std::size_t number = 0;
  source.progress.begin("exporting " + point.system_name, total_bytes(chosen));
  auto report = each(source, chosen, failed, [&](const Chosen& c, Findings& findings) {
    item::ApplyContext context = apply_context(source, findings, c.stored->name);
    context.attributes.owner = source.world.host.is_administrator();
    ItemSpec spec = c.spec;
    const item::Adapter& adapter = adapter_for(source, spec, true);
    Path written = export_item(source, point, c, spec, adapter, folder, context);
    std::string places;
    for (const Path& p : adapter.covers(c.spec)) places += "\n      from " + printable(p.string());
    order += "[ ] " + std::to_string(++number) + ". " + printable(c.spec.title.empty() ? c.stored->name : c.spec.title) + "\n      " + printable(written.filename().string()) + places + "\n";
  });
  source.progress.end();
  report.findings.insert(report.findings.begin(), before.begin(), before.end());
  source.world.files.replace(folder / "holdfast.toml", point.configuration);
  source.world.files.replace(folder / "ORDER.txt", as_bytes(order));
  return report;
}

}  // namespace holdfast::recovery
