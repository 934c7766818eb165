// Proof that a point can be given back: everything in it is restored into a scratch folder by the way that 'restore' takes, read again
// from there and compared with what is stored, and removed. Not a drill: nothing is started, and no fit of items to each other is checked.
#pragma once

#include "recovery/restore.h"

namespace holdfast::recovery {

struct RestoreProof {
  std::vector<std::string> wrong;    // what is not as stored, item by item; empty: all is
  Findings findings;                 // told by the restore
  std::uint64_t bytes = 0, files = 0;
};

// Folders that proofs make in their place begin so.
inline constexpr const char* kScratchPrefix = "holdfast-verify-";
// Those in `place` that runs have left behind which were killed; not those of runs that go on.
std::vector<platform::Path> left_by_proofs(platform::FileSystem& files, const platform::Path& place);

// `place` must exist; a folder of mode 0700 is made in it and removed at the end, whatever happens. Restores with every attribute when
// run by root; what decides are names, contents and hard links. What is damaged in the repository is in `wrong`. Errors: no_space (looked
// at beforehand too), permission, io, interrupted: nothing is known then.
RestoreProof prove_restore(const Source& source, const repository::Point& point, const platform::Path& place);

}  // namespace holdfast::recovery
