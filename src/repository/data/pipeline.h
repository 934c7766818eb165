// The workers of a session: hash, deduplicate, compress, encrypt, pack, check, store. Each takes one piece of
// work after another and does all of it (run to completion), into a pack of its own. One thread hands out
// work; it waits when all buffers are taken. An error in a worker stops all of them and is thrown, as it is,
// by the next call of that thread.
//
// Memory at the default sizes: per worker a pack (24 MiB), a compression buffer, a checking buffer and a
// group (together about 14 MiB), and workers + 2 buffers of 4.25 MiB.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "repository/data/content.h"
#include "repository/data/engine.h"

namespace holdfast::repository {

// Told by a worker where a piece went. Called from any worker, pieces in any order.
class PieceTarget {
 public:
  virtual ~PieceTarget() = default;
  virtual void stored(std::uint64_t number, const ContentRef::Piece& piece, const PutTreeChunk& put) = 0;
};

// Bytes to be stored, and how they are cut. Used again when its work is done.
struct WorkBuffer {
  struct Piece {
    std::shared_ptr<PieceTarget> target;
    std::uint64_t number = 0;  // of the target's choice
    std::uint32_t offset = 0, length = 0;
    Sketch sketch;
  };
  Bytes bytes;  // of full capacity
  std::vector<Piece> pieces;
};

class Pipeline {
 public:
  using Task = std::function<void(const PutTreeChunk&)>;

  Pipeline(EnginePtr engine, const SessionSetup& setup);
  ~Pipeline();  // stops at the next piece; what is not in a finished pack is gone
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  std::unique_ptr<WorkBuffer> take_buffer();  // empty; waits
  void submit(std::unique_ptr<WorkBuffer> buffer);
  void submit(Task task);                              // waits when too many are waiting
  void wait_until(const std::function<bool()>& done);  // looked at after each piece of work
  void check();                                        // throws what stopped the workers, or interrupted
  void finish();  // all work done, all packs stored; no more work after this

  void need(const std::vector<Index::PackNumber>& packs);
  PackSet needed();  // by content that was there, and every pack written
  std::uint64_t bytes_stored() const { return bytes_stored_.load(); }

 private:
  friend class PipelineWorker;
  struct Work {
    std::unique_ptr<WorkBuffer> buffer;
    Task task;
  };
  struct Claims {  // chunks on their way into packs that are not finished
    std::mutex mutex;
    std::unordered_set<ChunkId, IdHash> ids;
  };

  void run_worker();
  bool take(Work& work);  // false: no more
  void wake();            // the workers, for tasks that waited for company
  void give_back(Work& work);
  void fail(std::exception_ptr error);
  void check_locked();
  Claims& claims_of(const ChunkId& id) { return claims_[id.bytes[31] % claims_.size()]; }

  EnginePtr engine_;
  const SessionSetup& setup_;
  const Epoch& epoch_;
  std::size_t pack_size_ = 0;

  std::mutex mutex_;
  std::condition_variable work_there_, changed_;
  std::deque<Work> queue_;
  std::size_t tasks_waiting_ = 0;
  std::vector<std::unique_ptr<WorkBuffer>> free_;
  bool closed_ = false, stopped_ = false;
  std::exception_ptr error_;

  std::array<Claims, 16> claims_;
  std::mutex needed_mutex_;
  PackSet needed_;
  std::atomic<std::uint64_t> bytes_stored_{0};
  std::vector<std::thread> threads_;
};

// Bytes that a WorkBuffer must hold: the longest chunk and room to read more.
std::size_t work_buffer_capacity(const Parameters& parameters);

}  // namespace holdfast::repository
