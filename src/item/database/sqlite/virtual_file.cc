#include "item/database/sqlite/virtual_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <list>
#include <unordered_map>
#include <utility>

namespace holdfast::item {

struct VirtualFileSystem::State {
  sqlite3_vfs vfs{};
  std::string name;
  VirtualFile* file = nullptr;
  std::exception_ptr failure;
};

namespace {

using State = VirtualFileSystem::State;

struct OpenFile {
  sqlite3_file base;   // first: SQLite hands out pointers to it
  State* state;
};

// Runs `act`; exceptions must not pass through SQLite, which is C.
template <class Act>
int guarded(sqlite3_file* file, int failed, Act act) {
  State& state = *reinterpret_cast<OpenFile*>(file)->state;
  try {
    return act(*state.file);
  } catch (...) {
    if (!state.failure) state.failure = std::current_exception();
    return failed;
  }
}

int close_file(sqlite3_file*) { return SQLITE_OK; }

int read_file(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  return guarded(file, SQLITE_IOERR_READ, [&](VirtualFile& v) {
    MutableBytes target(static_cast<std::uint8_t*>(out), static_cast<std::size_t>(size));
    const std::size_t got = v.read(static_cast<std::uint64_t>(offset), target);
    if (got == target.size()) return SQLITE_OK;
    std::memset(target.data() + got, 0, target.size() - got);
    return SQLITE_IOERR_SHORT_READ;
  });
}

int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  return guarded(file, SQLITE_IOERR_WRITE, [&](VirtualFile& v) {
    v.write(static_cast<std::uint64_t>(offset), {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
    return SQLITE_OK;
  });
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return guarded(file, SQLITE_IOERR_TRUNCATE, [&](VirtualFile& v) {
    v.resize(static_cast<std::uint64_t>(size));
    return SQLITE_OK;
  });
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return guarded(file, SQLITE_IOERR_FSTAT, [&](VirtualFile& v) {
    *size = static_cast<sqlite3_int64>(v.size());
    return SQLITE_OK;
  });
}

int nothing(sqlite3_file*, int) { return SQLITE_OK; }
int nobody_else(sqlite3_file*, int* reserved) { *reserved = 0; return SQLITE_OK; }
int no_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }

int characteristics(sqlite3_file* file) {
  return reinterpret_cast<OpenFile*>(file)->state->file->read_only() ? SQLITE_IOCAP_IMMUTABLE : 0;
}

const sqlite3_io_methods kMethods = {
    1, close_file, read_file, write_file, truncate_file, nothing, size_of_file, nothing, nothing, nobody_else,
    no_control, sector_size, characteristics, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

int open_file(sqlite3_vfs* vfs, const char*, sqlite3_file* file, int flags, int* given) {
  auto* opened = reinterpret_cast<OpenFile*>(file);
  opened->base.pMethods = nullptr;   // SQLite calls close only when there are methods
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return SQLITE_CANTOPEN;
  opened->state = static_cast<State*>(vfs->pAppData);
  opened->base.pMethods = &kMethods;
  if (given) *given = flags;
  return SQLITE_OK;
}

int remove_nothing(sqlite3_vfs*, const char*, int) { return SQLITE_OK; }
int not_there(sqlite3_vfs*, const char*, int, int* found) { *found = 0; return SQLITE_OK; }

int same_name(sqlite3_vfs*, const char* name, int size, char* out) {
  const std::size_t length = std::strlen(name);
  if (length >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, length + 1);
  return SQLITE_OK;
}

}  // namespace

VirtualFileSystem::VirtualFileSystem(VirtualFile& file) : state_(std::make_unique<State>()) {
  static std::atomic<std::uint64_t> next{0};
  sqlite3_initialize();
  state_->name = "holdfast-" + std::to_string(next++);
  state_->file = &file;
  state_->vfs = *sqlite3_vfs_find(nullptr);   // clock, sleep and random numbers of the system
  state_->vfs.iVersion = 1;
  state_->vfs.pNext = nullptr;
  state_->vfs.szOsFile = sizeof(OpenFile);
  state_->vfs.mxPathname = 512;
  state_->vfs.zName = state_->name.c_str();
  state_->vfs.pAppData = state_.get();
  state_->vfs.xOpen = open_file;
  state_->vfs.xDelete = remove_nothing;
  state_->vfs.xAccess = not_there;
  state_->vfs.xFullPathname = same_name;
  if (sqlite3_vfs_register(&state_->vfs, 0) != SQLITE_OK)
    throw Error(Code::defect, "SQLite does not take a virtual file");
}

VirtualFileSystem::~VirtualFileSystem() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& VirtualFileSystem::name() const { return state_->name; }

void VirtualFileSystem::rethrow() {
  if (!state_->failure) return;
  std::exception_ptr failure = std::exchange(state_->failure, nullptr);
  std::rethrow_exception(failure);
}

// ---- ReadOnlyDatabase --------------------------------------------------------------------------------------------

namespace {
constexpr std::uint64_t kBlock = 64 * 1024;   // the chunk size of stored databases: a page costs one chunk, once
constexpr std::size_t kBlocks = 256;          // 16 MiB
}  // namespace

struct ReadOnlyDatabase::File final : VirtualFile {
  std::uint64_t length = 0;
  Read source;
  std::list<std::pair<std::uint64_t, Bytes>> recent;   // latest first
  std::unordered_map<std::uint64_t, decltype(recent)::iterator> by_number;

  std::uint64_t size() override { return length; }
  bool read_only() const override { return true; }
  void write(std::uint64_t, ByteView) override { throw Error(Code::defect, "a stored database is only read"); }
  void resize(std::uint64_t) override { throw Error(Code::defect, "a stored database is only read"); }

  std::size_t read(std::uint64_t offset, MutableBytes out) override {
    std::size_t done = 0;
    while (done < out.size() && offset + done < length) {
      const std::uint64_t at = offset + done;
      const Bytes& block = block_at(at / kBlock);
      const std::size_t inside = static_cast<std::size_t>(at % kBlock);
      if (inside >= block.size()) break;
      const std::size_t n = std::min(out.size() - done, block.size() - inside);
      std::memcpy(out.data() + done, block.data() + inside, n);
      done += n;
    }
    return done;
  }

  const Bytes& block_at(std::uint64_t number) {
    if (auto it = by_number.find(number); it != by_number.end()) {
      recent.splice(recent.begin(), recent, it->second);
      return it->second->second;
    }
    Bytes block(static_cast<std::size_t>(std::min(kBlock, length - number * kBlock)));
    block.resize(source(number * kBlock, block));
    if (recent.size() >= kBlocks) {
      by_number.erase(recent.back().first);
      recent.pop_back();
    }
    recent.emplace_front(number, std::move(block));
    by_number[number] = recent.begin();
    return recent.front().second;
  }
};

ReadOnlyDatabase::ReadOnlyDatabase(std::uint64_t size, Read read, const std::string& label)
    : file_(std::make_unique<File>()), label_(label) {
  file_->length = size;
  file_->source = std::move(read);
  vfs_ = std::make_unique<VirtualFileSystem>(*file_);
}

ReadOnlyDatabase::ReadOnlyDatabase(tree::NodePtr stored, const std::string& label)
    : ReadOnlyDatabase(
          stored->entry().size,
          [stored](std::uint64_t offset, MutableBytes out) {
            std::size_t done = 0;
            stored->read(offset, out.size(), [&](std::uint64_t, ByteView bytes) {
              const std::size_t n = std::min(bytes.size(), out.size() - done);
              std::memcpy(out.data() + done, bytes.data(), n);
              done += n;
            });
            return done;
          },
          label) {
  if (stored->entry().sparse)
    throw Error(Code::damaged, "cannot open database " + label + ": it is stored as a sparse file");
}

ReadOnlyDatabase::~ReadOnlyDatabase() = default;

void ReadOnlyDatabase::with(const std::function<void(Connection&)>& use) {
  try {
    if (!connection_)
      connection_ = std::make_unique<Connection>("database", Connection::Mode::read_only, label_, vfs_->name());
    use(*connection_);
  } catch (const Error&) {
    vfs_->rethrow();
    throw;
  }
}

}  // namespace holdfast::item
