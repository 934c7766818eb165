// Tells whether bytes are still what they were, where nobody forges them: between two moments in one process.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace holdfast {

// XXH3-64. Never written anywhere: what is stored is told by SHA-256, BLAKE3 and GCM tags.
std::uint64_t checksum(ByteView bytes);

namespace detail {
std::uint64_t checksum_portable(ByteView bytes);  // the same by instructions that every processor has
}

}  // namespace holdfast
