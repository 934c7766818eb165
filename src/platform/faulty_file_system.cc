#include "platform/faulty_file_system.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::platform {
namespace {

bool is_change(FileCall kind) { return kind >= FileCall::create && kind <= FileCall::sync_directory; }

class FaultyReadFile final : public ReadFile {
 public:
  FaultyReadFile(FaultyFileSystem& files, std::unique_ptr<ReadFile> inner, Path path)
      : files_(files), inner_(std::move(inner)), path_(std::move(path)) {}
  std::uint64_t size() const override { return inner_->size(); }
  std::size_t read_at(std::uint64_t offset, MutableBytes out) const override {
    files_.count(FileCall::read, path_);
    return inner_->read_at(offset, out);
  }

 private:
  FaultyFileSystem& files_;
  std::unique_ptr<ReadFile> inner_;
  Path path_;
};

class FaultyWriteFile final : public WriteFile {
 public:
  FaultyWriteFile(FaultyFileSystem& files, std::unique_ptr<WriteFile> inner, Path path)
      : files_(files), inner_(std::move(inner)), path_(std::move(path)) {}
  void write(ByteView data) override {
    try {
      files_.count(FileCall::write, path_);
    } catch (const Killed&) {
      if (files_.take_half_write()) inner_->write(data.first(data.size() / 2));
      throw;
    }
    std::size_t fits = files_.take_budget(data.size());
    inner_->write(data.first(fits));
    if (fits < data.size()) throw os_error("cannot write " + printable(path_.native()), ENOSPC);
  }
  void flush() override {
    files_.count(FileCall::write, path_);
    inner_->flush();
  }
  void sync() override {
    files_.count(FileCall::sync, path_);
    inner_->sync();
  }

 private:
  FaultyFileSystem& files_;
  std::unique_ptr<WriteFile> inner_;
  Path path_;
};

}  // namespace

void FaultyFileSystem::fail(std::uint64_t nth, Repeat repeat, int error_number,
                            std::optional<FileCall> kind) {
  std::lock_guard lock(mutex_);
  fault_ = Fault{nth, repeat, error_number, kind, false};
  half_write_ = false;
}

void FaultyFileSystem::kill(std::uint64_t nth) { fail(nth, Repeat::from_then_on, 0); }

void FaultyFileSystem::kill_at_change(std::uint64_t nth) {
  std::lock_guard lock(mutex_);
  fault_ = Fault{nth, Repeat::from_then_on, 0, std::nullopt, true};
  half_write_ = false;
}

void FaultyFileSystem::set_budget(std::optional<std::uint64_t> bytes) {
  std::lock_guard lock(mutex_);
  budget_ = bytes;
}

void FaultyFileSystem::reset() {
  std::lock_guard lock(mutex_);
  counts_ = {};
  fault_.reset();
  budget_.reset();
}

std::uint64_t FaultyFileSystem::calls() const {
  std::lock_guard lock(mutex_);
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t FaultyFileSystem::calls(FileCall kind) const {
  std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(kind)];
}

std::uint64_t FaultyFileSystem::changes() const {
  std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (std::size_t kind = 0; kind < kFileCalls; ++kind)
    if (is_change(static_cast<FileCall>(kind))) sum += counts_[kind];
  return sum;
}

bool FaultyFileSystem::take_half_write() {
  std::lock_guard lock(mutex_);
  return std::exchange(half_write_, false);
}

void FaultyFileSystem::count(FileCall kind, const Path& path) {
  std::lock_guard lock(mutex_);
  ++counts_[static_cast<std::size_t>(kind)];
  if (!fault_ || (fault_->kind && *fault_->kind != kind)) return;
  if (fault_->changes_only && !fault_->struck && !is_change(kind)) return;
  if (fault_->in > 1) {
    --fault_->in;
    return;
  }
  half_write_ = fault_->changes_only && !fault_->struck && kind == FileCall::write;
  fault_->struck = true;
  int error_number = fault_->error_number;
  if (fault_->repeat == Repeat::once) fault_.reset();
  if (error_number == 0) throw Killed{};
  throw os_error("cannot use " + printable(path.native()) + " (made to fail)", error_number);
}

std::size_t FaultyFileSystem::take_budget(std::size_t wanted) {
  std::lock_guard lock(mutex_);
  if (!budget_) return wanted;
  std::size_t fits = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, *budget_));
  *budget_ -= fits;
  return fits;
}

std::unique_ptr<ReadFile> FaultyFileSystem::open(const Path& path, OpenOptions options) {
  count(FileCall::open, path);
  return std::make_unique<FaultyReadFile>(*this, inner_.open(path, options), path);
}

std::unique_ptr<WriteFile> FaultyFileSystem::create(const Path& path, CreateOptions options) {
  count(FileCall::create, path);
  return std::make_unique<FaultyWriteFile>(*this, inner_.create(path, options), path);
}

std::unique_ptr<WriteFile> FaultyFileSystem::append(const Path& path) {
  count(FileCall::append, path);
  return std::make_unique<FaultyWriteFile>(*this, inner_.append(path), path);
}

void FaultyFileSystem::rename(const Path& from, const Path& to) {
  count(FileCall::rename, from);
  inner_.rename(from, to);
}

void FaultyFileSystem::remove(const Path& path) {
  count(FileCall::remove, path);
  auto found = inner_.info(path);
  inner_.remove(path);
  std::lock_guard lock(mutex_);
  if (budget_ && found) *budget_ += found->size;
}

void FaultyFileSystem::make_directory(const Path& path, std::uint32_t mode) {
  count(FileCall::make_directory, path);
  inner_.make_directory(path, mode);
}

void FaultyFileSystem::sync_directory(const Path& path) {
  count(FileCall::sync_directory, path);
  inner_.sync_directory(path);
}

std::optional<FileInfo> FaultyFileSystem::info(const Path& path) {
  count(FileCall::info, path);
  return inner_.info(path);
}

std::vector<FileSystem::Child> FaultyFileSystem::list(const Path& path) {
  count(FileCall::list, path);
  return inner_.list(path);
}

std::uint64_t FaultyFileSystem::free_bytes(const Path& path) {
  count(FileCall::free_bytes, path);
  std::uint64_t bytes = inner_.free_bytes(path);
  std::lock_guard lock(mutex_);
  return budget_ ? std::min(bytes, *budget_) : bytes;
}

bool FaultyFileSystem::can_write(const Path& folder) {
  count(FileCall::info, folder);
  return inner_.can_write(folder);
}

Bytes FaultyFileSystem::read_stream(const Path& path, std::uint64_t limit) {
  count(FileCall::open, path);
  return inner_.read_stream(path, limit);
}

}  // namespace holdfast::platform
