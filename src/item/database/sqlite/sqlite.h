// Items of kind `database`, engine `sqlite`: one database file, captured whole while the application goes on writing.
//
// What is stored: the root is the database's folder with its metadata; its one child is the database file under its own
// name, with the file's mode, owner and times, in the state of one transaction; no -wal and no -shm file, nothing pending.
// Only tested databases are stored and only tested ones take the place of a live one.
#pragma once

#include "item/database/database.h"

namespace holdfast::item {

class SqliteAdapter final : public DatabaseAdapter {
 public:
  std::string kind() const override { return "database"; }
  std::string engine() const override { return "sqlite"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Path> covers(const ItemSpec& spec) const override;
  std::uint64_t estimate(const ItemSpec& spec, platform::World& world) const override;
  std::pair<std::string, std::string> export_name(const ItemSpec& spec) const override;

  // Error(damaged) when the database does not pass its integrity check: the earlier points stay the newest good ones.
  void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const override;
  // In place: under the configured name, refused (busy) while another program has the database open. The file that was
  // there, and a -wal, -shm or -journal file of it, is gone afterwards: set_aside() it first.
  void apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const override;
  // Tables, indexes, views and row counts.
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored, CaptureContext& context) const override;

  std::optional<std::string> live_name(const ItemSpec& spec, platform::World& world) const override;
  // "<Name>.set-aside-<suffix>.db" beside it.
  std::string set_aside(const ItemSpec& spec, platform::World& world, const std::string& suffix) const override;
  void undo_set_aside(const ItemSpec& spec, platform::World& world, const std::string& suffix) const override;
  std::vector<FixupCount> count(const ItemSpec& spec, platform::World& world,
                                const std::vector<FixupAction>& actions) const override;
  std::vector<FixupCount> fix_up(const ItemSpec& spec, platform::World& world,
                                 const std::vector<FixupAction>& actions) const override;
  std::vector<std::vector<std::string>> query(const ItemSpec& spec, platform::World& world,
                                              const std::string& sql) const override;
};

}  // namespace holdfast::item
