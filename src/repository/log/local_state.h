// What this machine remembers of repositories: its writer identity (with the signing key) and the newest heads seen.
// A cache and a memory, never needed to recover: it can be lost. One folder, mode 0700.
//
// A machine that was cloned or recovered gets a new writer: the identity is bound to the machine id given at opening.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "platform/file_system.h"
#include "repository/point.h"

namespace holdfast::repository {

struct Head { std::uint64_t number = 0; crypto::Sha256 hash; bool operator==(const Head&) const = default; };
using Heads = std::map<WriterId, Head>;

struct WriterIdentity { WriterId id; Bytes signing_seed; };   // seed of 32 bytes

class LocalState {
 public:
  // `directory` is made when first written. `machine` binds the writer identity ("" = unbound).
  LocalState(platform::FileSystem& files, platform::Path directory, std::string machine);

  std::optional<WriterIdentity> writer(const RepositoryId& repository);
  void set_writer(const RepositoryId& repository, const WriterIdentity& identity);
  Heads heads(const RepositoryId& repository);
  void set_heads(const RepositoryId& repository, const Heads& heads);
  // Held while a record is appended, so that two processes of this machine never take one number. busy when another
  // one keeps it for a minute: it was stopped in the middle.
  std::unique_ptr<platform::FileLock> lock_log(const RepositoryId& repository);
  const platform::Path& directory() const { return directory_; }

 private:
  platform::FileSystem& files_;
  platform::Path directory_;
  std::string machine_;
};

}  // namespace holdfast::repository
