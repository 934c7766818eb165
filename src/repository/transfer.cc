#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "crypto/keys.h"
#include "repository/format/envelope.h"
#include "repository/repository.h"

namespace holdfast::repository {
namespace {

// Facts of an imported point, docs/repository-format.md "Point".
constexpr const char* kOriginPoint = "origin_point";
constexpr const char* kOriginRepository = "origin_repository";
constexpr const char* kOriginWriter = "origin_writer";
constexpr const char* kOriginSignature = "origin_signature";

std::vector<StoredItem> chosen_items(const Point& point, const std::vector<std::string>& names) {
  if (names.empty()) return point.items;
  std::vector<StoredItem> chosen;
  for (const std::string& name : names) {
    auto it = std::find_if(point.items.begin(), point.items.end(), [&](const StoredItem& i) { return i.name == name; });
    if (it == point.items.end()) {
      throw Error(Code::not_found, "point " + short_id(point.id) + " has no item " + printable(name)).safe("nothing was changed");
    }
    chosen.push_back(*it);
  }
  return chosen;
}

std::string signature_of(Repository& from, const PointId& id) {
  std::string name = object_name(ObjectType::point, id);
  auto info = from.store().info(name);
  if (!info || info->size < kSignatureSize) throw Error(Code::damaged, "object " + name + " is damaged: it is too short");
  crypto::Signature signature;
  from.store().get_range(name, info->size - kSignatureSize, signature.bytes);
  return signature.hex();
}

// Where a point first came from: kept through any number of exports and imports.
Facts provenance_of(Repository& from, const Point& point) {
  if (!fact(point.provenance, kOriginPoint).empty()) return point.provenance;
  Facts facts = point.provenance;
  facts.emplace_back(kOriginPoint, point.id.hex());
  facts.emplace_back(kOriginRepository, from.id().hex());
  facts.emplace_back(kOriginWriter, point.writer.hex());
  facts.emplace_back(kOriginSignature, signature_of(from, point.id));
  return facts;
}

// "" when the point is damaged: what cannot be restored is not there.
std::string origin_of(Repository& repository, const PointId& id) {
  try {
    return fact(repository.load(id).provenance, kOriginPoint);
  } catch (const Error& error) {
    if (error.code() != Code::damaged) throw;
    return "";
  }
}

void refuse_second_import(Repository& to, const std::string& origin, const std::vector<StoredItem>& items) {
  for (const PointSummary& known : to.points()) {
    bool itself = known.id.hex() == origin;
    if (!itself && known.origin != Origin::imported) continue;
    if (!itself && origin_of(to, known.id) != origin) continue;
    bool all = std::all_of(items.begin(), items.end(), [&](const StoredItem& item) {
      return std::any_of(known.items.begin(), known.items.end(), [&](const auto& k) { return k.name == item.name; });
    });
    if (!all) continue;   // other items of the same point
    throw Error(Code::already_exists, "point " + origin.substr(0, 12) + " is in the repository already, as " + short_id(known.id))
        .safe("nothing was changed");
  }
}

class TreeTransfer {
 public:
  TreeTransfer(tree::TreeSink& sink, const RunOptions& options) : sink_(sink), options_(options) {}

  void node(const tree::NodePtr& node) {
    if (options_.cancel != nullptr) options_.cancel->check();
    const tree::Entry& entry = node->entry();
    if (entry.kind == tree::Kind::directory) {
      sink_.open_directory(entry);
      node->children([&](const tree::NodePtr& child) {
        this->node(child);
        return true;
      });
      sink_.close_directory();
    } else if (entry.kind == tree::Kind::file) {
      file(*node);
    } else {
      sink_.add(entry);
    }
  }

 private:
  void file(const tree::StoredNode& node) {
    tree::FileWriter& writer = sink_.begin_file(tree::Chunking::content_defined);
    node.read(0, tree::content_bytes(node.entry()), [&](std::uint64_t, ByteView bytes) {
      if (options_.cancel != nullptr) options_.cancel->check();
      writer.write(bytes);
      if (options_.progress != nullptr) options_.progress->add(bytes.size(), 0);
    });
    sink_.end_file(node.entry());
    if (options_.progress != nullptr) options_.progress->add(0, 1);
  }

  tree::TreeSink& sink_;
  const RunOptions& options_;
};

PointStatus status_of(const Point& point, const std::vector<StoredItem>& items) {
  if (items.size() == point.items.size()) return point.status;
  auto any = [&](auto&& test) { return std::any_of(items.begin(), items.end(), test); };
  if (any([](const StoredItem& i) { return i.status == ItemStatus::failed && i.criticality == "critical"; })) return PointStatus::incomplete;
  return any([](const StoredItem& i) { return i.status != ItemStatus::complete; }) ? PointStatus::complete_with_findings : PointStatus::complete;
}

PointId transfer_once(Repository& from, const PointId& id, const std::vector<std::string>& names, Repository& to, const RunOptions& options) {
  Point point = from.load(id);
  PointDraft draft = point;
  draft.items = chosen_items(point, names);
  draft.provenance = provenance_of(from, point);
  draft.origin = Origin::imported;
  draft.status = status_of(point, draft.items);
  if (draft.items.size() != point.items.size()) draft.scope = Scope::partial;
  refuse_second_import(to, fact(draft.provenance, kOriginPoint), draft.items);

  auto session = to.begin_backup(options);
  for (StoredItem& item : draft.items) {
    if (!item.root) continue;   // it failed when it was captured: its findings say why
    tree::NodePtr root = from.open_item(point, item.name);
    item.root.reset();
    std::uint64_t files = item.files, bytes = item.bytes;
    if (options.progress != nullptr) options.progress->begin("transferring " + item.name, bytes);
    TreeTransfer(session->begin_item(item.name, nullptr), options).node(root);
    session->end_item(item);
    if (options.progress != nullptr) options.progress->end();
    item.files = files;
    item.bytes = bytes;
  }
  return session->publish(draft);
}

}  // namespace

PointId transfer(Repository& from, const PointId& id, const std::vector<std::string>& names, Repository& to, const RunOptions& options) {
  return begin_again_when_withdrawn([&] { return transfer_once(from, id, names, to, options); });
}

}  // namespace holdfast::repository
