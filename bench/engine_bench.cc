// How fast the engine is: backs a folder up into a new repository, again without a change, and verifies the
// content.
//
//     engine_bench FOLDER REPOSITORY      (REPOSITORY is made and must not exist)
//
// Prints wall time, CPU seconds, bytes stored and the largest resident size after each phase.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include "platform/source_tree.h"
#include "platform/world.h"
#include "repository/repository.h"
#include "store/local_store.h"

namespace {

using namespace holdfast;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Phase {
 public:
  explicit Phase(const char* name) : name_(name) {}
  void done(std::uint64_t read, std::uint64_t stored) const {
    std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("%-10s %7.2f s  %7.2f CPU-s  %8.0f MB/s  read %.1f MB  stored %.1f MB  peak %ld MiB\n", name_,
                wall.count(), cpu_seconds() - cpu_, double(read) / 1e6 / wall.count(), double(read) / 1e6,
                double(stored) / 1e6, usage.ru_maxrss / 1024);
  }

 private:
  const char* name_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = cpu_seconds();
};

void capture_file(platform::SourceDirectory& from, tree::Entry entry, tree::TreeSink& sink) {
  entry.captured = platform::real_clock().now();
  if (sink.reuse_file(entry)) return;
  auto file = from.open(entry.name, entry);
  tree::FileWriter& to = sink.begin_file(tree::Chunking::content_defined);
  std::uint64_t total = 0;
  while (std::size_t n = file->read(to.space())) {
    to.commit(n);
    total += n;
  }
  if (total == tree::content_bytes(entry)) {
    sink.end_file(entry);
  } else {
    sink.abandon_file();
  }
}

void capture(platform::SourceDirectory& from, const tree::Entry& self, tree::TreeSink& sink) {
  sink.open_directory(self);
  for (const std::string& name : from.names()) {
    std::optional<tree::Entry> entry = from.status(name);
    if (!entry || entry->kind == tree::Kind::socket) continue;
    if (entry->kind == tree::Kind::directory) {
      capture(*from.enter(name), *entry, sink);
    } else if (entry->kind == tree::Kind::file) {
      capture_file(from, *entry, sink);
    } else {
      sink.add(*entry);
    }
  }
  sink.close_directory();
}

repository::PointId back_up(repository::Repository& repository, const char* folder, tree::NodePtr previous,
                            const char* phase_name) {
  Phase phase(phase_name);
  auto session = repository.begin_backup({});
  repository::PointDraft draft;
  draft.system_name = "bench";
  draft.started = draft.finished = platform::real_clock().now();
  draft.items.resize(1);
  draft.items[0].name = "folder";
  draft.items[0].kind = "directory";
  auto source = platform::open_source_directory(folder);
  tree::Entry root = source->self();
  root.name.clear();
  capture(*source, root, session->begin_item("folder", std::move(previous)));
  session->end_item(draft.items[0]);
  repository::PointId id = session->publish(draft);
  phase.done(session->bytes_read(), session->bytes_stored());
  return id;
}

int run(const char* folder, const char* location) {
  platform::World world = platform::real_world();
  auto store = store::open_local_store(world.files, location, true);
  repository::LocalState state(world.files, std::string(location) + ".state", "bench");
  repository::Context context{*store, world.clock, world.entropy, &state, "bench", "bench"};
  auto created = repository::create(context, repository::password_secret(as_bytes("bench")), {1024, 1});
  repository::Repository& repository = *created.repository;
  auto first = back_up(repository, folder, nullptr, "full");
  tree::NodePtr previous = repository.open_item(repository.load(first), "folder");
  auto second = back_up(repository, folder, previous, "unchanged");
  Phase phase("verify");
  repository::CheckOptions options;
  options.level = repository::Level::content;
  auto report = repository.verify(second, options);
  phase.done(report.bytes, 0);
  return report.damaged.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: engine_bench FOLDER REPOSITORY\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "engine_bench: %s\n", error.what());
    return 1;
  }
}
