#include "service/state/state_testing.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "crypto/hash.h"

namespace holdfast::service {
namespace {

Disk* disk = nullptr;

// SQLite gives the memory: ours, and the real file's behind it.
struct File {
  sqlite3_file base;
  bool counted;        // a database or journal
  char path[512];
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File& of(sqlite3_file* f) { return *reinterpret_cast<File*>(f); }
sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  return vfs;
}

Bytes content(sqlite3_file* real) {
  sqlite3_int64 size = 0;
  real->pMethods->xFileSize(real, &size);
  Bytes bytes(static_cast<std::size_t>(size));
  if (!bytes.empty()) real->pMethods->xRead(real, bytes.data(), static_cast<int>(bytes.size()), 0);
  return bytes;
}

int close(sqlite3_file* f) { return of(f).real()->pMethods->xClose(of(f).real()); }
int read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  disk->read();
  return of(f).real()->pMethods->xRead(of(f).real(), out, n, at);
}
int write(sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
  File& file = of(f);
  const int result = file.counted ? disk->change() : SQLITE_OK;
  if (result != SQLITE_OK && disk->take_half_write()) file.real()->pMethods->xWrite(file.real(), in, n / 2, at);
  return result == SQLITE_OK ? file.real()->pMethods->xWrite(file.real(), in, n, at) : result;
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  const int result = disk->change();
  return result == SQLITE_OK ? of(f).real()->pMethods->xTruncate(of(f).real(), size) : result;
}
int sync(sqlite3_file* f, int) {
  const int result = disk->change();
  if (result == SQLITE_OK) disk->synced(of(f).path, content(of(f).real()));
  return result;
}
int file_size(sqlite3_file* f, sqlite3_int64* size) { return of(f).real()->pMethods->xFileSize(of(f).real(), size); }
int lock(sqlite3_file* f, int level) { return of(f).real()->pMethods->xLock(of(f).real(), level); }
int unlock(sqlite3_file* f, int level) { return of(f).real()->pMethods->xUnlock(of(f).real(), level); }
int check_lock(sqlite3_file* f, int* out) { return of(f).real()->pMethods->xCheckReservedLock(of(f).real(), out); }
int control(sqlite3_file* f, int what, void* value) { return of(f).real()->pMethods->xFileControl(of(f).real(), what, value); }
int sector(sqlite3_file* f) { return of(f).real()->pMethods->xSectorSize(of(f).real()); }
int device(sqlite3_file* f) { return of(f).real()->pMethods->xDeviceCharacteristics(of(f).real()); }

const sqlite3_io_methods kMethods{1,    close,      read,    write,  truncate, sync,    file_size, lock,    unlock, check_lock,
                                  control, sector, device, nullptr, nullptr,  nullptr, nullptr,   nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  File& file = of(f);
  file.base.pMethods = nullptr;
  if ((flags & SQLITE_OPEN_CREATE) != 0 && name != nullptr && !std::filesystem::exists(name))
    if (const int result = disk->change(); result != SQLITE_OK) return result;
  const int result = real_vfs()->xOpen(real_vfs(), name, file.real(), flags, out_flags);
  if (result != SQLITE_OK) return result;
  file.counted = name != nullptr;
  std::snprintf(file.path, sizeof file.path, "%s", name == nullptr ? "" : name);
  if (file.counted) disk->touched(name);
  file.base.pMethods = &kMethods;
  return SQLITE_OK;
}
int remove(sqlite3_vfs*, const char* name, int sync_folder) {
  const int struck = disk->change();
  if (struck != SQLITE_OK && !disk->late()) return struck;
  const int result = real_vfs()->xDelete(real_vfs(), name, 0);
  disk->removed(name, sync_folder != 0);
  return struck != SQLITE_OK ? struck : result;
}
int access(sqlite3_vfs*, const char* name, int flags, int* out) { return real_vfs()->xAccess(real_vfs(), name, flags, out); }
int full_path(sqlite3_vfs*, const char* name, int n, char* out) { return real_vfs()->xFullPathname(real_vfs(), name, n, out); }
int randomness(sqlite3_vfs*, int n, char* out) { return real_vfs()->xRandomness(real_vfs(), n, out); }
int sleep(sqlite3_vfs*, int microseconds) { return real_vfs()->xSleep(real_vfs(), microseconds); }
int last_error(sqlite3_vfs*, int, char*) { return 0; }
int current_time(sqlite3_vfs*, double* out) { return real_vfs()->xCurrentTime(real_vfs(), out); }

sqlite3_vfs our_vfs{};

std::optional<Bytes> file_content(const std::string& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

void put(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Bytes torn(const Bytes& before, const Bytes& now, std::mt19937_64& random) {
  constexpr std::size_t kSector = 512;
  Bytes mixed(random() % 2 == 0 ? before.size() : now.size());
  for (std::size_t at = 0; at < mixed.size(); at += kSector) {
    const Bytes& source = random() % 2 == 0 ? before : now;
    for (std::size_t i = at; i < std::min(at + kSector, mixed.size()) && i < source.size(); ++i) mixed[i] = source[i];
  }
  return mixed;
}

class Raw {
 public:
  explicit Raw(const platform::Path& folder) { EXPECT_EQ(sqlite3_open((folder / "service.sqlite").c_str(), &handle_), SQLITE_OK); }
  ~Raw() { sqlite3_close(handle_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  std::vector<std::string> rows(const std::string& sql) {
    std::vector<std::string> found;
    char* message = nullptr;
    const int result = sqlite3_exec(
        handle_, sql.c_str(),
        [](void* out, int n, char** values, char**) {
          std::string row;
          for (int i = 0; i < n; ++i) row += std::string(i == 0 ? "" : " | ") + (values[i] == nullptr ? "NULL" : values[i]);
          static_cast<std::vector<std::string>*>(out)->push_back(row);
          return 0;
        },
        &found, &message);
    EXPECT_EQ(result, SQLITE_OK) << sql << ": " << (message == nullptr ? "" : message);
    sqlite3_free(message);
    return found;
  }

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace

Disk::Disk() {
  disk = this;
  our_vfs = *real_vfs();
  our_vfs.iVersion = 1;
  our_vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs()->szOsFile;
  our_vfs.pNext = nullptr;
  our_vfs.zName = "holdfast-test-disk";
  our_vfs.xOpen = open;
  our_vfs.xDelete = remove;
  our_vfs.xAccess = access;
  our_vfs.xFullPathname = full_path;
  our_vfs.xRandomness = randomness;
  our_vfs.xSleep = sleep;
  our_vfs.xGetLastError = last_error;
  our_vfs.xCurrentTime = current_time;
  EXPECT_EQ(sqlite3_vfs_register(&our_vfs, 0), SQLITE_OK);
}

Disk::~Disk() { sqlite3_vfs_unregister(&our_vfs); }

void Disk::strike(std::uint64_t nth, Fault fault) {
  in_ = nth;
  fault_ = fault;
  struck_ = false;
}

void Disk::reset() {
  changes_ = in_ = reads_ = 0;
  fault_.reset();
  struck_ = half_ = false;
  durable_.clear();
  touched_.clear();
}

int Disk::change() {
  ++changes_;
  if (!fault_) return SQLITE_OK;
  const bool lasting = *fault_ != Fault::full_once && *fault_ != Fault::io_once && *fault_ != Fault::io_late_once;
  if (struck_) {
    if (!lasting) return SQLITE_OK;
  } else {
    if (--in_ > 0) return SQLITE_OK;
    struck_ = true;
    half_ = *fault_ == Fault::killed;
  }
  return *fault_ == Fault::full_once || *fault_ == Fault::full_from_then_on ? SQLITE_FULL : SQLITE_IOERR;
}

bool Disk::take_half_write() { return std::exchange(half_, false); }
void Disk::synced(const std::string& path, Bytes bytes) { durable_[path] = std::move(bytes); }

void Disk::touched(const std::string& path) {
  // What was there before this disk was watched is durable; what is made now is not until it is synced.
  if (touched_.insert(path).second)
    if (auto bytes = file_content(path); bytes && !bytes->empty()) durable_[path] = *bytes;
}

void Disk::removed(const std::string& path, bool durably) {
  if (durably) durable_.erase(path);
}

void Disk::lose_power(std::optional<std::uint64_t> seed) {
  std::mt19937_64 random(seed.value_or(0));
  for (const std::string& path : touched_) {
    const auto now = file_content(path);
    const auto found = durable_.find(path);
    if (found == durable_.end()) {
      if (!now) continue;
      if (!seed || random() % 2 == 0) std::filesystem::remove(path);
      else put(path, torn({}, *now, random));
    } else if (!now) {
      if (!seed || random() % 2 == 0) put(path, found->second);
    } else {
      put(path, seed ? torn(found->second, *now, random) : found->second);
    }
  }
}

Passwords::Kdf CountingKdf::function() {
  return [this](ByteView typed, ByteView salt, crypto::Argon2Cost) {
    ++calls;
    most = std::max(most.load(), ++running);
    Bytes text(salt.begin(), salt.end());
    text.insert(text.end(), typed.begin(), typed.end());
    --running;
    return crypto::Secret::copy_of(crypto::sha256(text).view());
  };
}

Parts::Parts(const platform::Path& folder, platform::Clock& clock, platform::Entropy& entropy, CountingKdf& kdf, StateFile::Use use, const std::string& vfs,
             platform::FileSystem& files)
    : state(files, entropy, folder, use, vfs),
      audit(state, clock),
      passwords(entropy, {64, 1}, kdf.function()),
      users(state, audit, passwords, clock),
      tokens(state, audit, clock, entropy),
      sessions(state, audit, clock, entropy),
      sign_in(state, audit, passwords, sessions, clock),
      jobs(state, audit, clock) {}

std::vector<Job> interrupt_unfinished(Parts& parts) {
  Transaction change = parts.state.change();
  std::vector<Job> found = parts.jobs.interrupt_unfinished(change);
  change.commit();
  return found;
}

std::string dump(const platform::Path& folder) {
  Raw raw(folder);
  std::string all;
  for (const std::string& table : raw.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")) {
    std::string columns;
    for (const std::string& column : raw.rows("SELECT name FROM pragma_table_info('" + table + "')")) columns += (columns.empty() ? "" : ", ") + ("quote(" + column + ")");
    for (const std::string& row : raw.rows("SELECT " + columns + " FROM " + table + " ORDER BY 1, 2")) all += table + ": " + row + "\n";
  }
  return all;
}

void tamper(const platform::Path& folder, const std::string& sql) {
  Raw raw(folder);
  raw.rows("DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_cut; " + sql);
}

void copy_folder(const platform::Path& from, const platform::Path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to);
}

}  // namespace holdfast::service
