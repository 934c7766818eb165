#include "repository/index/index_cache.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view kMagic = "HFICACHE";
constexpr std::uint32_t kVersion = 1;
constexpr int kAttempts = 2;  // another process may replace list and runs between our two looks
// A run that no list names is being made by another process, or was left by one that was killed.
constexpr std::chrono::hours kLeftAlone{24};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> IndexCache::decode(ByteView list, SegmentMap::Content& content) const {
  Reader whole(list, "local index of chunks");
  if (list.size() < crypto::Sha256::kSize) whole.damaged("it is too short");
  ByteView body = list.first(list.size() - crypto::Sha256::kSize);
  if (crypto::sha256(body) != crypto::Sha256::from(list.subspan(body.size())))
    whole.damaged("its hash is wrong");
  Reader r(body, "local index of chunks");
  if (as_text(r.raw(kMagic.size())) != kMagic || r.u32() != kVersion || r.id<RepositoryId>() != id_)
    r.damaged("it is of another version or repository");
  std::vector<std::string> runs;
  std::uint64_t count = r.varint();
  for (r.expect_count(count, 1); count > 0; --count) {
    runs.push_back(r.text());
    if (!runs.back().starts_with(kRunPrefix) || runs.back().find('/') != std::string::npos)
      r.damaged("it names a file that is no part of it");
  }
  count = r.varint();
  for (r.expect_count(count, crypto::Sha256::kSize + 1); count > 0; --count) {
    crypto::Sha256 hash = r.id<crypto::Sha256>();
    content.segments.push_back({hash, r.varint()});
  }
  count = r.varint();
  for (r.expect_count(count, crypto::Sha256::kSize); count > 0; --count)
    content.superseded.insert(r.id<crypto::Sha256>());
  count = r.varint();
  std::uint64_t next = 0;
  for (r.expect_count(count, 3); count > 0; --count) {
    std::uint64_t first = r.varint(), end = first + r.varint(), segment = r.varint();
    if (first < next || end <= first || end > 0xffffffff || segment >= content.segments.size())
      r.damaged("its packs have impossible numbers");
    content.ranges[static_cast<PackNumber>(first)] = {static_cast<PackNumber>(end),
                                                      static_cast<SegmentMap::Number>(segment)};
    next = end;
  }
  r.expect_end();
  return runs;
}

std::optional<IndexCache::Content> IndexCache::load() const {
  if (folder_.empty()) return std::nullopt;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    try {
      if (!exists()) return std::nullopt;
      Content content;
      PackNumber next = 0;
      for (const std::string& name :
           decode(platform::real_file_system().read_all(list()), content.segments)) {
        content.runs.push_back(std::make_unique<IndexRun>(folder_, name));
        if (content.runs.back()->first_pack() != next) throw RunDamaged(content.runs.back().get());
        next += static_cast<PackNumber>(content.runs.back()->counts().packs);
      }
      if (!content.segments.ranges.empty() && content.segments.ranges.rbegin()->second.end > next)
        throw Error(Code::damaged, "cannot use the local index of chunks: packs are missing");
      return content;
    } catch (const Error&) {
    }
  }
  return std::nullopt;
}

bool IndexCache::save(const std::vector<std::string>& runs, const SegmentMap::Content& content) const {
  Writer w;
  w.raw(as_bytes(kMagic)).u32(kVersion).raw(id_.view()).varint(runs.size());
  for (const std::string& name : runs) w.text(name);
  w.varint(content.segments.size());
  for (const SegmentMap::Segment& segment : content.segments) w.raw(segment.hash.view()).varint(segment.size);
  w.varint(content.superseded.size());
  for (const crypto::Sha256& hash : content.superseded) w.raw(hash.view());
  w.varint(content.ranges.size());
  for (const auto& [first, range] : content.ranges)
    w.varint(first).varint(range.end - first).varint(range.segment);
  w.raw(crypto::sha256(w.bytes()).view());
  try {
    platform::FileSystem& files = platform::real_file_system();
    for (const std::string& name : runs)
      if (!files.exists(folder_ / name)) return false;
    std::vector<std::string> before;
    if (exists()) {
      try {
        SegmentMap::Content ignored;
        before = decode(files.read_all(list()), ignored);
      } catch (const Error&) {
      }
    }
    files.replace(list(), w.bytes());
    remove_unused(runs, before);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void IndexCache::remove_unused(const std::vector<std::string>& used,
                               const std::vector<std::string>& before) const {
  platform::FileSystem& files = platform::real_file_system();
  const std::int64_t now =
      files.info(list()).value().modified.seconds;  // of the file just written: no other clock
  for (const platform::FileSystem::Child& child : files.list(folder_)) {
    if (!child.name.starts_with(kRunPrefix) || contains(used, child.name)) continue;
    bool old = child.info.modified.seconds + std::chrono::seconds(kLeftAlone).count() < now;
    if (old || contains(before, child.name)) files.remove(folder_ / child.name);
  }
}

void IndexCache::forget() const {
  if (folder_.empty()) return;
  std::error_code ignored;  // not there, or not to be removed: then it was not ours to write either
  std::filesystem::remove(list(), ignored);
}

bool IndexCache::exists() const {
  std::error_code ignored;  // what cannot be looked at is not there
  return !folder_.empty() && std::filesystem::exists(list(), ignored);
}

}  // namespace holdfast::repository
