#include "repository/format/frame.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <new>
#include <string>

#include "base/error.h"

namespace holdfast::repository {
namespace {

constexpr int kLevel = 2;            // most for its time; figures in docs/performance.md
constexpr int kDifferenceLevel = 3;  // the faster ones find too little in the base
constexpr int kProbeLevel = 1;
// 32 KiB from the middle tell whether the whole is worth the time; below 128 KiB trying costs as little as
// probing.
constexpr std::size_t kProbeBytes = 32U << 10, kProbeFrom = 128U << 10;

// Less than 1/32 gained is not worth decoding.
bool worth_it(std::size_t packed, std::size_t plain) { return packed < plain - plain / 32; }

ZSTD_CCtx* compression(void* context) { return static_cast<ZSTD_CCtx*>(context); }
ZSTD_DCtx* decompression(void* context) { return static_cast<ZSTD_DCtx*>(context); }

}  // namespace

void Compressor::Free::operator()(void* context) const { ZSTD_freeCCtx(compression(context)); }
Compressor::Compressor() : context_(ZSTD_createCCtx()) {
  if (!context_) throw std::bad_alloc();
}
Compressor::~Compressor() = default;

std::size_t Compressor::compress(ByteView plain, int level) {
  if (std::size_t bound = ZSTD_compressBound(plain.size()); buffer_.size() < bound) buffer_.resize(bound);
  std::size_t n = ZSTD_compressCCtx(compression(context_.get()), buffer_.data(), buffer_.size(), plain.data(),
                                    plain.size(), level);
  if (ZSTD_isError(n)) throw Error(Code::defect, std::string("cannot compress: ") + ZSTD_getErrorName(n));
  return n;
}

std::size_t Compressor::probe(ByteView plain) {
  return compress(plain.subspan(plain.size() / 2 - kProbeBytes / 2, kProbeBytes), kProbeLevel);
}

bool Compressor::looks_incompressible(ByteView plain) {
  return plain.size() >= kProbeFrom && !worth_it(probe(plain), kProbeBytes);
}

std::optional<Compressor::Encoded> Compressor::encode(ByteView plain, ByteView base) {
  // What encode() would give, from a sample: to compress the whole twice would cost more than it saves.
  std::size_t expected = plain.size();
  if (plain.size() >= kProbeBytes) expected = plain.size() / kProbeBytes * probe(plain);
  if (std::size_t bound = ZSTD_compressBound(plain.size()); buffer_.size() < bound) buffer_.resize(bound);
  ZSTD_CCtx* context = compression(context_.get());
  // The window must reach from the end of the chunk to the beginning of its base.
  const int window = static_cast<int>(std::bit_width(std::max(plain.size() + base.size(), kProbeBytes)));
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kDifferenceLevel);
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window);
  ZSTD_CCtx_refPrefix(context, base.data(), base.size());
  std::size_t n = ZSTD_compress2(context, buffer_.data(), buffer_.size(), plain.data(), plain.size());
  if (ZSTD_isError(n)) throw Error(Code::defect, std::string("cannot compress: ") + ZSTD_getErrorName(n));
  // Reading it will take the base as well: half the size must go, or a lot of bytes.
  if (n > expected / 2 && n + plain.size() / 16 > expected) return std::nullopt;
  return Encoded{Codec::zstd_with_base, ByteView(buffer_).first(n)};
}

Compressor::Encoded Compressor::encode(ByteView plain) {
  if (looks_incompressible(plain)) return {Codec::plain, plain};
  return encode_compressible(plain);
}

Compressor::Encoded Compressor::encode_compressible(ByteView plain) {
  std::size_t n = compress(plain, kLevel);
  if (!worth_it(n, plain.size())) return {Codec::plain, plain};
  return {Codec::zstd, ByteView(buffer_).first(n)};
}

void Decompressor::Free::operator()(void* context) const { ZSTD_freeDCtx(decompression(context)); }
Decompressor::Decompressor() : context_(ZSTD_createDCtx()) {
  if (!context_) throw std::bad_alloc();
}
Decompressor::~Decompressor() = default;

bool Decompressor::decode(Codec codec, ByteView encoded, ByteView base, MutableBytes out) {
  if (codec == Codec::plain) {
    if (encoded.size() != out.size()) return false;
    std::copy(encoded.begin(), encoded.end(), out.begin());
    return true;
  }
  ZSTD_DCtx* context = decompression(context_.get());
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  if (codec == Codec::zstd_with_base && ZSTD_isError(ZSTD_DCtx_refPrefix(context, base.data(), base.size())))
    return false;
  std::size_t n = ZSTD_decompressDCtx(context, out.data(), out.size(), encoded.data(), encoded.size());
  return !ZSTD_isError(n) && n == out.size();
}

}  // namespace holdfast::repository
