#include "recovery/prove_restore.h"

#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "item/directory/directory.h"

namespace holdfast::recovery {
namespace {

using platform::Path;

constexpr const char* kRunning = ".holdfast-running";   // locked for as long as its run goes on

class Scratch {
 public:
  Scratch(platform::World& world, const Path& place, const repository::PointId& point) : path_(place) {
    std::array<std::uint8_t, 4> chance{};
    world.entropy.fill(chance);
    path_ /= kScratchPrefix + repository::short_id(point) + "-" + to_hex(chance);
    world.files.make_directory(path_, 0700);
    running_ = world.files.lock(path_ / kRunning, {});
  }
  ~Scratch() {
    std::error_code ignored;   // remove() tells
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const Path& path() const { return path_; }
  // What was restored is confidential: that it stays behind must be known.
  void remove(Findings& findings) {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    if (error) findings.push_back({"scratch_left", path_.string(), "what was restored for the proof could not be removed: " + error.message(), "remove the folder"});
  }

 private:
  Path path_;
  std::unique_ptr<platform::FileLock> running_;
};

// A single file is written under the name that its adapter gives it.
std::string compare_file(const tree::NodePtr& stored, const Path& folder, platform::FileSystem& files) {
  auto children = files.list(folder);
  if (children.size() != 1 || children.front().info.kind != platform::FileInfo::Kind::file) return "one file was expected";
  auto file = files.open(folder / children.front().name);
  std::uint64_t at = 0;
  bool same = stored->same_content([&](MutableBytes out) {
    std::size_t n = file->read_at(at, out);
    at += n;
    return n;
  });
  return same ? "" : "its content differs";
}

void compare_item(const Source& source, const repository::Point& point, const std::string& name, const Path& folder, RestoreProof& proof) {
  tree::NodePtr stored = source.repository.open_item(point, name);
  if (stored->entry().kind != tree::Kind::directory) {
    std::string what = compare_file(stored, folder, source.world.files);
    if (!what.empty()) proof.wrong.push_back(name + ": " + what);
    return;
  }
  item::Facts facts;
  item::CaptureContext context{source.world, source.cancel, source.progress, [&](Finding f) { proof.findings.push_back(std::move(f)); }, facts, {}, {}, {}};
  for (const item::CheckResult& r : item::check_directory(folder, {}, stored, context))
    if (!r.passed && r.name != "attributes equal") proof.wrong.push_back(name + ": not " + r.name + ": " + r.detail);
}

}  // namespace

std::vector<Path> left_by_proofs(platform::FileSystem& files, const Path& place) {
  std::vector<Path> left;
  for (const auto& child : files.list(place)) {
    if (!child.name.starts_with(kScratchPrefix)) continue;
    const Path folder = place / child.name;
    try {
      if (files.exists(folder / kRunning)) files.lock(folder / kRunning, {});
    } catch (const Error& e) {
      if (e.code() == Code::busy) continue;
    }
    left.push_back(folder);
  }
  return left;
}

RestoreProof prove_restore(const Source& source, const repository::Point& point, const Path& place) {
  RestoreProof proof;
  RestoreRequest request;
  request.to = place;
  request.privileged = source.world.host.is_administrator();
  RestoreReview review = review_restore(source, point, request);
  if (review.free_bytes && review.bytes > *review.free_bytes)
    throw Error(Code::no_space, "restoring recovery point " + repository::short_id(point.id) + " takes " + human_bytes(review.bytes) + ", and " +
                                    human_bytes(*review.free_bytes) + " are free at " + printable(place.string()))
        .safe("nothing was changed")
        .hint("name a folder in another file system with --to FOLDER");
  Scratch scratch(source.world, place, point.id);
  request.to = scratch.path();
  std::optional<Code> failed;
  RestoreReport report = restore(source, point, request, failed);
  proof.findings = std::move(report.findings);
  for (const RestoreReport::Line& line : report.lines) {
    source.cancel.check();
    if (!line.error.empty()) {
      // What the machine refuses says nothing about the point.
      if (failed != Code::damaged && failed != Code::not_found && failed != Code::outside)
        throw Error(*failed, line.item + ": " + line.error).safe("no verification was recorded");
      proof.wrong.push_back(line.item + ": " + line.error);
      continue;
    }
    compare_item(source, point, line.item, scratch.path() / line.item, proof);
    proof.bytes += line.bytes;
    proof.files += line.files;
  }
  scratch.remove(proof.findings);
  return proof;
}

}  // namespace holdfast::recovery
