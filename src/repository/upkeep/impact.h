// What damage costs: the files of points that cannot be restored whole, found by walking their trees. Exact: a file is lost
// when a chunk that it needs (or a chunk of its list, or the base of one) can be read nowhere, and only then; whole frames of
// a damaged pack count as readable. One thread. Remembers directories that are whole, so that what points share is walked once.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "repository/data/engine.h"
#include "repository/data/tree_reader.h"

namespace holdfast::repository {

// A chunk that no whole pack has.
struct ChunkAtRisk {
  ChunkType type{};
  std::uint32_t length = 0;
  bool readable = false;              // out of what is left of a damaged pack
  std::vector<std::string> objects;   // damaged or missing packs that hold it, or its base; empty: unknown
};

class Impact {
 public:
  // `packs`: names of damaged or missing packs; they are not deduplicated against any more.
  Impact(Engine& engine, const std::vector<std::string>& packs, const Cancel* cancel);
  ~Impact();

  // A file, or a directory whose listing cannot be read to its end, named by its path in the item ("" is the item's root),
  // and the packs that it was lost with (empty: unknown).
  using Lost = std::function<void(const std::string& path, bool listing, const std::vector<std::string>& objects)>;
  void walk(const std::pair<Bytes, ContentRef>& root, const Lost& lost);

  // The last walk met a chunk of a tree or of a list of chunks that can be read nowhere: what it led to is not known.
  bool lost_its_way() const { return lost_its_way_; }
  // Everything met so far.
  const std::unordered_map<ChunkId, ChunkAtRisk, IdHash>& at_risk() const { return at_risk_; }
  // The packs that hold what was walked, damaged ones where no other has it.
  const PackSet& used() const { return used_; }
  // Remembers nothing: every directory is walked again, so that used() tells about one point.
  void forget_walked();

 private:
  struct Open;
  void enter(const StoredRecord& node, const std::string& path);
  void leave();
  bool step();
  void look(const ContentRef::Piece& piece, ChunkType type);
  std::vector<std::string> blamed(const ChunkId& id);
  void lose(const std::string& path, bool listing);

  Engine& engine_;
  const Cancel* cancel_;
  std::vector<std::string> unlisted_;   // damaged packs that no index tells about
  std::unordered_map<ChunkId, ChunkAtRisk, IdHash> at_risk_;
  std::unordered_set<crypto::Sha256, IdHash> whole_;   // listings below which nothing is lost
  PackSet used_;
  // -- one walk
  std::vector<std::unique_ptr<Open>> open_;
  std::map<std::string, std::vector<std::string>> lost_files_;   // with their packs: for the hard links that lead to them
  std::set<std::string> with_;          // packs with which the node at hand is lost
  bool node_lost_ = false, lost_its_way_ = false;
  const Lost* tell_ = nullptr;
};

// Fills DamagedObject::files and calls options.affected. Walks only points that need a damaged pack or inventory page.
void find_affected_files(Engine& engine, const std::vector<PointSummary>& points, const std::function<Point(const PointId&)>& load,
                         const CheckOptions& options, CheckReport& report);

// What the damage of an object of that name means, and what can be done: one sentence each.
struct Meaning {
  std::string means, remedy;
};
Meaning meaning_of_damage(const std::string& object);

}  // namespace holdfast::repository
