// A reader of Holdfast repositories that shares no line with Holdfast: written from docs/repository-format.md
// (and the void rule of docs/concurrency.md) alone, to prove that the documents are enough. Simple rather
// than fast: whole objects in memory.
//
//   compat_reader REPOSITORY PASSWORD_FILE list
//   compat_reader REPOSITORY PASSWORD_FILE restore POINT|latest DIR     every item of the point, as
//   DIR/<item> compat_reader REPOSITORY PASSWORD_FILE verify                       every object, chunk,
//   signature, chain and inventory
//
// REPOSITORY: a folder, or an export in one file. PASSWORD_FILE: a password (ASCII), a recovery key or a
// machine key. Anything that is not as the documents say: a message and exit 1. So also damage that somebody
// has repaired around: this reader wants everything whole.
//
// To be read in this order: bytes.h (encoding), objects (names, envelope), keys (slots, keyring), history
// (records, points, inventories, maps), chunks (packs, index, contents), tree (entries, restoring).
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>

#include "history.h"
#include "tree.h"

namespace compat {

namespace {

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  require(in.good(), "cannot read " + path);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::string name_of_status(std::uint64_t status) {
  return status == 1   ? "complete"
         : status == 2 ? "complete_with_findings"
         : status == 3 ? "incomplete"
                       : "unknown";
}

std::string utc(Time time) {
  const std::time_t seconds = time.seconds;
  char text[32];
  std::tm parts{};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &parts));
  return text;
}

void list(const std::vector<Point>& points) {
  for (const Point& point : points) {
    std::cout << hex(point.object.hash) << ' ' << utc(point.fields().time(3)) << ' '
              << name_of_status(point.fields().number(6));
    for (const View item : point.fields().all(13)) std::cout << ' ' << Fields(item, "an item").text(1);
    std::cout << '\n';
  }
}

const Point& choose(const std::vector<Point>& points, const std::string& wanted) {
  const Point* chosen = nullptr;
  for (const Point& point : points) {
    if (wanted == "latest") {
      if (point.fields().number(6) != 3 && (!chosen || chosen->fields().time(3) < point.fields().time(3)))
        chosen = &point;
    } else if (wanted.size() >= 4 && hex(point.object.hash).starts_with(wanted)) {
      require(!chosen, "several points begin with " + wanted);
      chosen = &point;
    }
  }
  require(chosen, "there is no point " + wanted);
  return *chosen;
}

void restore(Chunks& chunks, const Point& point, const std::string& folder) {
  require(mkdir(folder.c_str(), 0700) == 0, "cannot make " + folder);
  for (const View field : point.fields().all(13)) {
    const Fields item(field, "an item");
    const std::string name = item.text(1);
    require(!name.empty() &&
                name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos,
            "an item has an impossible name");
    if (const auto root = item.maybe(11)) restore_tree(chunks, read_root(*root), folder + "/" + name);
  }
}

/// That everything in the repository is whole, and that each inventory names enough for its point.
void verify(const Store& store, const Keys& keys, Chunks& chunks, const std::vector<Point>& points) {
  for (const char* kind : {"repository", "slot", "keyring", "inventory", "replica"})
    for (const auto& name : store.list(kind)) keys.check_repository(store.get(name));
  for (const char* kind : {"index", "point", "record", "map"})
    for (const auto& name : store.list(kind)) keys.check_signature(store.get(name));
  for (const auto& name : store.list("pack")) chunks.verify_pack(name);
  for (const Point& point : points) {
    chunks.on_chunk = [&](const std::set<std::string>& packs) {
      require(
          std::ranges::any_of(packs, [&](const auto& pack) { return point.needs.objects.contains(pack); }),
          point.object.name + " needs a chunk that is in no pack of its inventory");
    };
    for (const View field : point.fields().all(13))
      if (const auto root = Fields(field, "an item").maybe(11)) verify_tree(chunks, read_root(*root));
  }
  const Chunks::Met& met = chunks.met();
  std::cout << points.size() << " points, " << keys.writers.size() << " writers, " << keys.epochs.size()
            << " epochs, " << store.list("slot").size() << " slots, " << store.list("record").size()
            << " records, " << store.list("map").size() << " maps, " << store.list("pack").size()
            << " packs, frames: " << met.plain << " plain, " << met.compressed << " compressed, "
            << met.deltas << " deltas; content of level " << met.highest_level << "\n";
}

int run(const std::vector<std::string>& arguments) {
  const std::string verb = arguments.size() >= 3 ? arguments[2] : "";
  if (arguments.size() != (verb == "restore" ? 5U : 3U) ||
      (verb != "list" && verb != "verify" && verb != "restore")) {
    std::cerr << "compat_reader REPOSITORY PASSWORD_FILE (list | verify | restore POINT|latest DIR)\n";
    return 2;
  }
  const Store store(arguments[0]);
  const Keys keys = open_keys(store, read_file(arguments[1]));
  const std::vector<Point> points = History(store, keys).points();
  Chunks chunks(store, keys);
  if (verb == "list") list(points);
  if (verb == "restore") restore(chunks, choose(points, arguments[3]), arguments[4]);
  if (verb == "verify") verify(store, keys, chunks, points);
  return 0;
}

}  // namespace

}  // namespace compat

int main(int argc, char** argv) {
  try {
    return compat::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "compat_reader: " << error.what() << '\n';
    return 1;
  }
}
