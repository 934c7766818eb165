#include "repository/index/index_run.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "platform/entropy.h"

namespace holdfast::repository {
namespace {

static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(ChunkRecord) == 32 && sizeof(PackRecord) == 64 && sizeof(FrameRecord) == 12 &&
              sizeof(BaseRecord) == 40);

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kChunksPerPage = kPage / sizeof(ChunkRecord);
constexpr int kGuesses = 8;  // by interpolation, before halving: ids of a hostile writer need not be uniform
constexpr std::array<char, 8> kMagic{'H', 'F', 'I', 'N', 'D', 'E', 'X', '1'};  // with the version

struct Header {
  std::array<char, 8> magic{};
  std::array<std::uint8_t, 16> id{};
  std::uint64_t first_pack = 0;
  RunCounts counts;
};

std::uint64_t pages(std::uint64_t bytes) { return (bytes + kPage - 1) / kPage; }

std::uint64_t leading_number(const std::uint8_t* id) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | id[i];
  return number;
}

// The first of `count` sorted items that is not below the wanted one. Items lie in blocks that are cheap to
// look at once one of them was. `number(i)`: what the item begins with, uniform in 64 bits; `below(i)`: is it
// below?
template <class Number, class Below>
std::uint64_t search(std::uint64_t count, std::uint64_t block, std::uint64_t wanted, Number number,
                     Below below) {
  std::uint64_t low = 0, high = (count + block - 1) / block;  // in one of these blocks, or first after them
  const double density = static_cast<double>(high) / 18446744073709551616.0;  // blocks per number
  double guess = static_cast<double>(wanted) * density;
  for (int step = 0; low < high; ++step) {
    double lowest = static_cast<double>(low), highest = static_cast<double>(high - 1);
    std::uint64_t at = step < kGuesses ? static_cast<std::uint64_t>(std::clamp(guess, lowest, highest))
                                       : low + (high - low) / 2;
    at = std::clamp(at, low, high - 1);
    std::uint64_t first = at * block, last = std::min(first + block, count) - 1;
    if (!below(first)) {
      guess = static_cast<double>(at) - 1 - static_cast<double>(number(first) - wanted) * density;
      high = at;
    } else if (below(last)) {
      guess = static_cast<double>(at) + 1 + static_cast<double>(wanted - number(last)) * density;
      low = at + 1;
    } else {
      while (first + 1 < last) {  // below(first), not below(last)
        std::uint64_t middle = first + (last - first) / 2;
        (below(middle) ? first : last) = middle;
      }
      return last;
    }
  }
  return std::min(high * block, count);
}

platform::MappedFile make_file(const platform::Path& folder, const std::string& name, std::uint64_t size) {
  if (name.empty()) {
    std::error_code error;
    platform::Path temporary = std::filesystem::temp_directory_path(error);
    if (error) throw os_error("cannot use the system's temporary folder", error.value());
    return platform::MappedFile::temporary(temporary, static_cast<std::size_t>(size));
  }
  platform::real_file_system().make_directories(folder, 0700);
  return platform::MappedFile::create(folder / name, static_cast<std::size_t>(size));
}

}  // namespace

// -- records

FrameRecord::FrameRecord(const PackDirectory::Frame& frame)
    : offset(frame.offset),
      stored(frame.stored),
      size_and_codec(frame.size | static_cast<std::uint32_t>(frame.codec) << 24) {}

IndexedFrame FrameRecord::unpacked() const {
  return {offset, stored, size_and_codec & 0xffffff, static_cast<Codec>(size_and_codec >> 24), {}};
}

RunDamaged::RunDamaged(const IndexRun* run)
    : Error(Code::damaged, "cannot use the local index of chunks" +
                               (run->name().empty() ? "" : " " + printable(run->name())) + ": it is damaged"),
      run_(run) {}

// -- the file

IndexRun::Layout::Layout(const RunCounts& counts) {
  std::uint64_t page = 1;
  auto section = [&](std::uint64_t& at, std::uint64_t records, std::uint64_t record) {
    at = page * kPage;
    page += pages(records * record);
  };
  section(packs, counts.packs, sizeof(PackRecord));
  section(order, counts.packs, sizeof(std::uint32_t));
  section(chunks, counts.chunks, sizeof(ChunkRecord));
  section(frames, counts.frames, sizeof(FrameRecord));
  section(bases, counts.bases, sizeof(BaseRecord));
  section(sums, page, sizeof(std::uint64_t));
  size = page * kPage;
}

IndexRun::IndexRun(platform::MappedFile file, platform::Path path, std::string name, PackNumber first_pack,
                   const RunCounts& counts)
    : file_(std::move(file)),
      path_(std::move(path)),
      name_(std::move(name)),
      first_pack_(first_pack),
      counts_(counts),
      layout_(counts),
      checked_(static_cast<std::size_t>(layout_.sums / kPage / 64 + 1)) {
  platform::real_entropy().fill(id_);
}

IndexRun::IndexRun(const platform::Path& folder, const std::string& name)
    : file_(folder / name, platform::MappedFile::Access::read),
      path_(folder / name),
      name_(name),
      layout_({}),
      kept_(true) {
  auto whole = [&](bool is) {
    if (!is) throw RunDamaged(this);
  };
  ByteView bytes = file_.bytes();
  whole(bytes.size() >= kPage);
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const RunCounts& c = header.counts;
  whole(header.magic == kMagic);
  for (std::uint64_t count : {c.packs, c.chunks, c.frames, c.bases}) whole(count <= bytes.size());
  whole(header.first_pack + c.packs <= 0xffffffff && Layout(c).size == bytes.size());
  id_ = header.id;
  first_pack_ = static_cast<PackNumber>(header.first_pack);
  counts_ = c;
  layout_ = Layout(c);
  checked_ = std::vector<std::atomic<std::uint64_t>>(static_cast<std::size_t>(layout_.sums / kPage / 64 + 1));
  check(0, layout_.chunks);
  file_.expect(platform::MappedFile::Use::random);
}

IndexRun::~IndexRun() {
  if (kept_ || path_.empty()) return;
  std::error_code ignored;  // what stays behind is removed by a later run
  std::filesystem::remove(path_, ignored);
}

std::uint64_t IndexRun::sum_of(std::uint64_t page) const {
  std::array<std::uint8_t, 32> key{}, sum;
  std::memcpy(key.data(), id_.data(), id_.size());
  std::memcpy(key.data() + id_.size(), &page, sizeof page);
  crypto::keyed_hash(key, file_.bytes().subspan(static_cast<std::size_t>(page * kPage), kPage), sum);
  std::uint64_t result;
  std::memcpy(&result, sum.data(), sizeof result);
  return result;
}

void IndexRun::check(std::uint64_t offset, std::uint64_t size) const {
  for (std::uint64_t page = offset / kPage; page * kPage < offset + size; ++page) {
    std::atomic<std::uint64_t>& word = checked_[static_cast<std::size_t>(page / 64)];
    const std::uint64_t bit = UINT64_C(1) << page % 64;
    if (word.load(std::memory_order_relaxed) & bit) continue;
    std::uint64_t sum;
    std::memcpy(&sum, file_.bytes().data() + layout_.sums + page * sizeof sum, sizeof sum);
    if (sum != sum_of(page)) throw RunDamaged(this);
    word.fetch_or(bit, std::memory_order_relaxed);
  }
}

template <class Record>
Record IndexRun::read(std::uint64_t section, std::uint64_t number) const {
  std::uint64_t offset = section + number * sizeof(Record);
  check(offset, sizeof(Record));
  Record record;
  std::memcpy(&record, file_.bytes().data() + offset, sizeof record);
  return record;
}

// -- lookups

PackRecord IndexRun::pack(PackNumber number) const {
  PackRecord record = read<PackRecord>(layout_.packs, number - first_pack_);
  if (record.first_frame > counts_.frames || record.frames > counts_.frames - record.first_frame)
    throw RunDamaged(this);
  return record;
}

IndexedFrame IndexRun::frame(PackNumber number, std::uint32_t frame_number) const {
  PackRecord owner = pack(number);
  if (frame_number >= owner.frames)
    throw Error(Code::defect, "cannot look up a frame: pack " + owner.hash.hex() + " has fewer");
  std::uint64_t at = owner.first_frame + frame_number;
  IndexedFrame frame = read<FrameRecord>(layout_.frames, at).unpacked();
  if (frame.codec != Codec::zstd_with_base) return frame;
  std::uint64_t low = 0, high = counts_.bases;
  while (low < high) {
    std::uint64_t middle = low + (high - low) / 2;
    if (read<BaseRecord>(layout_.bases, middle).frame < at)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == counts_.bases) throw RunDamaged(this);
  BaseRecord found = read<BaseRecord>(layout_.bases, low);
  if (found.frame != at) throw RunDamaged(this);
  frame.base = found.base;
  return frame;
}

PackNumber IndexRun::in_order(std::uint64_t place) const {
  std::uint32_t number = read<std::uint32_t>(layout_.order, place);
  if (number >= counts_.packs) throw RunDamaged(this);
  return first_pack_ + number;
}

std::uint64_t IndexRun::first_in_order(const crypto::Sha256& hash) const {
  auto hash_at = [&](std::uint64_t i) { return pack(in_order(i)).hash; };
  return search(
      counts_.packs, 1, leading_number(hash.bytes.data()),
      [&](std::uint64_t i) { return leading_number(hash_at(i).bytes.data()); },
      [&](std::uint64_t i) { return hash_at(i) < hash; });
}

std::optional<PackNumber> IndexRun::number_of(const crypto::Sha256& hash) const {
  std::uint64_t at = first_in_order(hash);
  if (at == counts_.packs) return std::nullopt;
  PackNumber number = in_order(at);
  return pack(number).hash == hash ? std::optional(number) : std::nullopt;
}

std::uint64_t IndexRun::place_behind(const crypto::Sha256& hash) const {
  std::uint64_t at = first_in_order(hash);
  return at < counts_.packs && pack(in_order(at)).hash == hash ? at + 1 : at;
}

std::uint64_t IndexRun::first_place(const ChunkId& id) const {
  return search(
      counts_.chunks, kChunksPerPage, leading_number(id.bytes.data()),
      [&](std::uint64_t i) { return leading_number(chunk(i).id.data()); },
      [&](std::uint64_t i) {
        ChunkRecord record = chunk(i);
        return std::memcmp(record.id.data(), id.bytes.data(), record.id.size()) < 0;
      });
}

std::optional<PackedLocation> IndexRun::at(std::uint64_t place, const ChunkId& id) const {
  if (place >= counts_.chunks) return std::nullopt;
  ChunkRecord record = chunk(place);
  if (std::memcmp(record.id.data(), id.bytes.data(), record.id.size()) != 0) return std::nullopt;
  if (!has(record.at.pack)) throw RunDamaged(this);
  return record.at;
}

// -- writing

RunBuilder::RunBuilder(const platform::Path& folder, PackNumber first_pack, const RunCounts& counts) {
  std::string name;
  if (!folder.empty()) {
    std::array<std::uint8_t, 16> random{};
    platform::real_entropy().fill(random);
    name = std::string(kRunPrefix) + to_hex(random);
  }
  IndexRun::Layout layout(counts);
  run_.reset(new IndexRun(make_file(folder, name, layout.size),
                          name.empty() ? platform::Path() : folder / name, name, first_pack, counts));
  packs_ = layout.packs;
  order_ = layout.order;
  chunks_ = layout.chunks;
  frames_ = layout.frames;
  bases_ = layout.bases;
}

template <class Record>
void RunBuilder::put(std::uint64_t& at, const Record& record) {
  MutableBytes out = run_->file_.writable();
  std::memcpy(out.subspan(static_cast<std::size_t>(at), sizeof record).data(), &record, sizeof record);
  at += sizeof record;
}
template void RunBuilder::put(std::uint64_t&, const PackRecord&);
template void RunBuilder::put(std::uint64_t&, const std::uint32_t&);
template void RunBuilder::put(std::uint64_t&, const ChunkRecord&);
template void RunBuilder::put(std::uint64_t&, const FrameRecord&);
template void RunBuilder::put(std::uint64_t&, const BaseRecord&);

std::unique_ptr<IndexRun> RunBuilder::finish() {
  const IndexRun::Layout& layout = run_->layout_;
  const RunCounts& c = run_->counts_;
  if (packs_ != layout.packs + c.packs * sizeof(PackRecord) ||
      order_ != layout.order + c.packs * sizeof(std::uint32_t) ||
      chunks_ != layout.chunks + c.chunks * sizeof(ChunkRecord) ||
      frames_ != layout.frames + c.frames * sizeof(FrameRecord) ||
      bases_ != layout.bases + c.bases * sizeof(BaseRecord))
    throw Error(Code::defect, "cannot write a part of the index: it has another size than was told");
  MutableBytes out = run_->file_.writable();
  Header header{kMagic, run_->id_, run_->first_pack_, c};
  std::memcpy(out.data(), &header, sizeof header);
  for (std::uint64_t page = 0; page < layout.sums / kPage; ++page) {
    std::uint64_t sum = run_->sum_of(page);
    std::memcpy(out.data() + layout.sums + page * sizeof sum, &sum, sizeof sum);
  }
  for (std::atomic<std::uint64_t>& word : run_->checked_) word = ~UINT64_C(0);
  run_->file_.expect(platform::MappedFile::Use::random);
  return std::move(run_);
}

// -- merging

namespace {

// Calls take(k) for the source with the smallest head, until all are used up. `less(a, b)`: is the head of
// source a before that of b?
template <class Less, class Take>
void merge_sources(std::vector<std::uint64_t>& at, const std::vector<std::uint64_t>& end, Less less,
                   Take take) {
  while (true) {
    std::size_t first = at.size();
    for (std::size_t k = 0; k < at.size(); ++k)
      if (at[k] < end[k] && (first == at.size() || less(k, first))) first = k;
    if (first == at.size()) return;
    take(first);
    ++at[first];
  }
}

}  // namespace

void IndexRun::copy_into(RunBuilder& builder, std::uint64_t first_frame) const {
  for (std::uint64_t i = 0; i < counts_.packs; ++i) {
    PackRecord record = read<PackRecord>(layout_.packs, i);
    record.first_frame += first_frame;
    builder.add(record);
  }
  for (std::uint64_t i = 0; i < counts_.frames; ++i) builder.add(read<FrameRecord>(layout_.frames, i));
  for (std::uint64_t i = 0; i < counts_.bases; ++i) {
    BaseRecord record = read<BaseRecord>(layout_.bases, i);
    record.frame += first_frame;
    builder.add(record);
  }
}

std::unique_ptr<IndexRun> IndexRun::merged(const std::vector<const IndexRun*>& runs,
                                           const platform::Path& folder) {
  RunCounts sum;
  std::vector<std::uint64_t> packs, chunks;
  for (const IndexRun* run : runs) {
    sum.packs += run->counts_.packs;
    sum.chunks += run->counts_.chunks;
    sum.frames += run->counts_.frames;
    sum.bases += run->counts_.bases;
    packs.push_back(run->counts_.packs);
    chunks.push_back(run->counts_.chunks);
  }
  RunBuilder builder(folder, runs.front()->first_pack_, sum);
  std::uint64_t first_frame = 0;
  for (const IndexRun* run : runs) {
    run->copy_into(builder, first_frame);
    first_frame += run->counts_.frames;
  }

  std::vector<std::uint64_t> at(runs.size(), 0);
  std::vector<ChunkRecord> heads(runs.size());
  auto load_chunk = [&](std::size_t k, std::uint64_t place) {
    if (place < chunks[k]) heads[k] = runs[k]->chunk(place);
  };
  for (std::size_t k = 0; k < runs.size(); ++k) {
    runs[k]->file_.expect(platform::MappedFile::Use::sequential);
    load_chunk(k, 0);
  }
  merge_sources(
      at, chunks, [&](std::size_t a, std::size_t b) { return heads[a].id < heads[b].id; },
      [&](std::size_t k) {
        builder.add(heads[k]);
        load_chunk(k, at[k] + 1);
      });

  std::fill(at.begin(), at.end(), 0);
  std::vector<crypto::Sha256> hashes(runs.size());
  auto load_pack = [&](std::size_t k, std::uint64_t i) {
    if (i < packs[k]) hashes[k] = runs[k]->pack(runs[k]->in_order(i)).hash;
  };
  for (std::size_t k = 0; k < runs.size(); ++k) load_pack(k, 0);
  merge_sources(
      at, packs, [&](std::size_t a, std::size_t b) { return hashes[a] < hashes[b]; },
      [&](std::size_t k) {
        builder.add_order(runs[k]->in_order(at[k]) - runs.front()->first_pack_);
        load_pack(k, at[k] + 1);
      });
  return builder.finish();
}

}  // namespace holdfast::repository
