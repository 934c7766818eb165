#include "base/checksum.h"

#include "base/checksum_lanes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace holdfast {

std::uint64_t checksum(ByteView bytes) {
#ifdef HOLDFAST_CHECKSUM_AVX2
  static const bool wide = __builtin_cpu_supports("avx2");
  if (wide) return holdfast_checksum_avx2(bytes.data(), bytes.size());
#endif
  return detail::checksum_portable(bytes);
}

std::uint64_t detail::checksum_portable(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace holdfast
