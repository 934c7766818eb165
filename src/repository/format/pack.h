// A pack: frames, and the directory that tells what is in them. docs/repository-format.md "Pack".
//
// PackWriter fills one buffer, which is used for one pack after another. Everything that reads treats a pack
// as hostile: Error(damaged) names it; Error(unsupported) for what a newer version wrote.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/checksum.h"
#include "base/wire.h"
#include "crypto/aead.h"
#include "repository/format/chunk.h"
#include "repository/format/frame.h"
#include "store/object_store.h"

namespace holdfast::repository {

struct PackDirectory {
  struct Chunk {
    ChunkId id;
    ChunkType type{};
    std::uint32_t offset = 0, length = 0;  // in the plain bytes of the frame
  };
  struct Frame {
    std::uint32_t offset = 0, stored = 0;  // in the pack object, with the tag
    std::uint32_t size = 0;                // plain bytes
    Codec codec{};
    std::uint32_t first_chunk = 0, chunk_count = 0;
    ChunkId base;  // codec zstd_with_base only; a chunk of the same type as the frame's
  };
  std::uint32_t id_epoch = 0;  // whose keys name the chunks; not the pack's own when it was rewritten
  std::vector<Frame> frames;
  std::vector<Chunk> chunks;

  std::span<const Chunk> chunks_of(const Frame& frame) const {
    return std::span(chunks).subspan(frame.first_chunk, frame.chunk_count);
  }
};
// `encoded` is a decompressed directory of a pack of `pack_size` bytes whose header is `header_length` long.
PackDirectory decode_directory(ByteView encoded, std::uint32_t header_length, std::uint64_t pack_size,
                               std::string_view name);

// Seals and opens the frames of one pack. Not thread-safe.
class FrameCipher {
 public:
  FrameCipher(ByteView key, const RepositoryId& repository, ByteView salt);
  void seal(std::uint64_t number, ByteView encoded, MutableBytes out);
  [[nodiscard]] bool open(std::uint64_t number, ByteView stored, MutableBytes out);

 private:
  ByteView associated(std::uint64_t number);
  crypto::Aead aead_;
  std::array<std::uint8_t, 46> associated_;
};

// What the header of a pack tells whoever holds the epoch's secret. Immutable, so that threads can share it.
struct PackKey {
  crypto::Secret key;
  std::array<std::uint8_t, 16> salt{};
  const Epoch* epoch = nullptr;  // lives as long as the keyring
  std::uint32_t header_length = 0;
};
inline constexpr std::size_t kPackHeaderSize =
    kHeaderSize + 16 + 1 + 1 + 2 + 32 + crypto::kSealOverhead;  // as written
// `beginning` holds at least the whole header.
PackKey open_pack_key(ByteView beginning, const RepositoryId& repository, Keyring& keyring,
                      std::string_view name);
PackKey read_pack_key(store::ObjectStore& store, const std::string& name, std::uint64_t size,
                      const RepositoryId& repository, Keyring& keyring);

// The directory of a pack in the store, decrypted and decompressed: reads its two ends only.
struct StoredDirectory {
  Bytes encoded;
  std::uint32_t header_length = 0;
};
StoredDirectory read_directory(store::ObjectStore& store, const std::string& name, std::uint64_t size,
                               const RepositoryId& repository, Keyring& keyring);

struct PackWriterKeys {
  RepositoryId repository;
  WriterId writer;
  const crypto::SigningKey& signing_key;
  const Epoch& epoch;
  platform::Entropy& entropy;  // must be thread-safe when several writers share it
  std::uint32_t id_epoch = 0;  // whose keys name the chunks; 0: those of `epoch`
};

class PackWriter {
 public:
  // `capacity` bytes for the whole object; at least 16 MiB, or a frame may not fit.
  PackWriter(const PackWriterKeys& keys, std::size_t capacity);
  ~PackWriter();
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  bool empty() const { return frame_count_ == 0; }
  // Whether another frame of `encoded` bytes with `chunks` chunks goes into this pack.
  bool fits(std::size_t encoded, std::size_t chunks) const;

  struct Chunk {
    Chunk(const ChunkId& its_id, ChunkType its_type, ByteView plain)
        : id(its_id), type(its_type), length(static_cast<std::uint32_t>(plain.size())), sum(checksum(plain)) {}
    ChunkId id;
    ChunkType type;
    std::uint32_t length;
    std::uint64_t sum;  // of its plain bytes
  };
  // Precondition: fits(). `base` is what a frame of codec zstd_with_base builds on; the caller has decoded such a frame
  // and compared.
  void add(const Compressor::Encoded& encoded, std::uint32_t plain_size, std::span<const Chunk> chunks,
           const ChunkId* base = nullptr);

  struct Finished {
    ByteView object;  // in the buffer: until reset()
    crypto::Sha256 hash;
    Bytes directory;  // as in an index segment
    std::vector<Chunk> chunks;
    std::unordered_map<std::size_t, std::uint64_t> with_base;  // number of a frame to the checksum of its encoded bytes
  };
  Finished finish();
  void reset();  // begins the next pack

 private:
  void begin();
  void append(ByteView bytes);
  MutableBytes room(std::size_t bytes);

  PackWriterKeys keys_;
  std::uint8_t* buffer_ = nullptr;
  std::size_t capacity_ = 0, used_ = 0;
  Bytes header_;
  std::unique_ptr<FrameCipher> cipher_;
  std::size_t frame_count_ = 0;
  Writer frames_;  // the directory without its count
  std::vector<Chunk> chunks_;
  std::unordered_map<std::size_t, std::uint64_t> with_base_;
};

// Decodes the whole pack: signature, directory, every frame, every chunk id. Its own decryption from the
// bytes alone. Keeps its buffers for the next pack.
class PackChecker {
 public:
  // Plain bytes of a base chunk; they must stay valid until the next call.
  using BaseOf = std::function<ByteView(const ChunkId&, ChunkType)>;
  // `hash`, when given, is the one in the object's name: compared in the same pass.
  PackDirectory check(ByteView object, const RepositoryId& repository, Keyring& keyring,
                      const BaseOf& base_of, std::string_view name, const crypto::Sha256* hash = nullptr);
  // A pack that PackWriter has just hashed and signed: neither is done again. Its chunks are compared by checksum, which
  // takes a fifth of the time that their ids take. Frames that build on a base were decoded and compared when it was at
  // hand: it is enough that their encoded bytes are still the same.
  PackDirectory check_fresh(const PackWriter::Finished& finished, const RepositoryId& repository, Keyring& keyring,
                            std::string_view name);

 private:
  // Whether `inner`, the encoded bytes of frame `number`, holds what `frame` says.
  using FrameCheck =
      std::function<void(std::size_t number, const PackDirectory& directory, ByteView inner, const Epoch& ids)>;
  // `signed_bytes`: the object without its signature.
  PackDirectory check_frames(ByteView signed_bytes, const RepositoryId& repository, Keyring& keyring,
                             const FrameCheck& check_frame, std::string_view name);
  // The plain bytes of a frame, until the next call.
  ByteView plain_bytes(const PackDirectory::Frame& frame, ByteView inner, ByteView base, std::string_view name);

  Decompressor decompressor_;
  Bytes encoded_, plain_;
};

}  // namespace holdfast::repository
