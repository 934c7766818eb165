// Compiled with -mavx2.
#include "base/checksum_lanes.h"

#ifdef HOLDFAST_CHECKSUM_AVX2
#define XXH_INLINE_ALL
#include <xxhash.h>

extern "C" uint64_t holdfast_checksum_avx2(const uint8_t* bytes, size_t size) { return XXH3_64bits(bytes, size); }
#endif
