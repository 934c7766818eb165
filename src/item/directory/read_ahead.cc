#include "item/directory/read_ahead.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;

// So far ahead that the other side never waits for a few slow calls, and no further: what was looked at is stored soon after.
constexpr std::size_t kBatch = 64, kBatches = 16;

struct Stopped {};

}  // namespace

ReadAhead::ReadAhead(const platform::Path& folder, const Exclude& exclude, const std::set<FileId>& leave_out, platform::Clock& clock)
    : exclude_(exclude), leave_out_(leave_out), clock_(clock) {
  Timestamp captured = clock_.now();
  std::shared_ptr<platform::SourceDirectory> top = platform::open_source_directory(folder);
  Entry entry = top->self();
  entry.captured = captured;
  std::vector<std::string> names = top->names();
  batch_.push_back({Met::What::folder, std::move(entry), nullptr, {}, {}});
  inside_.push_back({std::move(top), std::move(names), 0, 0});
  thread_ = std::jthread([this] {
    try {
      walk();
      hand_over();
    } catch (const Stopped&) {
    } catch (...) {
      error_ = std::current_exception();
    }
    std::lock_guard lock(mutex_);
    done_ = true;
    moved_.notify_all();
  });
}

ReadAhead::~ReadAhead() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  moved_.notify_all();
}

std::optional<Met> ReadAhead::next() {
  if (position_ == taken_.size()) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return done_ || !ready_.empty(); });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    taken_ = std::move(ready_.front());
    ready_.pop_front();
    position_ = 0;
    moved_.notify_all();
  }
  return std::move(taken_[position_++]);
}

void ReadAhead::tell(Met met) {
  batch_.push_back(std::move(met));
  if (batch_.size() >= kBatch) hand_over();
}

void ReadAhead::hand_over() {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return stopped_ || ready_.size() < kBatches; });
  if (stopped_) throw Stopped{};
  if (!batch_.empty()) ready_.push_back(std::exchange(batch_, {}));
  moved_.notify_all();
}

void ReadAhead::walk() {
  while (!inside_.empty()) {
    Frame& frame = inside_.back();
    path_.resize(frame.path_length);
    if (frame.next == frame.names.size()) {
      inside_.pop_back();
      tell({Met::What::end, {}, nullptr, {}, {}});
      continue;
    }
    const std::string& name = frame.names[frame.next++];
    path_ += path_.empty() ? name : "/" + name;
    visit(frame.directory, name);
  }
}

void ReadAhead::visit(const std::shared_ptr<platform::SourceDirectory>& parent, const std::string& name) {
  if (exclude_.matches(path_)) return void(++excluded_);
  Timestamp captured = clock_.now();   // before it is looked at: a later change is newer than this
  Met met{Met::What::failed, {}, nullptr, {}, {}};
  try {
    std::optional<Entry> entry = parent->status(name);
    if (entry) {
      entry->captured = captured;
      if (entry->kind == Kind::directory) return enter(*parent, std::move(*entry));
      met.what = Met::What::other;
      met.entry = std::move(*entry);
      met.parent = parent;
    } else {
      met.failed = Error(Code::not_found, "gone");
    }
  } catch (const Error& e) {
    met.failed = e;
  }
  if (met.failed) met.entry.name = name;
  if (met.what == Met::What::other && met.entry.kind != Kind::socket) {
    try {
      parent->read_attributes(name, met.entry);
    } catch (const Error& e) {
      met.attributes_failed = e;
    }
  }
  tell(std::move(met));
}

void ReadAhead::enter(platform::SourceDirectory& parent, Entry entry) {
  Met met{Met::What::folder, std::move(entry), nullptr, {}, {}};
  if (leave_out_.contains({met.entry.device, met.entry.inode})) {
    met.what = Met::What::left_out;
    return tell(std::move(met));
  }
  if (inside_.size() > tree::kMaxDepth) {
    met.what = Met::What::too_deep;
    return tell(std::move(met));
  }
  Frame frame{nullptr, {}, 0, path_.size()};
  try {
    frame.directory = parent.enter(met.entry.name);
    Entry self = frame.directory->self();   // of what was entered; the name may stand for another folder by now
    self.name = met.entry.name;
    self.captured = met.entry.captured;
    met.entry = std::move(self);
    frame.names = frame.directory->names();
  } catch (const Error& e) {
    met.failed = e;
    if (e.code() == Code::not_found) met.what = Met::What::failed;
    return tell(std::move(met));
  }
  tell(std::move(met));
  inside_.push_back(std::move(frame));
}

}  // namespace holdfast::item
