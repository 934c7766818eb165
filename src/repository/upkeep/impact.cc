#include "repository/upkeep/impact.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::repository {
namespace {

// A disk that cannot read a pack any more is damage, too; a store that is away is not.
bool cannot_be_read(const Error& error) { return is_damage(error) || error.code() == Code::io; }

crypto::Sha256 key_of(const ContentRef& listing) {
  Writer w;
  encode_reference(w, listing);
  return crypto::sha256(w.bytes());
}

}  // namespace

struct Impact::Open {
  std::string path;
  crypto::Sha256 key;
  std::unique_ptr<ListingCursor> listing;
  ContentRef content;
  bool whole = true, has_links = false;
};

Impact::Impact(Engine& engine, const std::vector<std::string>& packs, const Cancel* cancel) : engine_(engine), cancel_(cancel) {
  engine_.catalog.load();
  engine_.catalog.match_with_store();
  auto number_of = [&](const std::string& name) { return engine_.catalog.index().number_of(parse_object_name(name)->hash); };
  if (!std::all_of(packs.begin(), packs.end(), [&](const auto& name) { return number_of(name).has_value(); }))
    engine_.catalog.adopt_unlisted();
  for (const std::string& name : packs) {
    if (auto number = number_of(name))
      engine_.catalog.mark_damaged(*number);
    else
      unlisted_.push_back(name);
  }
}

Impact::~Impact() = default;

void Impact::walk(const std::pair<Bytes, ContentRef>& root, const Lost& lost) {
  tell_ = &lost;
  lost_files_.clear();
  open_.clear();
  lost_its_way_ = false;
  try {
    enter(decode_root(root.first, root.second), "");
  } catch (const Error& error) {
    if (!cannot_be_read(error)) throw;
    lose("", true);
  }
  while (!open_.empty()) {
    if (cancel_) cancel_->check();
    if (!step()) leave();
  }
}

// The next node of the innermost directory; false at its end.
bool Impact::step() {
  Open& directory = *open_.back();
  std::optional<StoredRecord> node;
  with_.clear();
  node_lost_ = false;
  try {
    node = directory.listing->next();
  } catch (const Error& error) {
    if (!cannot_be_read(error)) throw;
    lose(directory.path, true);
    return false;
  }
  if (!node) return false;
  enter(*node, directory.path.empty() ? node->entry.name : directory.path + "/" + node->entry.name);
  return true;
}

void Impact::leave() {
  std::unique_ptr<Open> done = std::move(open_.back());
  open_.pop_back();
  if (done->whole && !done->has_links) whole_.insert(done->key);
  if (open_.empty()) return;
  open_.back()->whole = open_.back()->whole && done->whole;
  open_.back()->has_links = open_.back()->has_links || done->has_links;
}

void Impact::enter(const StoredRecord& node, const std::string& path) {
  with_.clear();
  node_lost_ = false;
  if (node.entry.kind == tree::Kind::directory) {
    crypto::Sha256 key = key_of(node.content);
    if (whole_.contains(key)) return;
    if (open_.size() > kMaxDepth) return lose(path, true);
    auto directory = std::make_unique<Open>();
    directory->path = path;
    directory->key = key;
    directory->content = node.content;
    directory->listing = std::make_unique<ListingCursor>(
        engine_.reader, directory->content, [this](const ContentRef::Piece& piece) { look(piece, ChunkType::tree); });
    open_.push_back(std::move(directory));
    return;
  }
  if (node.entry.kind == tree::Kind::hard_link) {
    if (!open_.empty()) open_.back()->has_links = true;
    if (auto file = lost_files_.find(node.entry.target); file != lost_files_.end()) {
      with_.insert(file->second.begin(), file->second.end());
      lose(path, false);
    }
    return;
  }
  if (node.entry.kind != tree::Kind::file) return;
  try {
    PieceCursor pieces(engine_.reader, node.content, [this](const ContentRef::Piece& piece) { look(piece, ChunkType::tree); });
    ContentRef::Piece piece;
    while (pieces.next(piece)) look(piece, ChunkType::data);
  } catch (const Error& error) {
    if (!cannot_be_read(error)) throw;
    node_lost_ = true;
  }
  if (node_lost_) lose(path, false);
}

void Impact::look(const ContentRef::Piece& piece, ChunkType type) {
  const Index& index = engine_.catalog.index();
  if (auto at = index.find_usable(piece.id); at && at->length == piece.length) {
    for (Index::PackNumber pack : index.packs_for(*at)) used_.add(pack);
    return;
  }
  auto [entry, fresh] = at_risk_.try_emplace(piece.id, ChunkAtRisk{type, piece.length, false, {}});
  ChunkAtRisk& chunk = entry->second;
  if (fresh) {
    try {
      engine_.reader.get(piece.id, type, piece.length);
      chunk.readable = true;
    } catch (const Error& error) {
      if (!cannot_be_read(error)) throw;
    }
    chunk.objects = blamed(piece.id);
  }
  if (std::vector<Index::Location> places = index.find(piece.id); !places.empty()) used_.add(places.front().pack);
  if (chunk.readable) return;
  node_lost_ = true;
  lost_its_way_ = lost_its_way_ || type == ChunkType::tree;
  with_.insert(chunk.objects.begin(), chunk.objects.end());
}

std::vector<std::string> Impact::blamed(const ChunkId& id) {
  const Index& index = engine_.catalog.index();
  std::set<std::string> names;
  auto blame = [&](const Index::Location& at) {
    Index::Pack pack = index.pack(at.pack);
    if (!pack.usable) names.insert(pack.name());
    return pack.usable;
  };
  std::vector<Index::Location> places = index.find(id);
  for (const Index::Location& at : places) {
    if (!blame(at)) continue;
    Index::Frame frame = index.frame(at.pack, at.frame);
    if (frame.codec != Codec::zstd_with_base) continue;
    for (const Index::Location& base : index.find(frame.base)) blame(base);
  }
  if (names.empty()) names.insert(unlisted_.begin(), unlisted_.end());
  return {names.begin(), names.end()};
}

void Impact::lose(const std::string& path, bool listing) {
  std::vector<std::string> objects(with_.begin(), with_.end());
  if (!open_.empty()) open_.back()->whole = false;
  (*tell_)(path, listing, objects);
  if (!listing) lost_files_.emplace(path, std::move(objects));
}

void Impact::forget_walked() {
  whole_.clear();
  used_ = {};
}

namespace {

bool is_of(const std::string& name, ObjectType type) { return name.starts_with(std::string(folder_of(type)) + "/"); }

// One file of one point, under each object that it was lost with.
class Teller {
 public:
  Teller(const CheckOptions& options, CheckReport& report) : options_(options), report_(report) {}

  void tell(const PointId& point, const std::string& item, const std::string& path, bool listing,
            const std::vector<std::string>& objects) {
    static const std::vector<std::string> kUnknown{""};
    for (const std::string& object : objects.empty() ? kUnknown : objects) {
      if (options_.affected) options_.affected({object, point, item, path, listing});
      AffectedFiles& files = files_of(object, point);
      if (files.count++ < kFirstPaths) files.first.push_back(path.empty() ? item : item + "/" + path);
    }
  }

 private:
  AffectedFiles& files_of(const std::string& object, const PointId& point) {
    std::string name = object.empty() ? object_name(ObjectType::point, point) : object;
    auto it = std::find_if(report_.damaged.begin(), report_.damaged.end(), [&](const auto& d) { return d.name == name; });
    if (it == report_.damaged.end()) {
      bool pack = is_of(name, ObjectType::pack);
      report_.damaged.push_back({name, pack ? "it is missing" : "it needs chunks that are in no pack", {point}});
      it = report_.damaged.end() - 1;
    }
    if (std::find(it->affects.begin(), it->affects.end(), point) == it->affects.end()) it->affects.push_back(point);
    if (it->files.empty() || it->files.back().point != point) it->files.push_back({point, 0, {}});
    return it->files.back();
  }

  const CheckOptions& options_;
  CheckReport& report_;
};

}  // namespace

void find_affected_files(Engine& engine, const std::vector<PointSummary>& points, const std::function<Point(const PointId&)>& load,
                         const CheckOptions& options, CheckReport& report) {
  report.files_known = true;
  std::vector<std::string> packs;
  std::set<PointId> at_risk;
  for (const DamagedObject& object : report.damaged) {
    if (is_of(object.name, ObjectType::pack)) packs.push_back(object.name);
    bool data = is_of(object.name, ObjectType::pack) || is_of(object.name, ObjectType::index) || is_of(object.name, ObjectType::inventory);
    if (data) at_risk.insert(object.affects.begin(), object.affects.end());
  }
  if (at_risk.empty()) return;
  Impact impact(engine, packs, options.run.cancel);
  Teller teller(options, report);
  for (const PointSummary& summary : points) {
    if (!at_risk.contains(summary.id)) continue;
    Point point;
    try {
      point = load(summary.id);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      continue;   // the point itself is in the report, or it was forgotten meanwhile
    }
    for (const StoredItem& item : point.items) {
      if (!item.root) continue;
      impact.walk(*item.root, [&](const std::string& path, bool listing, const std::vector<std::string>& objects) {
        teller.tell(summary.id, item.name, path, listing, objects);
      });
    }
  }
}

Meaning meaning_of_damage(const std::string& object) {
  const std::string from_copy = "'holdfast repair --from COPY' takes it from a copy";
  std::string folder = object.substr(0, object.find('/'));
  if (folder == "repository") return {"without it nothing opens the repository", from_copy};
  if (folder == "slot") {
    return {"this way in does not open the repository any more; others still do",
            from_copy + "; or 'holdfast key add' makes another way in and 'holdfast key remove' takes this one away"};
  }
  if (folder == "keyring") return {"what was written under the key or by the writer that it names cannot be read", from_copy};
  if (folder == "pack") {
    return {"files whose content or directory lies in its damaged part cannot be restored; no later backup relies on it",
            "'holdfast repair' takes it from a copy, or reads again what is unchanged on the server"};
  }
  if (folder == "index") return {"nothing is lost: the packs tell the same, only more slowly", "'holdfast repair' makes it again from the packs"};
  if (folder == "inventory") {
    return {"every file can be restored; what the points need cannot be told without a key",
            "'holdfast repair' takes it from a copy, or makes it again with the password"};
  }
  if (folder == "point") return {"this recovery point cannot be restored", from_copy};
  if (folder == "record") return {"a recovery point that it made is not listed, and what it said of others is forgotten", from_copy};
  if (folder == "map") return {"objects that were replaced by others look like missing ones", from_copy + "; 'holdfast repair' makes it again"};
  return {"nothing is lost", from_copy};
}

}  // namespace holdfast::repository
