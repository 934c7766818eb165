// Where a stream is cut into chunks: the keyed "gear" of docs/repository-format.md "Chunks". Pure functions
// over bytes: the same bytes, parameters and secret give the same cuts however the bytes arrive.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "repository/data/sketch.h"
#include "repository/format/repository_object.h"

namespace holdfast::repository {

class Chunker {
 public:
  // Error(unsupported) for parameters outside 64 <= minimum <= average <= maximum <= 8 MiB.
  Chunker(const Parameters& parameters, ByteView chunker_secret);

  // How far a chunk has been looked at; start each chunk with a fresh one.
  struct Scan {
    std::size_t position = 0;
    std::uint64_t hash = 0;
    SketchBuilder sketch;  // of what was scanned
  };
  // `chunk` is all that is known of a chunk from its first byte on, longer at each call. Its length when it
  // ends in there; nullopt: it goes on. At the end of the stream the rest is a chunk.
  std::optional<std::size_t> end_of_chunk(Scan& scan, ByteView chunk) const;

  // Length of the first chunk of `rest`, which is the rest of a stream or at least `maximum` bytes of it.
  std::size_t first_chunk(ByteView rest) const;

  const Parameters& parameters() const { return parameters_; }
  const std::array<std::uint64_t, 256>& gear() const { return gear_; }  // the keyed table

 private:
  std::size_t scan_to(Scan& scan, ByteView chunk, std::size_t limit, std::uint64_t mask) const;

  Parameters parameters_;
  std::uint64_t mask_before_average_ = 0, mask_after_ = 0;
  std::array<std::uint64_t, 256> gear_{};
};

}  // namespace holdfast::repository
