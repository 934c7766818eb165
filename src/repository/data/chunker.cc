#include "repository/data/chunker.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "base/wire.h"
#include "crypto/hash.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kWindow = 64;  // bits of the hash: a byte has left it after so many steps
constexpr std::size_t kMaxChunk = std::size_t{8} << 20;  // docs/repository-format.md "Limits"

// Keeps the compiler from adding the hash, which is late, before the rest of a sum, which is not.
inline void keep_together([[maybe_unused]] std::uint64_t& sum) {
#ifdef __GNUC__
  asm("" : "+r"(sum));
#endif
}

std::uint64_t top_bits(int n) { return ~std::uint64_t{0} << (64 - std::clamp(n, 1, 63)); }

}  // namespace

Chunker::Chunker(const Parameters& parameters, ByteView chunker_secret) : parameters_(parameters) {
  const Parameters& p = parameters;
  bool ordered =
      p.chunk_minimum >= kWindow && p.chunk_minimum <= p.chunk_average && p.chunk_average <= p.chunk_maximum;
  if (!ordered || p.chunk_maximum > kMaxChunk || p.fixed_chunk == 0 || p.fixed_chunk > kMaxChunk ||
      p.group_limit > kMaxChunk) {
    throw Error(
        Code::unsupported,
        "cannot cut files into chunks: the repository's chunk sizes are outside of what this version knows");
  }
  int bits = static_cast<int>(std::bit_width(p.chunk_average)) - 1;
  mask_before_average_ = top_bits(bits + 2);
  mask_after_ = top_bits(bits - 2);
  for (std::size_t value = 0; value < gear_.size(); ++value) {
    auto byte = static_cast<std::uint8_t>(value);
    std::array<std::uint8_t, 32> digest{};
    crypto::keyed_hash(chunker_secret, ByteView(&byte, 1), digest);
    gear_[value] = Reader(digest, "gear").u64();
  }
}

// Steps over chunk[scan.position, limit); stops behind the first byte where the hash fits the mask and says
// so by returning the length of the chunk, else 0.
std::size_t Chunker::scan_to(Scan& scan, ByteView chunk, std::size_t limit, std::uint64_t mask) const {
  const std::uint8_t* bytes = chunk.data();
  const std::uint64_t* gear = gear_.data();
  const std::uint64_t either = mask & SketchBuilder::kSampled;  // both are the highest bits: one look for both
  std::uint64_t hash = scan.hash;
  std::size_t i = scan.position;
  while (i < limit) {
    // Two bytes in the time of one: the second hash does not wait for the first.
    while (i + 2 <= limit) {
      const std::uint64_t first = gear[bytes[i]];
      std::uint64_t both = (first << 1) + gear[bytes[i + 1]];
      keep_together(both);
      const std::uint64_t after_two = (hash << 2) + both;
      if ((((hash << 1) + first) & either) == 0 || (after_two & either) == 0) break;
      hash = after_two;
      i += 2;
    }
    if (i == limit) break;
    hash = (hash << 1) + gear[bytes[i++]];
    if ((hash & either) != 0) continue;
    if ((hash & SketchBuilder::kSampled) == 0) scan.sketch.take(hash);
    if ((hash & mask) != 0) continue;
    scan.position = i;
    scan.hash = hash;
    return i;
  }
  scan.position = i;
  scan.hash = hash;
  return 0;
}

std::optional<std::size_t> Chunker::end_of_chunk(Scan& scan, ByteView chunk) const {
  const std::size_t minimum = parameters_.chunk_minimum, average = parameters_.chunk_average,
                    maximum = parameters_.chunk_maximum;
  const std::size_t known = std::min(chunk.size(), maximum);

  scan.position = std::max(scan.position, minimum - kWindow);
  for (std::size_t fill = std::min(known, minimum); scan.position < fill; ++scan.position) {
    scan.hash = (scan.hash << 1) + gear_[chunk[scan.position]];
  }
  // A chunk that ends behind byte i is i + 1 long: those before `average` have i + 1 < average.
  if (std::size_t limit = std::min(known, average - 1); scan.position < limit) {
    if (std::size_t end = scan_to(scan, chunk, limit, mask_before_average_)) return end;
  }
  if (scan.position < known) {
    if (std::size_t end = scan_to(scan, chunk, known, mask_after_)) return end;
  }
  if (chunk.size() >= maximum) return maximum;
  return std::nullopt;
}

std::size_t Chunker::first_chunk(ByteView rest) const {
  Scan scan;
  return end_of_chunk(scan, rest).value_or(rest.size());
}

}  // namespace holdfast::repository
