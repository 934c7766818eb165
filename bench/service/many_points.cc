// A repository with many points, each with the items of a management server and next to no content: for
// measuring lists.
//   many_points FOLDER POINTS SYSTEM_ID     makes FOLDER (fast on a memory file system); its password is
//   "many points"
#include <cstdio>
#include <string>

#include "base/error.h"
#include "platform/world.h"
#include "repository/repository.h"
#include "store/local_store.h"

namespace {

using namespace holdfast;

constexpr const char* kItems[] = {"identity",
                                  "product-list",
                                  "kms-keys",
                                  "cmdb",
                                  "core-settings",
                                  "registry",
                                  "web-config",
                                  "root-certificate",
                                  "site-server-root-certificate",
                                  "licences",
                                  "cem-sheet",
                                  "hierarchy-sheet",
                                  "vendor-backup",
                                  "software-library-share",
                                  "software-library",
                                  "software-packages",
                                  "install-package"};

repository::PointDraft draft_of(std::uint64_t number, const std::string& system,
                                repository::BackupSession& session) {
  repository::PointDraft draft;
  if (!from_hex(system, draft.system_id.bytes)) throw Error(Code::usage, "SYSTEM_ID is 32 hex digits");
  draft.system_name = "ns01";
  draft.started = {1'700'000'000 + static_cast<std::int64_t>(number) * 3600, 0};
  draft.finished = {draft.started.seconds + 60, 0};
  draft.origin = repository::Origin::scheduled;
  draft.tool_version = "bench";
  repository::StoredItem item;
  tree::TreeSink& sink = session.begin_item("cmdb", nullptr);
  sink.begin_file(tree::Chunking::content_defined).write(as_bytes("same"));
  tree::Entry entry;
  entry.size = 4;
  sink.end_file(entry);
  session.end_item(item);
  for (const char* name : kItems) {
    item.name = name;
    item.kind = "directory";
    item.section = "configuration";
    item.criticality = "critical";
    draft.items.push_back(item);
  }
  return draft;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw Error(Code::usage, "many_points FOLDER POINTS SYSTEM_ID");
  platform::World world = platform::real_world();
  auto store = store::open_local_store(world.files, argv[1], true);
  const repository::Context context{*store, world.clock, world.entropy, nullptr, "bench", "bench"};
  auto made = repository::create(context, repository::password_secret(as_bytes("many points")));
  const std::uint64_t points = std::stoull(argv[2]);
  for (std::uint64_t i = 0; i < points; ++i) {
    auto session = made.repository->begin_backup({});
    repository::PointDraft draft = draft_of(i, argv[3], *session);
    session->publish(draft);
  }
  std::printf("%llu points\n", static_cast<unsigned long long>(points));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "many_points: %s\n", e.what());
  return 1;
}
