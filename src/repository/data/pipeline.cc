#include "repository/data/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kGroupBytes = std::size_t{1} << 20;  // plain bytes of a frame of small chunks
// Smaller ones share frames with their neighbours; the difference would cost as much. Covers a database's 64 KiB.
constexpr std::size_t kLeastSimilar = std::size_t{32} << 10;
constexpr std::size_t kReadRoom = std::size_t{256} << 10;
constexpr std::size_t kTasksWaiting = 256, kTasksTogether = 32;  // waking a worker costs as much as a small task
constexpr unsigned kMostWorkers = 4;  // by default: memory is bounded at any number of cores
constexpr std::size_t kPack = std::size_t{24} << 20, kSmallPack = std::size_t{16} << 20;

unsigned worker_count(const RunOptions& run) {
  if (run.workers != 0) return run.workers;
  return std::clamp(std::thread::hardware_concurrency() + 2, 2U, kMostWorkers);
}

}  // namespace

std::size_t work_buffer_capacity(const Parameters& p) {
  return std::max<std::size_t>({p.chunk_maximum, p.fixed_chunk, p.group_limit, kGroupBytes}) + kReadRoom;
}

// One thread's share: its pack, its groups, its buffers.
class PipelineWorker {
 public:
  explicit PipelineWorker(Pipeline& pipeline)
      : pipeline_(pipeline),
        engine_(*pipeline.engine_),
        pack_({engine_.context.repository, pipeline.setup_.writer, pipeline.setup_.signing_key,
               pipeline.epoch_, engine_.entropy},
              pipeline.pack_size_),
        put_([this](ByteView plain) { return put(ChunkType::tree, plain); }) {}

  void run(Pipeline::Work& work) {
    if (work.task) work.task(put_);
    if (!work.buffer) return;
    for (WorkBuffer::Piece& piece : work.buffer->pieces) {
      ByteView plain = ByteView(work.buffer->bytes).subspan(piece.offset, piece.length);
      ChunkId id = put(ChunkType::data, plain, piece.sketch);
      piece.target->stored(piece.number, {id, piece.length}, put_);
      piece.target.reset();
    }
  }

  void finish() {
    write_group(ChunkType::data);
    write_group(ChunkType::tree);
    if (!pack_.empty()) store_pack();
  }

 private:
  struct Group {
    Bytes bytes;
    std::vector<PackWriter::Chunk> chunks;
  };
  Group& group(ChunkType type) { return groups_[type == ChunkType::tree ? 1 : 0]; }

  ChunkId put(ChunkType type, ByteView plain, const Sketch& sketch = {}) {
    ChunkId id = chunk_id(pipeline_.epoch_, type, plain);
    if (!claim(id)) return id;
    PackWriter::Chunk chunk(id, type, plain);
    bool large = plain.size() > engine_.context.parameters.group_limit;
    bool dense = large && compressor_.looks_incompressible(plain);
    if (type == ChunkType::data && plain.size() >= kLeastSimilar && !dense && put_difference(chunk, plain, sketch)) return id;
    if (large) {
      write_frame(dense ? Compressor::Encoded{Codec::plain, plain} : compressor_.encode_compressible(plain), plain.size(),
                  std::span(&chunk, 1));
      return id;
    }
    Group& small = group(type);
    if (small.bytes.size() + plain.size() > kGroupBytes) write_group(type);
    small.bytes.insert(small.bytes.end(), plain.begin(), plain.end());
    small.chunks.push_back(chunk);
    return id;
  }

  // True when nobody has it and nobody else is about to store it. The claim comes before the look into the
  // index, and is given up after the chunk is in the index: so there is no moment when it is in neither.
  bool claim(const ChunkId& id) {
    Pipeline::Claims& claims = pipeline_.claims_of(id);
    {
      std::lock_guard lock(claims.mutex);
      if (!claims.ids.insert(id).second) return false;
    }
    std::optional<Index::Location> at = engine_.catalog.index().find_usable(id);
    if (!at) return true;
    unclaim(id);
    pipeline_.need(engine_.catalog.index().packs_for(*at));
    return false;
  }

  void unclaim(const ChunkId& id) {
    Pipeline::Claims& claims = pipeline_.claims_of(id);
    std::lock_guard lock(claims.mutex);
    claims.ids.erase(id);
  }

  void write_group(ChunkType type) {
    Group& small = group(type);
    if (small.chunks.empty()) return;
    write_frame(compressor_.encode(small.bytes), small.bytes.size(), small.chunks);
    small.bytes.clear();
    small.chunks.clear();
  }

  void write_frame(const Compressor::Encoded& encoded, std::size_t plain_size,
                   std::span<const PackWriter::Chunk> chunks, const ChunkId* base = nullptr) {
    if (!pack_.fits(encoded.bytes.size(), chunks.size())) store_pack();
    pack_.add(encoded, static_cast<std::uint32_t>(plain_size), chunks, base);
  }

  // Stores a chunk as its difference from the stored one that is most like it. false: nothing is gained by that, and
  // the chunk itself will serve as a base.
  bool put_difference(const PackWriter::Chunk& chunk, ByteView plain, Sketch sketch) {
    if (sketch.count == 0) sketch = SimilarChunks::sketch(engine_.chunker, plain);
    if (std::optional<ChunkId> base = engine_.similar.find(sketch); base && write_difference(chunk, plain, *base))
      return true;
    engine_.similar.add(sketch, chunk.id);
    return false;
  }

  bool write_difference(const PackWriter::Chunk& chunk, ByteView plain, const ChunkId& id) {
    const Index& index = engine_.catalog.index();
    std::optional<Index::Location> at = index.find_usable(id);
    if (!at || index.frame(at->pack, at->frame).codec == Codec::zstd_with_base) return false;
    std::optional<ChunkReader::Chunk> base = base_bytes(id, chunk.type);
    if (!base) return false;
    std::optional<Compressor::Encoded> encoded = compressor_.encode(plain, base->bytes);
    if (!encoded) return false;
    difference_.resize(std::max(difference_.size(), plain.size()));
    MutableBytes decoded = MutableBytes(difference_).first(plain.size());
    if (!decompressor_.decode(encoded->codec, encoded->bytes, base->bytes, decoded) ||
        !std::equal(plain.begin(), plain.end(), decoded.begin()))
      decoded_wrongly();
    write_frame(*encoded, plain.size(), std::span(&chunk, 1), &id);
    pipeline_.need({at->pack});
    return true;
  }

  // A base that cannot be read is none: the chunk is stored whole, which is always right.
  std::optional<ChunkReader::Chunk> base_bytes(const ChunkId& id, ChunkType type) {
    try {
      return engine_.reader.find_base(id, type);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void store_pack() {
    PackWriter::Finished finished = pack_.finish();
    std::string name = object_name(ObjectType::pack, finished.hash);
    PackDirectory directory = check_finished(finished, name);
    engine_.context.store.put_unsynced(name, finished.object);
    std::uint64_t size = finished.object.size();
    pipeline_.bytes_stored_ += size;
    Index::PackNumber number = engine_.catalog.written(
        {finished.hash, size, kPackHeaderSize, std::move(finished.directory)}, directory);
    pipeline_.need({number});
    for (const PackWriter::Chunk& chunk : finished.chunks) unclaim(chunk.id);
    pack_.reset();
    engine_.catalog.write_segment_when_due(pipeline_.setup_);
  }

  // Decodes the pack again from the very bytes that the store will get.
  PackDirectory check_finished(const PackWriter::Finished& finished, const std::string& name) {
    try {
      return checker_.check_fresh(finished, engine_.context.repository, engine_.context.keyring, name);
    } catch (const Error& error) {
      if (error.code() != Code::damaged) throw;
    }
    decoded_wrongly();
  }

  [[noreturn]] static void decoded_wrongly() {
    throw Error(Code::failed, "cannot store data: a pack decodes to something else than what was put into it")
        .safe("The pack was not stored, and no recovery point was made.")
        .hint("The memory or processor of this machine may be faulty: test them, then back up again.");
  }

  Pipeline& pipeline_;
  Engine& engine_;
  PackWriter pack_;
  Compressor compressor_;
  PackChecker checker_;
  Decompressor decompressor_;
  Bytes difference_;  // a chunk decoded from its difference
  std::array<Group, 2> groups_;
  PutTreeChunk put_;
};

// -- hand-over

Pipeline::Pipeline(EnginePtr engine, const SessionSetup& setup)
    : engine_(std::move(engine)), setup_(setup), epoch_(engine_->context.keyring.current()) {
  unsigned workers = worker_count(setup.run);
  pack_size_ = workers < kMostWorkers ? kPack : kSmallPack;
  for (unsigned i = 0; i < workers + 2; ++i) {
    free_.push_back(std::make_unique<WorkBuffer>());
  }
  for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { run_worker(); });
}

Pipeline::~Pipeline() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  work_there_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Pipeline::run_worker() {
  try {
    PipelineWorker worker(*this);
    Work work;
    while (take(work)) {
      worker.run(work);
      give_back(work);
    }
    bool whole;
    {
      std::lock_guard lock(mutex_);
      whole = !stopped_;
    }
    if (whole) worker.finish();
  } catch (...) {
    fail(std::current_exception());
  }
}

bool Pipeline::take(Work& work) {
  std::unique_lock lock(mutex_);
  work_there_.wait(lock, [&] { return stopped_ || closed_ || !queue_.empty(); });
  if (stopped_ || queue_.empty()) return false;
  if (setup_.run.cancel) setup_.run.cancel->check();
  work = std::move(queue_.front());
  queue_.pop_front();
  if (work.task) --tasks_waiting_;
  return true;
}

void Pipeline::give_back(Work& work) {
  work.task = nullptr;
  if (work.buffer) work.buffer->pieces.clear();
  {
    std::lock_guard lock(mutex_);
    if (work.buffer) free_.push_back(std::move(work.buffer));
  }
  changed_.notify_all();
}

void Pipeline::fail(std::exception_ptr error) {
  {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stopped_ = true;
  }
  work_there_.notify_all();
  changed_.notify_all();
}

void Pipeline::check_locked() {
  if (error_) std::rethrow_exception(error_);
  if (setup_.run.cancel) setup_.run.cancel->check();
}

void Pipeline::check() {
  std::lock_guard lock(mutex_);
  check_locked();
}

std::unique_ptr<WorkBuffer> Pipeline::take_buffer() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || !free_.empty(); });
  check_locked();
  std::unique_ptr<WorkBuffer> buffer = std::move(free_.back());
  free_.pop_back();
  lock.unlock();
  buffer->bytes.resize(work_buffer_capacity(engine_->context.parameters));  // the first time: most runs need few
  return buffer;
}

void Pipeline::submit(std::unique_ptr<WorkBuffer> buffer) {
  {
    std::lock_guard lock(mutex_);
    check_locked();
    queue_.push_back({std::move(buffer), {}});
  }
  work_there_.notify_one();
}

void Pipeline::submit(Task task) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return error_ || tasks_waiting_ < kTasksWaiting; });
    check_locked();
    queue_.push_back({nullptr, std::move(task)});
    if (++tasks_waiting_ % kTasksTogether != 0) return;
  }
  wake();
}

void Pipeline::wake() { work_there_.notify_all(); }

void Pipeline::wait_until(const std::function<bool()>& done) {
  wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || done(); });
  check_locked();
}

void Pipeline::finish() {
  {
    std::lock_guard lock(mutex_);
    check_locked();
    closed_ = true;
  }
  work_there_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  check();
}

void Pipeline::need(const std::vector<Index::PackNumber>& packs) {
  std::lock_guard lock(needed_mutex_);
  for (Index::PackNumber pack : packs) needed_.add(pack);
}

PackSet Pipeline::needed() {
  std::lock_guard lock(needed_mutex_);
  return needed_;
}

}  // namespace holdfast::repository
