#include "service/state/state_file.h"

#include <chrono>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "service/state/schema.h"

namespace holdfast::service {
namespace {

using platform::Path;

constexpr std::size_t kKeySize = 32;
constexpr std::chrono::seconds kOpeningPatience{10};   // making or migrating a file takes a fraction of a second

Path state_file(const Path& folder) { return folder / "service.sqlite"; }
Path key_file(const Path& folder) { return folder / "service.key"; }

void require_private(platform::FileSystem& files, const Path& file) {
  const auto info = files.info(file);
  if (info && (info->mode & 077) != 0)
    throw Error(Code::permission, "cannot trust " + printable(file.native()) + ": others than its owner may use it")
        .safe("nothing was changed")
        .hint("find out who has used it, then: chmod 600 " + printable(file.native()));
}

Error no_key(const Path& folder, const std::string& why) {
  return Error(Code::damaged, "cannot use the service's state file " + printable(state_file(folder).native()) + ": its key " +
                                  printable(key_file(folder).native()) + " " + why)
      .safe("nothing was changed; no backup is touched: recovery points do not need these files")
      .hint("bring the key back; or move the state file away: 'holdfast user add NAME --role administrator' then begins a new one, without users, history "
            "and audit log");
}

// Which key a state file was made with, told without telling the key.
crypto::Secret key_id(const crypto::Secret& key) { return crypto::derive(key.view(), "holdfast v1 service key id", 16); }

}  // namespace

Transaction::Transaction(Database& database, std::mutex& mutex, const char* begin) : lock_(mutex), database_(database) {
  database_.execute(begin);
}

Transaction::~Transaction() {
  if (!database_.in_transaction()) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const std::exception&) {
    // The journal is there still: whoever opens the file next rolls it back.
  }
}

void Transaction::commit() { database_.execute("COMMIT"); }

bool StateFile::exists(platform::FileSystem& files, const Path& folder) { return files.exists(state_file(folder)); }

StateFile::StateFile(platform::FileSystem& files, platform::Entropy& entropy, Path folder, Use use, const std::string& vfs)
    : files_(files), entropy_(entropy), folder_(std::move(folder)), file_(state_file(folder_)) {
  files_.make_directories(folder_);
  if (use == Use::service) {
    try {
      owner_ = files_.lock(folder_ / "service.lock", std::chrono::milliseconds(0));
    } catch (const Error& e) {
      if (e.code() != Code::busy) throw;
      throw Error(Code::busy, "cannot use " + printable(file_.native()) + ": another 'holdfast serve' does").safe("nothing was changed").hint("stop that one first");
    }
  }
  const auto opening = files_.lock(folder_ / "service.opening", kOpeningPatience);
  load_key();
  if (!files_.exists(file_)) make(vfs);
  require_private(files_, file_);
  database_ = std::make_unique<Database>(file_, vfs);
  bring_up_to_date();
  if (use == Use::service) check_whole();
}

void StateFile::load_key() {
  const Path file = key_file(folder_);
  if (!files_.exists(file)) {
    if (files_.exists(file_)) throw no_key(folder_, "is missing");
    key_ = crypto::Secret(kKeySize);
    entropy_.fill(key_.bytes());
    files_.replace(file, key_.view(), 0600);
    return;
  }
  require_private(files_, file);
  Bytes bytes = files_.read_all(file, 4096);
  key_ = crypto::Secret::copy_of(bytes);
  crypto::wipe(bytes);
  if (key_.size() != kKeySize) throw no_key(folder_, "is damaged");
}

// Under another name until it is whole: a run that dies leaves no half of a state file.
void StateFile::make(const std::string& vfs) {
  const Path unfinished = folder_ / "service.sqlite.new";
  for (const Path& leftover : {unfinished, folder_ / "service.sqlite.new-journal"})
    if (files_.exists(leftover)) files_.remove(leftover);
  files_.create(unfinished, {});
  {
    Database fresh(unfinished, vfs);
    fresh.execute("BEGIN IMMEDIATE");
    fresh.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
    for (std::string_view step : schema_steps()) fresh.execute(std::string(step));
    fresh.execute("PRAGMA user_version=" + std::to_string(schema_steps().size()));
    fresh.run("INSERT INTO meta VALUES ('key', ?)", key_id(key_).view());
    fresh.execute("COMMIT");
  }
  files_.rename(unfinished, file_);
  files_.sync_directory(folder_);
}

int StateFile::version() const { return static_cast<int>(database_->number("PRAGMA user_version")); }

void StateFile::bring_up_to_date() {
  if (database_->number("PRAGMA application_id") != kApplicationId)
    throw Error(Code::damaged, "cannot use " + printable(file_.native()) + ": it is not a state file of Holdfast's service").safe("it was left as it is").hint(
        "move it away, or name another folder with HOLDFAST_STATE");
  const auto newest = static_cast<int>(schema_steps().size());
  if (version() > newest)
    throw Error(Code::unsupported, "cannot use the service's state file " + printable(file_.native()) + ": it is of version " + std::to_string(version()) +
                                       ", this program knows " + std::to_string(newest))
        .safe("it was left as it is")
        .hint("use the Holdfast that wrote it, or a newer one");
  if (version() < newest) {
    // A service that runs was made for the version that is there.
    std::unique_ptr<platform::FileLock> alone;
    if (owner_ == nullptr) alone = files_.lock(folder_ / "service.lock", std::chrono::milliseconds(0));
    Transaction transaction = change();
    for (auto step = static_cast<std::size_t>(version()); step < schema_steps().size(); ++step) database_->execute(std::string(schema_steps()[step]));
    database_->execute("PRAGMA user_version=" + std::to_string(newest));
    transaction.commit();
  }
  Statement made_with = database_->ask("SELECT value FROM meta WHERE name = 'key'");
  if (!made_with.step() || !crypto::equal(made_with.blob(0), key_id(key_).view())) throw no_key(folder_, "is another one");
}

void StateFile::check_whole() {
  Statement check = database_->ask("PRAGMA quick_check(1)");
  if (check.step() && check.text(0) == "ok") return;
  throw Error(Code::damaged, "cannot use the service's state file " + printable(file_.native()) + ": " + printable(check.text(0)))
      .safe("it was left as it is; no backup is touched: recovery points do not need this file")
      .hint("put an older copy of it in its place, or move it away: 'holdfast user add NAME --role administrator' then begins a new one, without users, "
            "history and audit log");
}

Transaction StateFile::read() { return Transaction(*database_, mutex_, "BEGIN"); }
Transaction StateFile::change() { return Transaction(*database_, mutex_, "BEGIN IMMEDIATE"); }

crypto::Secret StateFile::key(std::string_view use) const { return crypto::derive(key_.view(), "holdfast v1 service " + std::string(use)); }

}  // namespace holdfast::service
