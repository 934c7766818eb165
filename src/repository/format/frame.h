// How the plain bytes of a frame become smaller, and back. Knows no cipher. docs/repository-format.md "Pack".
//
// Each holds a zstd context and a buffer that are used again and again: one per thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"

namespace holdfast::repository {

// Stored values: never renumber.
enum class Codec : std::uint8_t {
  plain = 0,
  zstd = 1,
  zstd_with_base = 2,  // one chunk, compressed with another chunk as prefix
};

inline constexpr std::uint32_t kMaxFrame = 8U
                                           << 20;  // decompressed bytes; docs/repository-format.md "Limits"

class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  struct Encoded {
    Codec codec;
    ByteView bytes;
  };
  // `bytes` is `plain` itself when compression gains less than 1/32, else a buffer that is good until the
  // next call.
  Encoded encode(ByteView plain);
  // The same for what is not incompressible: without a look at the middle first.
  Encoded encode_compressible(ByteView plain);
  // nullopt when building on `base` is not clearly smaller than encode() would be; call that then.
  std::optional<Encoded> encode(ByteView plain, ByteView base);
  // From a look at the middle: no use to compress it.
  bool looks_incompressible(ByteView plain);

 private:
  std::size_t compress(ByteView plain, int level);  // into buffer_; its size
  std::size_t probe(ByteView plain);                // compressed size of kProbeBytes of it

  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
  Bytes buffer_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Fills all of `out` and writes nothing beyond. false: `encoded` does not decode to exactly out.size()
  // bytes.
  [[nodiscard]] bool decode(Codec codec, ByteView encoded, ByteView base, MutableBytes out);

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace holdfast::repository
