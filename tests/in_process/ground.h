// What the tests of backup and recovery work on: a sample server, a repository in memory and a world that stands still. One process.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/adapters.h"
#include "backup/backup.h"
#include "backup/status.h"
#include "base/text.h"
#include "platform/testing.h"
#include "recovery/recover.h"
#include "repository/repository.h"
#include "sample/testing.h"
#include "store/testing.h"

namespace holdfast {

using platform::Path;

// The real file system, with what a test asks for in its way.
class WatchedFiles : public platform::FileSystem {
 public:
  std::unique_ptr<platform::ReadFile> open(const Path& p, platform::OpenOptions options) override { return real_.open(p, options); }
  std::unique_ptr<platform::WriteFile> create(const Path& p, platform::CreateOptions o) override { return real_.create(p, o); }
  std::unique_ptr<platform::WriteFile> append(const Path& p) override {
    if (before_append) before_append(p);
    return real_.append(p);
  }
  void rename(const Path& a, const Path& b) override { real_.rename(a, b); }
  void remove(const Path& p) override { real_.remove(p); }
  void make_directory(const Path& p, std::uint32_t mode) override { real_.make_directory(p, mode); }
  void sync_directory(const Path& p) override { real_.sync_directory(p); }
  std::optional<platform::FileInfo> info(const Path& p) override { return real_.info(p); }
  std::vector<Child> list(const Path& p) override {
    if (p == unlistable) throw Error(Code::permission, "cannot list " + p.string());
    return real_.list(p);
  }
  std::uint64_t free_bytes(const Path& p) override { return full ? 1000 : real_.free_bytes(p); }
  bool can_write(const Path& p) override { return p != unwritable && real_.can_write(p); }
  Bytes read_stream(const Path& p, std::uint64_t limit) override { return real_.read_stream(p, limit); }

  bool full = false;
  Path unwritable, unlistable;
  std::function<void(const Path&)> before_append;   // journals are written so

 private:
  platform::FileSystem& real_ = platform::real_file_system();
};

// A sample that is made once; every test works on a copy.
inline const Path& pristine_sample() {
  static const platform::TemporaryFolder folder;
  static const Path made = [] {
    platform::FixedHost host;
    platform::World real = platform::real_world();
    platform::World world{real.files, real.clock, real.entropy, host, real.processes, real.terminal, {}};
    NoProgress progress;
    Cancel cancel;
    sample::SampleOptions options;
    options.rows = 500;
    options.content_bytes = 1'500'000;
    sample::make_sample(folder.path() / "sample", options, world, progress, cancel);
    return folder.path() / "sample";
  }();
  return made;
}

class Ground : public ::testing::Test {
 protected:
  Ground() {
    dir = folder.path() / "sample";
    sample::output({"cp", "-a", pristine_sample().string(), dir.string()});
    // An hour later: what was just written counts as settled.
    clock.set({platform::real_clock().now().seconds + 3600, 0});
    open_repository();
  }

  void open_repository() {
    repository = repository::create({store, clock, entropy, &state, "ns01", "test"}, repository::password_secret(as_bytes("correct horse")), {8, 1}).repository;
  }

  // The configuration as it is, with `more` lines at its end.
  system::System load(const std::string& more = "") {
    if (!more.empty()) std::ofstream(dir / "holdfast.toml", std::ios::app) << "\n" << more << "\n";
    return system::load_system(files, dir / "holdfast.toml", adapters);
  }

  backup::Report back_up(const system::System& system, backup::Selection selection = {}, ProgressSink* sink = nullptr) {
    backup::Environment environment{system, adapters, world, *repository, sink ? *sink : progress, cancel, 2};
    backup::Report report = backup::run({std::move(selection), "", repository::Origin::manual}, environment);
    clock.advance(std::chrono::minutes(10));
    return report;
  }

  recovery::Source source(ProgressSink* sink = nullptr) { return {*repository, adapters, world, sink ? *sink : progress, cancel}; }

  // Rows of a query, as the sqlite3 program prints them.
  std::vector<std::string> sql(const std::string& query) {
    std::vector<std::string> rows = split(sample::output({"sqlite3", database.string(), query}), '\n');
    if (!rows.empty() && rows.back().empty()) rows.pop_back();
    return rows;
  }

  // Changes the registry export with a sed script.
  void edit_registry(const std::string& script) {
    sample::output({"sh", "-c", "iconv -f UTF-16LE -t UTF-8 \"$1\" | sed \"$2\" | iconv -f UTF-8 -t UTF-16LE > \"$1.new\" && mv \"$1.new\" \"$1\"", "sh",
                    registry.string(), script});
  }

  platform::TemporaryFolder folder;
  WatchedFiles files;
  platform::FixedHost host;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{7};
  platform::ScriptedTerminal terminal;
  platform::World world{files, clock, entropy, host, platform::real_process_runner(), terminal, {}};
  item::AdapterSet adapters = app::all_adapters();
  store::MemoryStore memory;
  store::FaultyStore store{memory};
  repository::LocalState state{platform::real_file_system(), folder.path() / "state", host.id};
  std::unique_ptr<repository::Repository> repository;
  Cancel cancel;
  NoProgress progress;
  Path dir = folder.path() / "sample", server = dir / "server", database = server / "Database/Symantec_CMDB.db",
       registry = server / "Registry/HKLM-SOFTWARE-Altiris.reg", keys = server / "ProgramData/Symantec/SMP/KMS";
};

inline std::vector<std::string> codes(const Findings& findings) {
  std::vector<std::string> all;
  for (const Finding& f : findings) all.push_back(f.code);
  return all;
}
inline long count(const Findings& findings, const std::string& code) {
  return std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; });
}
inline std::string all_text(const Findings& findings) {
  std::string text;
  for (const Finding& f : findings) text += f.code + " | " + printable(f.object) + " | " + printable(f.message) + "\n";
  return text;
}

template <class Act>
std::optional<Error> error_of(const Act& act) {
  try {
    act();
  } catch (const Error& e) {
    return e;
  }
  return std::nullopt;
}

}  // namespace holdfast
