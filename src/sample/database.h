// The sample's Configuration Management Database: its tables, and the rows of a server that has been in use
// for years. Tables, columns and what encrypts them: docs/sample.md, "Database".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "platform/world.h"
#include "sample/encryption.h"
#include "sample/packages.h"
#include "sample/settings.h"

namespace holdfast::sample {

// All tables, indexes and views, no row, WAL mode; `file` must not exist.
void write_empty_database(const platform::Path& file);

struct DatabaseContent {
  std::uint64_t rows = 0;  // of all tables together, about
  std::uint64_t seed = 1;
  ServerNames names;
  const std::vector<Package>& packages;
  const KmsKeys& keys;
};

// Fills the empty database `file`, in one transaction; afterwards everything is in the file itself, without a
// log beside it, in WAL mode. Returns the number of rows. interrupted leaves a file that is good for nothing.
std::uint64_t fill_database(const platform::Path& file, const DatabaseContent& content,
                            platform::Entropy& entropy, ProgressSink& progress, const Cancel& cancel);

}  // namespace holdfast::sample
