// The sample's bulk content: software library, other packages, patches, and the vendor's own backup file.
// Some of it does not compress, some occurs twice, and the library holds what a file system can do: hard and
// symbolic links, an empty folder, attributes, a sparse file, a read-only file, odd names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sample/ground.h"
#include "sample/random.h"

namespace holdfast::sample {

// A folder of the software library.
struct Package {
  std::string guid, name, version;
};

// `bytes`: of all content together, about. Paths begin with "server/".
std::vector<Package> make_software_library(Ground& ground, std::uint64_t bytes, std::uint64_t seed);
// Both return the number of packages.
std::uint64_t make_other_packages(Ground& ground, std::uint64_t bytes, std::uint64_t seed);
std::uint64_t make_patches(Ground& ground, std::uint64_t bytes, std::uint64_t seed);

// Opaque to Holdfast: a header and random bytes, and beside it the file with its password. The real tool's format is not public.
// `made`: when the vendor's tool would have written it.
void make_vendor_backup(Ground& ground, Random& random, const std::string& password, Timestamp made);

// Content by kind, `size` bytes: an executable (half of it compresses), an archive (nothing does), text.
Bytes executable(Random& random, std::size_t size);
Bytes archive(Random& random, std::size_t size);
Bytes text_file(Random& random, std::size_t size);

}  // namespace holdfast::sample
