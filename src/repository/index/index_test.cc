// The index of chunks against simple models: in memory, in files, and kept from one process to the next.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "repository/data/data_testing.h"
#include "repository/index/catalog.h"

namespace holdfast::repository {
namespace {

namespace fs = std::filesystem;
using testing::capture_item;
using testing::Random;
using testing::random_bytes;
using testing::TestRepository;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "holdfast-index-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error(Code::io, "cannot make a folder");
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::uint64_t anonymous_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8));
  throw Error(Code::defect, "no RssAnon");
}

ChunkId random_id(Random& random) { return ChunkId::from(random_bytes(random, 32)); }

// -- Index against maps

class IndexModel {
 public:
  IndexModel(Random& random, Index::Options options) : random_(random), index_(std::move(options)) {}

  PackDirectory random_directory() {
    PackDirectory directory;
    directory.id_epoch = static_cast<std::uint32_t>(random_() % 3 + 1);
    std::uint32_t offset = 172;
    for (std::size_t f = random_() % 6; f > 0; --f) {
      PackDirectory::Frame frame{offset,
                                 static_cast<std::uint32_t>(17 + random_() % 999),
                                 20'000,
                                 Codec::zstd,
                                 static_cast<std::uint32_t>(directory.chunks.size()),
                                 static_cast<std::uint32_t>(1 + random_() % 20),
                                 {}};
      if (!ids_.empty() && random_() % 5 == 0) {
        frame.codec = Codec::zstd_with_base;
        frame.base = ids_[random_() % ids_.size()];
        frame.chunk_count = 1;
      }
      offset += frame.stored;
      for (std::uint32_t c = 0; c < frame.chunk_count; ++c) {
        ids_.push_back(!ids_.empty() && random_() % 8 == 0 ? ids_[random_() % ids_.size()]
                                                           : random_id(random_));
        directory.chunks.push_back({ids_.back(), ChunkType::data, c * 100, 100});
      }
      directory.frames.push_back(frame);
    }
    return directory;
  }

  void add() {
    PackDirectory directory = random_directory();
    crypto::Sha256 hash = crypto::sha256(random_id(random_).view());
    std::uint64_t size = random_() % 100'000;
    PackNumber number = index_.add(hash, size, 172, directory);
    ASSERT_EQ(number, packs_.size());
    ASSERT_EQ(index_.add(hash, size, 172, {}), number);
    for (std::uint32_t f = 0; f < directory.frames.size(); ++f)
      for (const PackDirectory::Chunk& chunk : directory.chunks_of(directory.frames[f]))
        places_.emplace(chunk.id, ChunkLocation{number, f, chunk.offset, chunk.length});
    chunks_ += directory.chunks.size();
    packs_.push_back({hash, size, std::move(directory), true});
  }
  void change_usable() {
    if (packs_.empty()) return;
    auto pack = static_cast<PackNumber>(random_() % packs_.size());
    packs_[pack].usable = random_() % 3 != 0;
    index_.set_usable(pack, packs_[pack].usable);
  }

  void compare() {
    ASSERT_EQ(index_.pack_count(), packs_.size());
    ASSERT_EQ(index_.chunk_count(), chunks_);
    for (PackNumber number = 0; number < packs_.size(); ++number) compare_pack(number);
    for (const ChunkId& id : ids_) compare_chunk(id);
    compare_order();
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(index_.find(random_id(random_)).empty());
      ASSERT_FALSE(index_.number_of(crypto::sha256(random_id(random_).view())));
    }
  }
  Index& index() { return index_; }

 private:
  struct Pack {
    crypto::Sha256 hash;
    std::uint64_t size = 0;
    PackDirectory directory;
    bool usable = true;
  };

  void compare_pack(PackNumber number) {
    const Pack& expected = packs_[number];
    Index::Pack pack = index_.pack(number);
    ASSERT_TRUE(pack.hash == expected.hash && pack.size == expected.size && pack.header_length == 172 &&
                pack.id_epoch == expected.directory.id_epoch && pack.usable == expected.usable &&
                pack.frames == expected.directory.frames.size());
    ASSERT_EQ(index_.number_of(expected.hash), number);
    for (std::uint32_t f = 0; f < pack.frames; ++f) {
      const PackDirectory::Frame& wanted = expected.directory.frames[f];
      Index::Frame frame = index_.frame(number, f);
      ASSERT_TRUE(frame.offset == wanted.offset && frame.stored == wanted.stored &&
                  frame.size == wanted.size && frame.codec == wanted.codec && frame.base == wanted.base);
    }
  }

  void compare_order() {
    PackSet wanted;
    std::map<crypto::Sha256, std::uint64_t> expected, found;
    const std::uint64_t one_in = random_() % 3 + 1;
    for (PackNumber number = 0; number < packs_.size(); ++number) {
      if (random_() % one_in != 0) continue;
      wanted.add(number);
      expected[packs_[number].hash] = packs_[number].size;
    }
    index_.each_by_hash(wanted, [&](const Index::Pack& pack) {
      ASSERT_TRUE(found.empty() || found.rbegin()->first < pack.hash);
      found[pack.hash] = pack.size;
      ASSERT_EQ(index_.number_of(pack.hash).has_value(), true) << "the Index can be used meanwhile";
    });
    ASSERT_EQ(found, expected);
  }

  bool is_usable(const ChunkLocation& at) {
    const PackDirectory::Frame& frame = packs_[at.pack].directory.frames[at.frame];
    if (!packs_[at.pack].usable || frame.codec != Codec::zstd_with_base) return packs_[at.pack].usable;
    auto [begin, end] = places_.equal_range(frame.base);
    return std::any_of(begin, end, [&](const auto& place) { return packs_[place.second.pack].usable; });
  }

  void compare_chunk(const ChunkId& id) {
    auto key = [](const ChunkLocation& at) { return std::tuple(at.pack, at.frame, at.offset, at.length); };
    std::vector<std::tuple<PackNumber, std::uint32_t, std::uint32_t, std::uint32_t>> expected, found;
    auto [begin, end] = places_.equal_range(id);
    bool any_usable = false;
    for (auto place = begin; place != end; ++place) {
      expected.push_back(key(place->second));
      any_usable = any_usable || is_usable(place->second);
    }
    bool still_usable = true;
    for (const Index::Location& at : index_.find(id)) {
      found.push_back(key(at));
      ASSERT_TRUE(still_usable || !packs_[at.pack].usable) << "usable packs come first";
      still_usable = packs_[at.pack].usable;
    }
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, expected);
    std::optional<Index::Location> at = index_.find_usable(id);
    ASSERT_EQ(at.has_value(), any_usable);
    if (!at) return;
    ASSERT_TRUE(is_usable(*at) && std::binary_search(expected.begin(), expected.end(), key(*at)));
    std::vector<PackNumber> packs = index_.packs_for(*at);
    ASSERT_EQ(packs.front(), at->pack);
    ASSERT_EQ(packs.size(), at->on_base ? 2U : 1U);
    for (PackNumber pack : packs) ASSERT_TRUE(packs_[pack].usable);
  }

  Random& random_;
  Index index_;
  std::vector<Pack> packs_;
  std::vector<ChunkId> ids_;
  std::multimap<ChunkId, ChunkLocation> places_;
  std::uint64_t chunks_ = 0;
};

TEST(IndexModel, IsTheMapInAnyNumberOfRuns) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (std::uint64_t bound : {1U, 50U, 700U, 1'000'000U}) {
    Folder folder;
    IndexModel model(random, {random() % 2 ? folder.path() : fs::path(), bound, {}});
    for (int round = 0; round < 4; ++round) {
      for (std::size_t i = random() % 60 + 20; i > 0; --i) {
        model.add();
        if (random() % 4 == 0) model.change_usable();
      }
      model.compare();
      if (HasFatalFailure()) return;
    }
    if (bound == 1'000'000)
      EXPECT_EQ(model.index().run_count(), 0U);
    else
      EXPECT_GT(model.index().run_count(), 0U);
    EXPECT_LE(model.index().run_count(), 20U);
  }
}

TEST(IndexModel, StaysWholeWithoutRoomForFiles) {
  Random random(3);
  Folder folder;
  std::ofstream(folder.path() / "file") << "x";
  IndexModel model(random, {folder.path() / "file" / "cache", 100, {}});
  const fs::path before = fs::temp_directory_path();
  ::setenv("TMPDIR", (folder.path() / "file").c_str(), 1);
  EXPECT_NO_THROW({
    for (int i = 0; i < 60; ++i) model.add();
  });
  ::setenv("TMPDIR", before.c_str(), 1);
  EXPECT_EQ(model.index().run_count(), 0U);
  model.compare();
}

// Whoever has the keys can make ids that are not uniform: lookups are slower then, not wrong.
TEST(IndexRun, FindsIdsThatAreNotUniform) {
  for (int shape = 0; shape < 4; ++shape) {
    IndexTable table(7);
    std::map<ChunkId, int> model;
    PackDirectory directory;
    directory.frames.push_back({172, 1000, 20'000, Codec::zstd, 0, 3000, {}});
    for (std::uint32_t i = 0; i < 3000; ++i) {
      ChunkId id;
      if (shape == 0) id.bytes[15] = static_cast<std::uint8_t>(i / 200);  // many equal ones
      if (shape == 1) std::memcpy(id.bytes.data() + 8, &i, 4);            // equal in the first 8 bytes
      if (shape == 2)
        id.bytes = {static_cast<std::uint8_t>(i % 2 ? 255 : 0), static_cast<std::uint8_t>(i >> 8),
                    static_cast<std::uint8_t>(i)};
      if (shape == 3) id.bytes.fill(i < 1500 ? 0 : 255);
      directory.chunks.push_back({id, ChunkType::data, i, 1});
      ++model[id];
    }
    table.add(crypto::sha256(as_bytes("x")), 1 << 20, 172, directory);
    std::unique_ptr<IndexRun> run = table.write({});
    for (const auto& [id, count] : model) {
      std::uint64_t place = run->first_place(id);
      int found = 0;
      while (run->at(place++, id)) ++found;
      ASSERT_EQ(found, count);
      ChunkId other = id;
      other.bytes[14] ^= 0x55;
      EXPECT_FALSE(run->at(run->first_place(other), other));
    }
  }
}

TEST(Index, MemoryStaysFlat) {
  Random random(9);
  Folder folder;
  Index index({folder.path(), 50'000, {}});
  auto add = [&](int packs) {
    PackDirectory directory;
    for (std::uint32_t f = 0; f < 100; ++f) {
      directory.frames.push_back({172 + f * 1000, 1000, 20'000, Codec::zstd, f * 10, 10, {}});
      for (std::uint32_t c = 0; c < 10; ++c) directory.chunks.push_back({{}, ChunkType::data, c, 1});
    }
    for (int pack = 0; pack < packs; ++pack) {
      for (PackDirectory::Chunk& chunk : directory.chunks)
        for (std::size_t i = 0; i < 32; i += 8) {
          std::uint64_t word = random();
          std::memcpy(chunk.id.bytes.data() + i, &word, sizeof word);
        }
      index.add(crypto::sha256(directory.chunks[0].id.view()), 20 << 20, 172, directory);
    }
  };
  add(150);
  const std::uint64_t before = anonymous_kib();
  add(850);
  const std::uint64_t after = anonymous_kib();
  EXPECT_EQ(index.chunk_count(), 1'000'000U);
  EXPECT_LT(after, before + 4096) << "KiB; 850,000 chunks would take 45,000";
}

// Lookups by several threads while one adds, spills and merges.
TEST(Index, ThreadsSeeWhatWasAdded) {
  Random random(10);
  Folder folder;
  Index index({folder.path(), 500, {}});
  std::vector<ChunkId> ids;
  for (int i = 0; i < 20'000; ++i) ids.push_back(random_id(random));
  std::atomic<std::size_t> added{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      Random own(t);
      while (added < ids.size()) {
        std::size_t known = added;
        if (known == 0) continue;
        std::size_t i = own() % known;
        auto at = index.find_usable(ids[i]);
        if (!at || at->offset != i % 100 || index.packs_for(*at).size() != 1) ++wrong;
        std::this_thread::sleep_for(std::chrono::microseconds(20));  // locks may prefer those who look up
      }
    });
  for (std::size_t i = 0; i < ids.size(); i += 100) {
    PackDirectory directory;
    directory.frames.push_back({172, 1000, 20'000, Codec::zstd, 0, 100, {}});
    for (std::uint32_t c = 0; c < 100; ++c) directory.chunks.push_back({ids[i + c], ChunkType::data, c, 1});
    index.add(crypto::sha256(ids[i].view()), 5000, 172, directory);
    added = i + 100;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// -- kept from one process to the next

// So many sessions write so many segments that the index is kept.
constexpr int kSessions = 40;

struct KeptIndex : ::testing::Test {
  DataContext context() {
    DataContext with = repository.context();
    with.cache = folder.path() / "cache";
    return with;
  }
  void reopen() {
    repository.data.reset();
    repository.data = open_data(context());
  }
  // Each file in a session of its own.
  void fill(int sessions = kSessions) {
    for (int i = 0; i < sessions; ++i) {
      testing::Model& child = model.children["f" + std::to_string(model.children.size())];
      child = testing::file(random_bytes(random, 300 + random() % 9000));
      child.entry.name = "f" + std::to_string(model.children.size() - 1);
      auto session = repository.begin({nullptr, nullptr, 1});
      root = capture_item(*session, model, random, root.root ? repository.open(root) : nullptr);
      PointDraft draft;
      draft.items.push_back(root);
      session->publish(draft);
    }
  }
  // What a new process sees: everything can be read, and the same backup again needs the same objects.
  void expect_whole() {
    reopen();
    testing::expect_equal(model, *repository.open(root));
    ASSERT_EQ(needed_again(), expected_needed);
    reopen();
    ASSERT_EQ(needed_again(), expected_needed);
    testing::expect_equal(model, *repository.open(root));
  }
  std::vector<NeededObject> needed_again() {
    auto session = repository.begin({nullptr, nullptr, 1});
    PointDraft draft;
    draft.items.push_back(capture_item(*session, model, random, repository.open(root)));
    session->publish(draft);
    return repository.published.back().needed;
  }
  void remember() {
    repository.reopen();  // without a cache
    std::size_t packs = repository.names("pack").size();
    needed_again();  // the tree is stored once more where its captured times differ
    repository.reopen();
    expected_needed = needed_again();
    ASSERT_LE(repository.names("pack").size(), packs + 1);
  }
  fs::path cache() const { return folder.path() / "cache"; }
  fs::path list() const { return cache() / "index"; }
  std::vector<fs::path> cache_files() const {
    std::vector<fs::path> files;
    if (fs::is_directory(cache()))
      for (const auto& file : fs::directory_iterator(cache()))
        if (file.path().filename() == "index" || file.path().filename().string().starts_with(kRunPrefix))
          files.push_back(file.path());
    std::sort(files.begin(), files.end());
    return files;
  }
  // Segments that a new process reads before it can look something up.
  std::uint64_t segments_read() {
    repository.store.reset();
    const DataContext outside = context();
    Catalog catalog(outside);
    catalog.load();
    return repository.store.calls(store::StoreCall::get);
  }

  Random random{77};
  Folder folder;
  TestRepository repository;
  testing::Model model = testing::directory();
  StoredItem root;
  std::vector<NeededObject> expected_needed;
};

TEST_F(KeptIndex, IsMappedByTheNextProcess) {
  reopen();
  fill();
  EXPECT_FALSE(cache_files().empty());
  for (const fs::path& file : cache_files())
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write) << file;
  remember();
  EXPECT_LT(segments_read(), kSessions / 2U);
  expect_whole();

  // Whatever is only read, or backed up unchanged, leaves it as it is.
  std::map<fs::path, fs::file_time_type> before;
  for (const fs::path& file : cache_files()) before[file] = fs::last_write_time(file);
  expect_whole();
  for (const fs::path& file : cache_files()) EXPECT_EQ(fs::last_write_time(file), before[file]) << file;
  EXPECT_EQ(cache_files().size(), before.size());
}

TEST_F(KeptIndex, HasFewFiles) {
  reopen();
  for (int i = 0; i < 5; ++i) fill();
  remember();
  expect_whole();
  EXPECT_LE(cache_files().size(), 7U);
}

TEST_F(KeptIndex, FollowsOtherProcesses) {
  fill(3);
  std::shared_ptr<DataStore> first = open_data(context()), second = open_data(context());
  for (int i = 0; i < 2 * kSessions; ++i) {  // each writes as the other does, and keeps its own view
    repository.data = i % 2 ? first : second;
    fill(1 + i % 3);
  }
  first.reset();
  second.reset();
  remember();
  EXPECT_LT(segments_read(), kSessions * 3U);
  expect_whole();
}

TEST_F(KeptIndex, IsNothingWithoutItsSegments) {
  reopen();
  fill();
  remember();
  ASSERT_LT(segments_read(), kSessions / 2U);
  // A prune took packs away, and the segment that listed them.
  const DataContext outside = context();
  Catalog before(outside);
  before.load();
  std::vector<NeededObject> gone = testing::all_of(before.with_segments({0}));
  ASSERT_EQ(gone.size(), 2U);
  for (const NeededObject& object : gone) repository.memory.remove(object_name(object.type, object.hash));
  EXPECT_GE(segments_read(), kSessions - 1U);
  Catalog after(outside);
  after.load();
  for (const NeededObject& object : gone)
    EXPECT_FALSE(object.type == ObjectType::pack && after.index().number_of(object.hash));
  EXPECT_LT(segments_read(), kSessions / 2U) << "kept again";
}

TEST_F(KeptIndex, OfAnotherRepositoryIsNotBelieved) {
  TestRepository other;
  DataContext theirs = other.context();
  theirs.cache = cache();
  other.data = open_data(theirs);
  for (int i = 0; i < kSessions; ++i) {
    testing::Model tree = testing::directory();
    tree.children["f"] = testing::file(random_bytes(random, 3000));
    tree.children["f"].entry.name = "f";
    testing::back_up(other, tree, random);
  }
  ASSERT_FALSE(cache_files().empty());
  fill();
  remember();
  EXPECT_GE(segments_read(), kSessions + 0U);
  expect_whole();
  EXPECT_LT(segments_read(), kSessions / 2U) << "now it is ours";
}

TEST_F(KeptIndex, IsNotNeededWhereNothingCanBeWritten) {
  std::ofstream(cache()) << "a file where the folder should be";
  reopen();
  fill();
  remember();
  expect_whole();
  EXPECT_TRUE(cache_files().empty());
  EXPECT_GE(segments_read(), kSessions + 0U);
}

// Every page of every file is damaged in turn, as are all lengths that a file can be cut to, about.
TEST_F(KeptIndex, HealsWhateverIsDamaged) {
  reopen();
  fill();
  remember();
  expect_whole();
  std::map<fs::path, std::string> good;
  for (const fs::path& file : cache_files()) {
    std::ifstream in(file, std::ios::binary);
    good[file] = {std::istreambuf_iterator<char>(in), {}};
  }
  auto put_back = [&] {
    fs::remove_all(cache());
    fs::create_directories(cache());
    for (const auto& [file, bytes] : good) std::ofstream(file, std::ios::binary) << bytes;
  };
  int counted = 0, runs = 0;
  for (const auto& [file, bytes] : good) {
    const std::size_t step = file == list() ? bytes.size() / 12 : 2048;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      for (bool cut : {false, true}) {
        ++counted;
        put_back();
        if (cut) {
          fs::resize_file(file, at);
        } else {
          std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
          std::size_t place = std::min(at + random() % step, bytes.size() - 1);
          out.seekp(static_cast<std::streamoff>(place));
          out.put(static_cast<char>(bytes[place] ^ (1 << random() % 8)));
        }
        expect_whole();
        if (HasFatalFailure()) {
          ADD_FAILURE() << file << (cut ? " cut at " : " flipped about ") << at;
          return;
        }
        ++runs;
      }
    }
    ++counted;  // a file that is gone
    put_back();
    fs::remove(file);
    expect_whole();
    ++runs;
  }
  std::printf("damages counted %d, runs %d\n", counted, runs);
  EXPECT_EQ(counted, runs);
}

// What a read finds damaged is read from the segments by the next process: should the index be to blame.
TEST_F(KeptIndex, IsForgottenWhenAPackIsDamaged) {
  reopen();
  fill();
  ASSERT_LT(segments_read(), kSessions / 2U);
  {
    const DataContext outside = context();
    Catalog catalog(outside);
    catalog.load();
    catalog.mark_damaged(0);
  }
  EXPECT_GE(segments_read(), kSessions + 0U);
}

// -- SegmentMap against a map

TEST(SegmentMap, IsTheMap) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int round = 0; round < 20; ++round) {
    SegmentMap map;
    std::map<PackNumber, SegmentMap::Number> model;
    std::vector<crypto::Sha256> hashes;
    std::set<SegmentMap::Number> superseded;
    for (int step = 0; step < 30; ++step) {
      hashes.push_back(crypto::sha256(random_id(random).view()));
      SegmentMap::Number number = map.add({hashes.back(), 5});
      if (random() % 3 == 0) {
        auto old = static_cast<SegmentMap::Number>(random() % hashes.size());
        superseded.insert(old);
        map.supersede({hashes[old]});
      }
      auto first = static_cast<PackNumber>(random() % 60);
      for (PackNumber pack = first; pack < first + random() % 20; ++pack) {
        map.list(pack, number);
        auto known = model.find(pack);
        if (known == model.end() || superseded.contains(known->second)) model[pack] = number;
      }
    }
    SegmentMap again;
    again.restore(map.content());
    for (PackNumber pack = 0; pack < 100; ++pack) {
      auto segment = again.segment_of(pack);
      ASSERT_EQ(segment.has_value(), model.contains(pack));
      ASSERT_TRUE(!segment || segment->hash == hashes[model[pack]]);
    }
  }
}

}  // namespace
}  // namespace holdfast::repository
