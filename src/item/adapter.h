// What a kind of item can do. One folder a kind; app/adapters.cc names them all.
//
// An adapter reads the protected server into a TreeSink and writes it back from a StoredNode. It never sees a repository.
// Adapters hold no state between calls and are used by one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/cancel.h"
#include "base/finding.h"
#include "base/progress.h"
#include "platform/contained_tree.h"
#include "platform/world.h"
#include "tree/streams.h"

namespace holdfast::item {

using platform::Path;
using Facts = std::vector<std::pair<std::string, std::string>>;

enum class Criticality : std::uint8_t { critical, recommended, optional };
std::string_view to_text(Criticality v);

// The value of an item's key in the configuration file. Paths in it are absolute: the loader resolves them.
using OptionValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct OptionSpec {
  enum class Type { boolean, integer, text, path, text_list, path_list };
  std::string name;
  Type type = Type::text;
  bool required = false;
  std::string help;                    // one sentence, for docs and error messages
  std::vector<std::string> choices;    // valid values of a text; empty: any
};

// One thing to protect: from the profile (what it is) and the configuration file (where it is).
struct ItemSpec {
  std::string name;                    // "cmdb"
  std::string kind;                    // "database", "directory", …
  std::string engine;                  // for database: "sqlite"; else ""
  std::string title;                   // for people: "Configuration Management Database"
  std::string section;                 // "configuration", "software-library", …
  Criticality criticality = Criticality::critical;
  std::string if_lost;                 // one sentence: what its loss costs
  std::string proven_on;               // "sample", "stand-in", "real"
  int order = 0;                       // of capture and of restoring within a step
  std::map<std::string, OptionValue> options;
  std::optional<std::string> excluded; // a reason: not captured on purpose

  std::string text(const std::string& option) const;               // "" when not given
  std::vector<std::string> list(const std::string& option) const;  // a single text counts as a list of one
  bool flag(const std::string& option, bool otherwise = false) const;
};

struct CaptureContext {
  platform::World& world;
  const Cancel& cancel;
  ProgressSink& progress;              // add() bytes and files as they are read
  FindingSink finding;
  Facts& facts;                        // what was understood: thumbprint, expiry, row counts; shown and compared
  std::vector<Path> leave_out;         // absolute: the repository itself; a finding says that it was left out
  // Texts that the system makes, for `record` items: "identity", "products". Empty: not available.
  std::function<std::optional<std::string>(const std::string&)> generated;
  // The password of a sealed file (option `password_from` of certificates and vendor backups); nullopt: none given.
  std::function<std::optional<std::string>(const ItemSpec&)> password;
};

struct ApplyContext {
  platform::World& world;
  const Cancel& cancel;
  ProgressSink& progress;
  FindingSink finding;
  platform::ApplyOptions attributes;
  // Where: a folder for this item (restore --to, drills), or nullopt = its own place as the spec says.
  std::optional<Path> to;
  bool replace_existing = true;        // false: a file in the way is Error(already_exists)
};

struct Change {
  enum class Kind { added, removed, changed } kind = Kind::changed;
  std::string where;                   // key, registry value, path, table
  std::string before, after;           // "" when it makes no sense; secrets are never shown: "(changed)"
};

struct CheckResult {
  std::string name;                    // "certificate fits its key"
  bool passed = false;
  std::string detail;                  // figures; what differs
};

class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual std::string kind() const = 0;
  virtual std::string engine() const { return ""; }
  virtual std::vector<OptionSpec> options() const = 0;
  // Absolute paths that the item takes: what no item takes is not covered.
  virtual std::vector<Path> covers(const ItemSpec& spec) const = 0;
  // Single paths (not what is below them) that the item can make again without holding them: what an installer lays down.
  virtual std::vector<Path> lays_down(const ItemSpec& spec, platform::World& world) const;
  // Rough bytes to read, for review and progress; 0 = cannot tell. Reads names and sizes only.
  virtual std::uint64_t estimate(const ItemSpec& spec, platform::World& world) const;

  // Reads the item into `sink`: exactly one root (a directory or a single file). Throws Error when the item cannot be
  // captured as a whole (the point then holds it as failed); what is missing in part is a finding.
  virtual void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const = 0;
  // A digest of the live state, to notice changes during a run (encryption keys before and after the database).
  virtual std::optional<Bytes> live_digest(const ItemSpec& spec, platform::World& world) const;

  // Writes the stored item back with every attribute. Nothing outside the target. Running it again after a kill is safe.
  virtual void apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const = 0;
  // What differs between two stored states (either may be nullptr: not in that point).
  virtual std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const = 0;
  // After a recovery: is what is live now right? Compares with `stored`. Changes nothing.
  virtual std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored, CaptureContext& context) const = 0;
  // Meaningful name for a plain-file export: "cmdb.Symantec_CMDB.bak" -> {"cmdb.Symantec_CMDB", "bak"}; default {name, ""}.
  virtual std::pair<std::string, std::string> export_name(const ItemSpec& spec) const;
};

// All kinds of the program.
class AdapterSet {
 public:
  void add(std::unique_ptr<Adapter> adapter);
  // nullptr when there is none.
  const Adapter* find(const std::string& kind, const std::string& engine) const;
  const Adapter& get(const ItemSpec& spec) const;      // Error(unsupported) names kind and engine
  std::vector<std::string> kinds() const;
  std::vector<std::string> engines(const std::string& kind) const;

 private:
  std::vector<std::unique_ptr<Adapter>> adapters_;
};

}  // namespace holdfast::item
