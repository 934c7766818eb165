#include "repository/log/local_state.h"

#include <optional>

#include "base/error.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

// "<title> ‖ field record ‖ SHA-256 of everything before": a file that is not whole counts as absent.
constexpr std::string_view kTitle = "holdfast state 1\n";
constexpr std::uint64_t kFileLimit = 1U << 20;
enum Field : std::uint32_t { kMachine = 1, kWriter = 2, kSeed = 3, kHead = 4 };

Bytes frame(Writer fields) {
  Writer w;
  w.raw(as_bytes(kTitle)).raw(fields.bytes());
  crypto::Sha256 hash = crypto::sha256(w.bytes());
  return w.raw(hash.view()).take();
}

std::optional<Bytes> read_fields(platform::FileSystem& files, const platform::Path& path) {
  Bytes file;
  try {
    file = files.read_all(path, kFileLimit);
  } catch (const Error& error) {
    if (error.code() == Code::not_found || error.code() == Code::unsupported) return std::nullopt;
    throw;
  }
  if (file.size() < kTitle.size() + crypto::Sha256::kSize) return std::nullopt;
  ByteView before = ByteView(file).first(file.size() - crypto::Sha256::kSize);
  if (as_text(before.first(kTitle.size())) != kTitle) return std::nullopt;
  if (crypto::sha256(before) != crypto::Sha256::from(ByteView(file).last(crypto::Sha256::kSize))) return std::nullopt;
  return Bytes(before.begin() + kTitle.size(), before.end());
}

platform::Path path_of(const platform::Path& directory, const RepositoryId& repository, std::string_view what) {
  return directory / (repository.hex() + "." + std::string(what));
}

}  // namespace

LocalState::LocalState(platform::FileSystem& files, platform::Path directory, std::string machine)
    : files_(files), directory_(std::move(directory)), machine_(std::move(machine)) {}

std::optional<WriterIdentity> LocalState::writer(const RepositoryId& repository) {
  auto fields = read_fields(files_, path_of(directory_, repository, "writer"));
  if (!fields) return std::nullopt;
  WriterIdentity identity;
  std::string machine;
  try {
    Reader r(*fields, "the remembered writer");
    while (auto f = r.field()) {
      if (f->tag == kMachine) machine = holdfast::to_text(f->value);
      if (f->tag == kWriter && f->value.size() == WriterId::kSize) identity.id = WriterId::from(f->value);
      if (f->tag == kSeed) identity.signing_seed.assign(f->value.begin(), f->value.end());
    }
  } catch (const Error&) {
    return std::nullopt;   // a cache: what cannot be read is as good as lost
  }
  if (machine != machine_ || identity.id.is_zero() || identity.signing_seed.size() != 32) return std::nullopt;
  return identity;
}

void LocalState::set_writer(const RepositoryId& repository, const WriterIdentity& identity) {
  files_.make_directories(directory_, 0700);
  Writer w;
  w.field_text(kMachine, machine_).field(kWriter, identity.id.view()).field(kSeed, identity.signing_seed);
  files_.replace(path_of(directory_, repository, "writer"), frame(std::move(w)), 0600);
}

std::unique_ptr<platform::FileLock> LocalState::lock_log(const RepositoryId& repository) {
  files_.make_directories(directory_, 0700);
  try {
    return files_.lock(path_of(directory_, repository, "lock"), std::chrono::minutes(1));
  } catch (Error& error) {
    if (error.code() != Code::busy) throw;
    error.safe("the repository is as it was").hint(
        "another holdfast process of this machine is stopped while it writes its record: let it go on, or end it");
    throw;
  }
}

Heads LocalState::heads(const RepositoryId& repository) {
  auto fields = read_fields(files_, path_of(directory_, repository, "heads"));
  if (!fields) return {};
  Heads heads;
  try {
    Reader r(*fields, "the remembered heads");
    while (auto f = r.field()) {
      if (f->tag != kHead) continue;
      Reader head(f->value, "a remembered head");
      auto writer = head.id<WriterId>();
      std::uint64_t number = head.u64();
      heads[writer] = {number, head.id<crypto::Sha256>()};
    }
  } catch (const Error&) {
    return {};
  }
  return heads;
}

void LocalState::set_heads(const RepositoryId& repository, const Heads& heads) {
  files_.make_directories(directory_, 0700);
  Writer w;
  for (const auto& [writer, head] : heads) {
    Writer h;
    h.raw(writer.view()).u64(head.number).raw(head.hash.view());
    w.field(kHead, h.bytes());
  }
  files_.replace(path_of(directory_, repository, "heads"), frame(std::move(w)), 0600);
}

}  // namespace holdfast::repository
