// A recovery point as the repository knows it: what it is made of, and what the run said. Bytes: docs/repository-format.md "Point".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/finding.h"
#include "base/time.h"
#include "crypto/hash.h"

namespace holdfast::repository {

struct RepositoryIdTag; using RepositoryId = FixedId<16, RepositoryIdTag>;
struct WriterIdTag;     using WriterId = FixedId<16, WriterIdTag>;
struct SystemIdTag;     using SystemId = FixedId<16, SystemIdTag>;
struct ChunkIdTag;      using ChunkId = FixedId<32, ChunkIdTag>;
using PointId = crypto::Sha256;     // the hash in the point object's name
inline std::string short_id(const PointId& id) { return id.hex().substr(0, 12); }

enum class Origin : std::uint8_t { manual = 1, scheduled = 2, imported = 3 };
enum class PointStatus : std::uint8_t { complete = 1, complete_with_findings = 2, incomplete = 3 };
enum class Scope : std::uint8_t { full = 1, partial = 2 };
enum class ItemStatus : std::uint8_t { complete = 1, complete_with_findings = 2, failed = 3 };
enum class Level : std::uint8_t { none = 0, exists = 1, bytes = 2, content = 3, restore = 4 };

// The words of cli.md: "manual", "complete_with_findings", …
std::string_view to_text(Origin v);
std::string_view to_text(PointStatus v);
std::string_view to_text(Scope v);
std::string_view to_text(ItemStatus v);
std::string_view to_text(Level v);

using Facts = std::vector<std::pair<std::string, std::string>>;   // ordered; keys may repeat
// The first value of `key`, "" when there is none.
std::string fact(const Facts& facts, std::string_view key);

// `piece` of a content: where it is found and how long it is.
struct ContentRef {
  std::uint64_t size = 0;
  std::uint8_t level = 0;
  struct Piece { ChunkId id; std::uint32_t length = 0; bool operator==(const Piece&) const = default; };
  std::vector<Piece> pieces;
  bool operator==(const ContentRef&) const = default;
};

struct StoredItem {
  std::string name, kind, section, criticality;
  ItemStatus status = ItemStatus::complete;
  std::uint64_t bytes = 0, files = 0, milliseconds = 0;
  Facts facts;
  Findings findings;
  // Root node; absent when the item failed. Made by BackupSession::end_item.
  std::optional<std::pair<Bytes, ContentRef>> root;   // encoded entry, content
  Bytes unknown_fields;                               // of a newer version, kept as they came
};

struct PointDraft {
  SystemId system_id;
  std::string system_name;
  Timestamp started, finished;
  Origin origin = Origin::manual;
  PointStatus status = PointStatus::complete;
  Scope scope = Scope::full;
  std::string label, section, tool_version;
  Bytes configuration, profile;
  Facts identity;
  std::vector<StoredItem> items;
  Findings findings;
  Facts provenance;
  Bytes unknown_fields;   // of a newer version, kept as they came
};

struct Point : PointDraft {
  PointId id;
  WriterId writer;
};

// What a list of points shows; comes from the log alone.
struct PointSummary {
  PointId id;
  WriterId writer;
  std::uint64_t number = 0;     // of the record that made it
  SystemId system_id;
  std::string system_name, label, section;
  Timestamp started, finished;
  Origin origin{};
  PointStatus status{};
  Scope scope{};
  struct Item { std::string name, kind, criticality; ItemStatus status{}; std::uint64_t bytes = 0; };
  std::vector<Item> items;
  bool pinned = false;
  Level verified = Level::none;         // highest level that passed; see verified_at
  Timestamp verified_at;
  bool verification_failed = false;     // the newest verification found damage
  std::map<Level, Timestamp> passed;    // the newest pass at each level
  std::uint64_t bytes() const;
};

}  // namespace holdfast::repository
