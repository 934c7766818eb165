#include "item/database/sqlite/snapshot.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "item/database/sqlite/virtual_file.h"
#include "platform/clock.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

using platform::Path;

// A file that was changed less than this before it was looked at may change again without its time showing it: the kernel's
// tick is at most 10 ms, file systems with whole seconds (or FAT's two) have no fraction in their times.
constexpr std::int64_t kRacyFine = 100'000'000, kRacyCoarse = 2'100'000'000;   // ns
constexpr std::size_t kGathered = 256 * 1024;   // bytes handed on at a time
constexpr int kPagesPerStep = 256;              // between looks at the cancel flag: 1 MiB of usual pages

std::optional<tree::Entry> status_of(const Path& path) {
  return platform::open_source_directory(path.parent_path())->status(path.filename().string());
}

bool exists_beside(const Path& path, const char* suffix) {
  return status_of(path.string() + suffix).has_value();
}

bool unchanged(const tree::Entry& before, const std::optional<tree::Entry>& after) {
  return after && after->modified == before.modified && after->changed == before.changed &&
         after->size == before.size && after->inode == before.inode;
}

// How long a file like this may still change unseen, in ns; nullopt when its time is nonsense: in the future.
std::optional<std::int64_t> racy_for(const tree::Entry& status) {
  const Timestamp now = platform::real_clock().now(), then = status.changed;
  const std::int64_t seconds = now.seconds - then.seconds;
  const std::int64_t window = then.nanoseconds % 1'000'000 == 0 ? kRacyCoarse : kRacyFine;
  if (seconds > 3) return 0;
  const std::int64_t age = seconds * 1'000'000'000 + now.nanoseconds - then.nanoseconds;
  if (age < 0) return std::nullopt;
  return std::max<std::int64_t>(0, window - age);
}

// The file's status when nobody has it open and nobody has just written to it: what is pending stands in a -wal or
// -journal file. Waits when somebody has just stopped, so that reading need not make files beside the database.
std::optional<tree::Entry> quiet_status(const Path& path) {
  for (bool waited : {false, true}) {
    const std::optional<tree::Entry> status = status_of(path);
    if (!status || exists_beside(path, "-wal") || exists_beside(path, "-journal")) return std::nullopt;
    const std::optional<std::int64_t> racy = racy_for(*status);
    if (!racy) return std::nullopt;
    if (*racy == 0) return status;
    if (!waited) platform::real_clock().sleep(std::chrono::milliseconds(*racy / 1'000'000 + 1));
  }
  return std::nullopt;
}

void read_in(const Path& path, Connection::Mode mode, const std::function<void(Connection&)>& use) {
  Connection connection(path, mode, printable(path.string()));
  connection.execute("BEGIN");
  connection.number("SELECT count(*) FROM sqlite_schema");   // from here on it is one state
  use(connection);
}

// true: done. false: somebody wrote meanwhile, so that what was read is worth nothing.
bool read_quietly(const Path& path, const tree::Entry& before, const std::function<void(Connection&)>& use) {
  try {
    read_in(path, Connection::Mode::immutable, use);
  } catch (...) {
    if (unchanged(before, status_of(path))) throw;
    return false;
  }
  return unchanged(before, status_of(path));
}

// Takes what SQLite's backup writes. Page 1 is written last, because it changes last; the others come in order.
class PageFile final : public VirtualFile {
 public:
  // Without `consume` only page 1 is kept.
  PageFile(std::size_t page_size, const std::function<void(ByteView)>* consume)
      : page_size_(page_size), consume_(consume), position_(page_size) {}

  std::uint64_t size() override { return written_; }
  bool read_only() const override { return false; }
  void resize(std::uint64_t) override {}
  // Asked for before anything is written: an empty file.
  std::size_t read(std::uint64_t, MutableBytes) override { return 0; }

  void write(std::uint64_t offset, ByteView data) override {
    written_ = std::max(written_, offset + data.size());
    if (offset == 0 && data.size() == page_size_) first_page_.assign(data.begin(), data.end());
    else if (consume_) next(offset, data);
  }

  void start(const Bytes& first_page) { hand_on(first_page); }
  void finish() {
    if (!gathered_.empty()) (*consume_)(gathered_);
    gathered_.clear();
  }
  const Bytes& first_page() const { return first_page_; }
  std::uint64_t position() const { return position_; }

 private:
  void next(std::uint64_t offset, ByteView data) {
    if (offset < position_) throw Error(Code::defect, "SQLite gave the pages of a database out of order");
    // The page that holds the lock bytes at 1 GiB is never used and never copied: zeros.
    if (offset > position_) hand_on(Bytes(static_cast<std::size_t>(std::min<std::uint64_t>(offset - position_, page_size_))));
    position_ = offset + data.size();
    hand_on(data);
  }
  void hand_on(ByteView data) {
    gathered_.insert(gathered_.end(), data.begin(), data.end());
    if (gathered_.size() >= kGathered) finish();
  }

  std::size_t page_size_;
  const std::function<void(ByteView)>* consume_;
  std::uint64_t position_;
  std::uint64_t written_ = 0;
  Bytes first_page_, gathered_;
};

struct FinishBackup {
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};

void back_up_into(PageFile& file, Connection& source, const Cancel& cancel) {
  VirtualFileSystem vfs(file);
  Connection target("pages", Connection::Mode::scratch, source.label(), vfs.name());
  try {
    // No journal: a failed stream is abandoned as a whole. A small cache makes SQLite pass pages on instead of keeping them.
    target.execute("PRAGMA journal_mode=OFF");
    target.execute("PRAGMA synchronous=OFF");
    target.execute("PRAGMA cache_size=64");
    std::unique_ptr<sqlite3_backup, FinishBackup> backup(
        sqlite3_backup_init(target.handle(), "main", source.handle(), "main"));
    if (!backup) throw target.error(sqlite3_errcode(target.handle()), "read");
    int result;
    do {
      cancel.check();
      result = sqlite3_backup_step(backup.get(), kPagesPerStep);
    } while (result == SQLITE_OK);
    if (result != SQLITE_DONE) throw source.error(result, "read");
  } catch (const Error&) {
    vfs.rethrow();
    throw;
  }
}

// A program that crashed in the middle of a transaction leaves a -journal that must be rolled back before anybody may read; the
// next program to open the database does so, and a reader without the right to write cannot (SQLITE_READONLY_ROLLBACK).
void roll_back_crashed(const Path& path) {
  if (!exists_beside(path, "-journal")) return;
  Connection(path, Connection::Mode::read_write, printable(path.string())).number("SELECT count(*) FROM sqlite_schema");
}

}  // namespace

void with_snapshot(const Path& path, const std::function<void(Connection&)>& use) {
  const std::optional<tree::Entry> status = status_of(path);
  if (!status) throw Error(Code::not_found, "cannot open database " + printable(path.string()) + ": it does not exist");
  if (status->kind != tree::Kind::file)
    throw Error(Code::precondition, "cannot open database " + printable(path.string()) + ": it is no regular file");
  if (const auto quiet = quiet_status(path); quiet && read_quietly(path, *quiet, use)) return;
  roll_back_crashed(path);
  read_in(path, Connection::Mode::read_only, use);
}

std::uint64_t stream_pages(Connection& source, const Cancel& cancel, const std::function<void(ByteView)>& consume) {
  const std::size_t page_size = static_cast<std::size_t>(source.number("PRAGMA page_size"));
  PageFile head(page_size, nullptr);
  back_up_into(head, source, cancel);
  if (head.first_page().empty())
    throw Error(Code::damaged, "cannot read database " + source.label() + ": it has no first page")
        .hint("an empty file is no database yet; start the application once");
  PageFile body(page_size, &consume);
  body.start(head.first_page());
  back_up_into(body, source, cancel);
  body.finish();
  if (body.first_page() != head.first_page() || body.position() != head.size())
    throw Error(Code::defect, "SQLite gave two states of database " + source.label() + " in one transaction");
  return body.position();
}

void require_integrity(Connection& connection) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> faults;
  connection.read("PRAGMA integrity_check(10)", [&](const Connection::Row& row) {
    if (!row.empty() && row.front() != "ok") faults.push_back(printable(row.front()));
  });
  if (faults.empty()) return;
  const std::size_t found = faults.size();
  faults.resize(std::min(found, kShown));
  throw Error(Code::damaged, "database " + connection.label() + " is damaged: " + join(faults, "; ") +
                                 (found > kShown ? "; ..." : ""))
      .hint("repair the database or bring back an earlier recovery point of it");
}

}  // namespace holdfast::item
