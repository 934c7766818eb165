#include "repository/data/similar.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"

namespace holdfast::repository {
namespace {

constexpr std::uint64_t kMagic = 0x31524c494d495348;  // "HSIMILR1"
constexpr std::uint32_t kFirstCapacity = 4096, kMostCapacity = 1U << 18;  // chunks; powers of two
constexpr std::size_t kHeader = 64;
constexpr std::size_t kFeatures = Sketch::kFeatures;
constexpr const char* kName = "similar";
std::size_t file_size(std::uint32_t capacity) {
  return kHeader + std::size_t{capacity} * (ChunkId::kSize + kFeatures * 8);
}

}  // namespace

struct SimilarChunks::Header {
  std::uint64_t magic;
  std::uint32_t capacity;  // chunks
  std::uint32_t added;     // ever; the newest `capacity` of them are here
};
// The file: header, ids, slots. A feature has one slot; the newest chunk that has it owns it.
struct SimilarChunks::Slot {
  std::uint32_t feature;
  std::uint32_t number;  // of the chunk, from 1; 0: free
};

// -- sketches

Sketch SimilarChunks::sketch(const Chunker& chunker, ByteView plain) {
  SketchBuilder builder;
  const std::array<std::uint64_t, 256>& gear = chunker.gear();
  std::uint64_t hash = 0;
  for (std::uint8_t byte : plain) {
    hash = (hash << 1) + gear[byte];
    if ((hash & SketchBuilder::kSampled) == 0) builder.take(hash);
  }
  return builder.sketch();
}

// -- the table

bool SimilarChunks::open() {
  if (std::exchange(opened_, true) || folder_.empty()) return file_.has_value();
  try {
    platform::real_file_system().make_directories(folder_);
    const platform::Path path = folder_ / kName;
    bool there = platform::real_file_system().exists(path);
    if (!there || !adopt(platform::MappedFile(path, platform::MappedFile::Access::write))) begin(kFirstCapacity);
  } catch (const Error&) {
    file_.reset();  // a machine without room or right for a cache stores every chunk whole
  }
  return file_.has_value();
}

SimilarChunks::Header& SimilarChunks::header() { return *reinterpret_cast<Header*>(file_->writable().data()); }

std::uint8_t* SimilarChunks::id_at(std::uint32_t number) {
  std::size_t place = (number - 1) & (header().capacity - 1);
  return file_->writable().data() + kHeader + place * ChunkId::kSize;
}

SimilarChunks::Slot& SimilarChunks::slot_of(std::uint32_t feature) {
  std::uint32_t capacity = header().capacity;
  const int bits = std::countr_zero(capacity * kFeatures);
  auto* slots = reinterpret_cast<Slot*>(file_->writable().data() + kHeader + std::size_t{capacity} * ChunkId::kSize);
  return slots[feature >> (32 - bits)];
}

bool SimilarChunks::adopt(platform::MappedFile file) {
  if (file.bytes().size() < kHeader) return false;
  file_.emplace(std::move(file));
  const Header& found = header();
  bool ours = found.magic == kMagic && std::has_single_bit(found.capacity) && found.capacity >= kFirstCapacity &&
              found.capacity <= kMostCapacity && file_->bytes().size() == file_size(found.capacity);
  if (!ours) file_.reset();
  return ours;
}

void SimilarChunks::begin(std::uint32_t capacity) {
  const platform::Path path = folder_ / kName;
  platform::Path fresh = path;
  fresh += ".new";
  std::error_code ignored;
  std::filesystem::remove(fresh, ignored);
  file_.emplace(platform::MappedFile::create(fresh, file_size(capacity)));
  header() = {kMagic, capacity, 0};
  std::filesystem::rename(fresh, path, ignored);
}

// Twice the room: half of it new. A process that still has the old file mapped adds to what nobody reads any more.
void SimilarChunks::grow() {
  platform::MappedFile old = std::move(*file_);
  file_.reset();
  const auto before = *reinterpret_cast<const Header*>(old.bytes().data());
  begin(before.capacity * 2);
  header().added = before.added;
  const std::uint8_t* ids = old.bytes().data() + kHeader;
  for (std::uint32_t n = before.added - before.capacity + 1; n <= before.added; ++n)
    std::memcpy(id_at(n), ids + ((n - 1) & (before.capacity - 1)) * ChunkId::kSize, ChunkId::kSize);
  auto* slots = reinterpret_cast<const Slot*>(ids + std::size_t{before.capacity} * ChunkId::kSize);
  for (std::size_t i = 0; i < std::size_t{before.capacity} * kFeatures; ++i)
    if (slots[i].number != 0) slot_of(slots[i].feature) = slots[i];
}

std::optional<ChunkId> SimilarChunks::find(const Sketch& wanted) {
  std::lock_guard lock(mutex_);
  if (!open()) return std::nullopt;
  std::array<std::uint32_t, kFeatures> numbers{};
  std::size_t count = 0;
  const std::uint32_t added = header().added, capacity = header().capacity;
  for (std::size_t i = 0; i < wanted.count; ++i) {
    const Slot slot = slot_of(wanted.features[i]);
    bool here = slot.number != 0 && slot.number <= added && added - slot.number < capacity;
    if (here && slot.feature == wanted.features[i]) numbers[count++] = slot.number;
  }
  std::uint32_t best = 0;
  std::ptrdiff_t votes = 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::ptrdiff_t here = std::count(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(count), numbers[i]);
    if (here > votes) {
      votes = here;
      best = numbers[i];
    }
  }
  if (best == 0) return std::nullopt;
  ChunkId id;
  std::memcpy(id.bytes.data(), id_at(best), ChunkId::kSize);
  return id;
}

void SimilarChunks::add(const Sketch& sketch, const ChunkId& id) {
  std::lock_guard lock(mutex_);
  if (sketch.count == 0 || !open()) return;
  try {
    if (header().added == header().capacity && header().capacity < kMostCapacity) grow();
    if (header().added == 0xffffffff) begin(kMostCapacity);
  } catch (const Error&) {
    file_.reset();
    return;
  }
  std::uint32_t number = ++header().added;
  std::memcpy(id_at(number), id.bytes.data(), ChunkId::kSize);
  for (std::size_t i = 0; i < sketch.count; ++i) slot_of(sketch.features[i]) = {sketch.features[i], number};
}

}  // namespace holdfast::repository
