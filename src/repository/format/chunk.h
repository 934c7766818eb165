// What a chunk is: a piece of plain bytes named by the keyed hash of its type. docs/repository-format.md
// "Chunks".
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "repository/keys/keyring.h"
#include "repository/point.h"

namespace holdfast::repository {

// Stored values: never renumber.
enum class ChunkType : std::uint8_t { data = 1, tree = 2 };

inline constexpr std::uint32_t kMaxChunk = 8U << 20;  // bytes; docs/repository-format.md "Limits"

inline ChunkId chunk_id(const Epoch& epoch, ChunkType type, ByteView plain) {
  ChunkId id;
  const crypto::Secret& key = type == ChunkType::data ? epoch.data_id_key : epoch.tree_id_key;
  crypto::keyed_hash(key.view(), plain, id.bytes);
  return id;
}

}  // namespace holdfast::repository
