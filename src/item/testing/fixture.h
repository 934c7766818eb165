// What tests of item kinds share: a scratch folder with real files, a world whose clock stands still, and
// capture and apply in one line each. Header only; link holdfast_item_testing and holdfast_testing.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "item/adapter.h"
#include "item/files/files.h"
#include "item/testing/memory_tree.h"
#include "platform/testing.h"

namespace holdfast::item::testing {

class ItemTest : public ::testing::Test {
 protected:
  // A file below the scratch folder, with a modification time that no test run makes by chance.
  Path write(const std::string& name, ByteView content, mode_t mode = 0640,
             std::int64_t modified = 1'767'600'000) {
    const Path path = folder.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << as_text(content);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    const timespec times[2] = {{modified, 123}, {modified, 123456789}};
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    EXPECT_EQ(::utimensat(AT_FDCWD, path.parent_path().c_str(), times, 0), 0);
    return path;
  }
  Path write(const std::string& name, std::string_view content, mode_t mode = 0640,
             std::int64_t modified = 1'767'600'000) {
    return write(name, as_bytes(content), mode, modified);
  }
  Bytes read(const Path& path) { return world.files.read_all(path); }

  CaptureContext context() {
    return {world, cancel, progress, [this](Finding f) { findings.push_back(std::move(f)); },
            facts, {},     {},       {}};
  }
  tree::NodePtr capture(const Adapter& adapter, const ItemSpec& spec) {
    facts.clear();
    findings.clear();
    MemoryTree tree;
    CaptureContext c = context();
    adapter.capture(spec, tree, c);
    return tree.root();
  }
  void apply(const Adapter& adapter, const ItemSpec& spec, const tree::NodePtr& stored,
             std::optional<Path> to = std::nullopt) {
    ApplyContext c{
        world,         cancel,        progress, [this](Finding f) { findings.push_back(std::move(f)); },
        {true, false}, std::move(to), true};
    adapter.apply(spec, stored, c);
  }
  std::vector<CheckResult> check(const Adapter& adapter, const ItemSpec& spec, const tree::NodePtr& stored) {
    CaptureContext c = context();
    return adapter.check(spec, stored, c);
  }
  static bool all_passed(const std::vector<CheckResult>& results) {
    for (const CheckResult& r : results)
      if (!r.passed) return false;
    return !results.empty();
  }

  // The Error that `act` throws; fails the test when it throws none.
  template <class Act>
  static Error error_of(const Act& act) {
    try {
      act();
    } catch (const Error& e) {
      return e;
    }
    ADD_FAILURE() << "no error";
    return Error(Code::defect, "no error");
  }
  bool found(const std::string& code) const {
    for (const Finding& f : findings)
      if (f.code == code) return true;
    return false;
  }
  std::string codes() const {
    std::string all;
    for (const Finding& f : findings) all += f.code + " ";
    return all;
  }
  std::string fact(const std::string& key) const {
    for (const auto& [k, v] : facts)
      if (k == key) return v;
    return "(none)";
  }
  // Everything that a person may see of a run, to look for secrets in.
  std::string everything_said() const {
    std::string all;
    for (const auto& [k, v] : facts) all += k + v + "\n";
    for (const Finding& f : findings) all += f.code + f.object + f.message + f.hint + "\n";
    return all;
  }

  // Captures, loses the files, applies in place: every byte and attribute of `paths` and of their folders is
  // back, the checks pass, a second apply changes nothing; then a changed file makes a check fail. Returns
  // the stored item.
  tree::NodePtr expect_round_trip(const Adapter& adapter, const ItemSpec& spec,
                                  const std::vector<Path>& paths) {
    struct Kept { Path path; tree::Entry entry, folder; Bytes content; };
    auto folder_entry = [](const Path& p) {
      return platform::open_source_directory(p.parent_path())->self();
    };
    std::vector<Kept> kept;
    for (const Path& path : paths) {
      Kept k{path, {}, folder_entry(path), read(path)};
      platform::open_source_file(path, k.entry);
      kept.push_back(std::move(k));
    }
    const tree::NodePtr stored = capture(adapter, spec);
    for (const Kept& k : kept) std::filesystem::remove(k.path);
    for (int run = 0; run < 2; ++run) {
      apply(adapter, spec, stored);
      for (const Kept& k : kept) {
        tree::Entry now;
        platform::open_source_file(k.path, now);
        EXPECT_EQ(metadata_differences(k.entry, now), std::vector<std::string>{}) << k.path;
        EXPECT_EQ(metadata_differences(k.folder, folder_entry(k.path)), std::vector<std::string>{})
            << k.path.parent_path();
        EXPECT_EQ(read(k.path), k.content) << k.path;
      }
    }
    const auto results = check(adapter, spec, stored);
    for (const CheckResult& r : results) EXPECT_TRUE(r.passed) << r.name << ": " << r.detail;
    EXPECT_FALSE(results.empty());
    std::ofstream(kept.front().path, std::ios::app) << "x";
    EXPECT_FALSE(all_passed(check(adapter, spec, stored)));
    apply(adapter, spec, stored);
    return stored;
  }

  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  Cancel cancel;
  NoProgress progress;
  platform::World world{platform::real_file_system(), clock, platform::real_entropy(), platform::real_host(),
                        platform::real_process_runner(), platform::real_terminal(), {}};
  Facts facts;
  Findings findings;
};

inline ItemSpec spec_of(const std::string& name, const std::string& kind,
                        std::map<std::string, OptionValue> options) {
  ItemSpec spec;
  spec.name = name;
  spec.kind = kind;
  spec.options = std::move(options);
  return spec;
}

inline std::string text_of(const std::vector<Change>& changes) {
  static constexpr char kSigns[] = {'+', '-', '~'};
  std::string all;
  for (const Change& c : changes)
    all += std::string(1, kSigns[static_cast<int>(c.kind)]) + " " + c.where + " | " + c.before + " | " +
           c.after + "\n";
  return all;
}

}  // namespace holdfast::item::testing
