#include "repository/format/container.h"

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "repository/format/envelope.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view kStart = "HOLDFASTFILE", kEnd = "HFFILEEND";
constexpr std::size_t kHeadSize = 12 + 2 + 2, kTailSize = 32 + 8 + 9;
constexpr std::uint16_t kContainerVersion = 1;
constexpr std::uint64_t kTableLimit = UINT64_C(256) << 20;   // two million objects
constexpr std::size_t kSmallestRow = 1 + 8 + 1 + 1;

struct Place { std::uint64_t offset = 0, size = 0; };
using Table = std::map<std::string, Place, std::less<>>;

Bytes container_head() {
  Writer w;
  w.raw(as_bytes(kStart)).u16(kContainerVersion).u16(0);
  return w.take();
}

// Objects inside one file, found by a table: what a container being written and one being read have in common.
class ContainedObjects {
 public:
  explicit ContainedObjects(platform::Path path) : path_(std::move(path)) {}

  Bytes get(const platform::ReadFile& file, const std::string& name, std::uint64_t limit) const {
    Place place = find(name);
    if (place.size > limit) throw Error(Code::damaged, "object " + name + " in " + text() + " is larger than it may be");
    Bytes out(static_cast<std::size_t>(place.size));
    read(file, place.offset, out);
    return out;
  }
  void get_range(const platform::ReadFile& file, const std::string& name, std::uint64_t offset, MutableBytes out) const {
    Place place = find(name);
    if (offset > place.size || out.size() > place.size - offset) {
      throw Error(Code::damaged, "object " + name + " in " + text() + " is too short");
    }
    read(file, place.offset + offset, out);
  }
  std::optional<store::ObjectInfo> info(const std::string& name, Timestamp modified) const {
    auto it = table.find(name);
    if (it == table.end()) return std::nullopt;
    return store::ObjectInfo{name, it->second.size, modified};
  }
  std::vector<store::ObjectInfo> list(std::string_view prefix, Timestamp modified) const {
    std::vector<store::ObjectInfo> infos;
    for (auto it = table.lower_bound(prefix); it != table.end() && it->first.starts_with(prefix); ++it) {
      infos.push_back({it->first, it->second.size, modified});
    }
    return infos;
  }
  std::string text() const { return printable(path_.string()); }

  Table table;

 private:
  Place find(const std::string& name) const {
    auto it = table.find(name);
    if (it == table.end()) throw Error(Code::not_found, "there is no object " + printable(name) + " in " + text());
    return it->second;
  }
  void read(const platform::ReadFile& file, std::uint64_t offset, MutableBytes out) const {
    if (file.read_at(offset, out) != out.size()) throw Error(Code::damaged, "backup file " + text() + " is damaged: it ends too early");
  }

  platform::Path path_;
};

class Writing final : public ContainerWriter {
 public:
  Writing(platform::FileSystem& files, const platform::Path& path)
      : files_(files), path_(path), unfinished_(path.parent_path() / ("." + path.filename().string() + ".unfinished")),
        objects_(path) {
    if (files_.exists(path_)) {
      throw Error(Code::already_exists, "cannot write backup file " + objects_.text() + ": it is there already")
          .safe("the file is as it was")
          .hint("give another name");
    }
    file_ = files_.create(unfinished_, {.mode = 0600, .truncate = true, .bypass_cache = false});
    try {
      append(container_head());
    } catch (const Error&) {
      discard();
      throw;
    }
  }
  ~Writing() override {
    if (!finished_) discard();
  }

  void put(const std::string& name, std::span<const ByteView> parts) override {
    store::check_name(name);
    std::lock_guard lock(mutex_);
    if (objects_.table.contains(name)) return;
    Place place{end_, 0};
    for (ByteView part : parts) {
      append(part);
      place.size += part.size();
    }
    objects_.table[name] = place;
  }
  Bytes get(const std::string& name, std::uint64_t limit) override {
    std::lock_guard lock(mutex_);
    return objects_.get(*files_.open(unfinished_), name, limit);
  }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override {
    std::lock_guard lock(mutex_);
    objects_.get_range(*files_.open(unfinished_), name, offset, out);
  }
  std::optional<store::ObjectInfo> info(const std::string& name) override {
    std::lock_guard lock(mutex_);
    return objects_.info(name, {});
  }
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override {
    std::vector<store::ObjectInfo> infos;
    {
      std::lock_guard lock(mutex_);
      infos = objects_.list(prefix, {});
    }
    for (const auto& info : infos) visit(info);
  }
  void remove(const std::string& name) override {
    std::lock_guard lock(mutex_);
    objects_.table.erase(name);
  }
  std::string location() const override { return path_.string(); }
  std::optional<std::uint64_t> free_bytes() override { return files_.free_bytes(path_.parent_path()); }

  void finish() override {
    std::lock_guard lock(mutex_);
    Writer table;
    table.varint(objects_.table.size());
    for (const auto& [name, place] : objects_.table) table.text(name).varint(place.offset).varint(place.size);
    Writer tail;
    tail.raw(crypto::sha256(table.bytes()).view()).u64(end_).raw(as_bytes(kEnd));
    append(table.bytes());
    append(tail.bytes());
    file_->sync();
    file_.reset();
    if (files_.exists(path_)) throw Error(Code::already_exists, "cannot write backup file " + objects_.text() + ": it is there already");
    files_.rename(unfinished_, path_);
    finished_ = true;
    files_.sync_directory(folder());
  }

 private:
  void discard() {
    file_.reset();
    try {
      files_.remove(unfinished_);
    } catch (...) {
      // nothing more can be done: its name says what it is
    }
  }
  platform::Path folder() const { return path_.has_parent_path() ? path_.parent_path() : platform::Path("."); }
  // After a failed write nobody knows where the file ends: everything from then on fails too, and with the same error,
  // whichever thread is heard first.
  void append(ByteView bytes) {
    if (failure_) std::rethrow_exception(failure_);
    try {
      file_->write(bytes);
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
    end_ += bytes.size();
  }

  platform::FileSystem& files_;
  platform::Path path_, unfinished_;
  std::mutex mutex_;
  ContainedObjects objects_;
  std::unique_ptr<platform::WriteFile> file_;
  std::uint64_t end_ = 0;
  std::exception_ptr failure_;  // of the first write that failed
  bool finished_ = false;
};

[[noreturn]] void damaged(const platform::Path& path, std::string_view why) {
  throw Error(Code::damaged, "backup file " + printable(path.string()) + " is damaged: " + std::string(why))
      .safe("nothing was changed")
      .hint("use another copy of the file");
}

class Reading final : public store::ObjectStore {
 public:
  Reading(platform::FileSystem& files, const platform::Path& path) : path_(path), objects_(path) {
    file_ = files.open(path);
    if (auto info = files.info(path)) modified_ = info->modified;
    read_table();
  }

  void put(const std::string& name, std::span<const ByteView>) override { refuse(name); }
  void remove(const std::string& name) override { refuse(name); }
  Bytes get(const std::string& name, std::uint64_t limit) override { return objects_.get(*file_, name, limit); }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override {
    objects_.get_range(*file_, name, offset, out);
  }
  std::optional<store::ObjectInfo> info(const std::string& name) override { return objects_.info(name, modified_); }
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override {
    for (const auto& info : objects_.list(prefix, modified_)) visit(info);
  }
  std::string location() const override { return path_.string(); }

 private:
  [[noreturn]] void refuse(const std::string& name) const {
    throw Error(Code::unsupported, "cannot change object " + printable(name) + ": backup file " + objects_.text() + " is read only")
        .safe("the file is as it was");
  }
  Bytes read(std::uint64_t offset, std::uint64_t size) const {
    Bytes bytes(static_cast<std::size_t>(size));
    if (file_->read_at(offset, bytes) != bytes.size()) damaged(path_, "it ends too early");
    return bytes;
  }
  void read_table() {
    std::uint64_t size = file_->size();
    if (size < kHeadSize + kTailSize) damaged(path_, "it is too short to be a backup file");
    Bytes head = read(0, kHeadSize);
    Reader h(head, "backup file " + objects_.text());
    if (as_text(h.raw(kStart.size())) != kStart) damaged(path_, "it is not a backup file");
    if (std::uint16_t version = h.u16(); version != kContainerVersion) {
      throw Error(Code::unsupported, "cannot read backup file " + objects_.text() + ": it has format version " + std::to_string(version))
          .safe("nothing was changed")
          .hint("use a newer version of holdfast");
    }
    Bytes tail = read(size - kTailSize, kTailSize);
    Reader t(tail, "backup file " + objects_.text());
    auto hash = t.id<crypto::Sha256>();
    std::uint64_t table_at = t.u64();
    if (as_text(t.raw(kEnd.size())) != kEnd) damaged(path_, "its end is missing");
    if (table_at < kHeadSize || table_at > size - kTailSize || size - kTailSize - table_at > kTableLimit) {
      damaged(path_, "its table is not where it should be");
    }
    Bytes table = read(table_at, size - kTailSize - table_at);
    if (crypto::sha256(table) != hash) damaged(path_, "its table is not what was written");
    parse_table(table, table_at);
  }
  void parse_table(ByteView bytes, std::uint64_t table_at) {
    Reader r(bytes, "backup file " + objects_.text());
    std::uint64_t count = r.varint();
    r.expect_count(count, kSmallestRow);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string name = r.text();
      Place place;
      place.offset = r.varint();
      place.size = r.varint();
      if (!parse_object_name(name)) r.damaged("it holds an object with an impossible name");
      if (place.offset < kHeadSize || place.offset > table_at || place.size > table_at - place.offset) {
        r.damaged("an object lies outside of it");
      }
      if (!objects_.table.emplace(std::move(name), place).second) r.damaged("it holds an object twice");
    }
    r.expect_end();
  }

  platform::Path path_;
  ContainedObjects objects_;
  std::unique_ptr<platform::ReadFile> file_;
  Timestamp modified_;
};

}  // namespace

std::unique_ptr<ContainerWriter> create_container(platform::FileSystem& files, const platform::Path& path) {
  return std::make_unique<Writing>(files, path);
}

std::unique_ptr<store::ObjectStore> open_container(platform::FileSystem& files, const platform::Path& path) {
  return std::make_unique<Reading>(files, path);
}

}  // namespace holdfast::repository
