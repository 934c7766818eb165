// For the tests of this room: a temporary folder, a made sample, other programs, and what lies in a tree.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "sample/sample.h"

namespace holdfast::sample {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = "/tmp/holdfast-sample-test.XXXXXX";
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  Path operator/(const std::string& name) const { return path_ / name; }
  const Path& path() const { return path_; }

 private:
  Path path_;
};

inline std::string read_file(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

inline void write_file(const Path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline platform::ProcessResult run(const std::vector<std::string>& argv) {
  platform::ProcessOptions options;
  options.output_limit = 64U << 20;
  return platform::real_process_runner().run(argv, options);
}

// Output of a program that must end well.
inline std::string output(const std::vector<std::string>& argv) {
  const auto result = run(argv);
  EXPECT_EQ(result.exit_code, 0) << argv[0] << ": " << result.error_output;
  return result.output;
}

// Rows as the sqlite3 program prints them. `live`: somebody else may write; else nothing is left beside the
// file.
inline std::vector<std::string> sql(const Path& database, const std::string& query, bool live = false) {
  const std::string name = live ? database.string() : "file:" + database.string() + "?immutable=1";
  std::istringstream lines(output({"sqlite3", "-readonly", name, query}));
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  return rows;
}

inline SampleReport make_small(const Path& dir, SampleOptions options = {}) {
  auto world = platform::real_world();
  NoProgress progress;
  Cancel cancel;
  if (!options.rows) options.rows = 2000;
  return make_sample(dir, options, world, progress, cancel);
}

// A sample that tests only read, made once.
inline const SampleReport& shared_sample() {
  static const TemporaryFolder folder;
  static const SampleReport report = make_small(folder / "sample");
  return report;
}

inline std::string xattrs_of(const Path& path) {
  char names[4096];
  const ssize_t size = llistxattr(path.c_str(), names, sizeof names);
  std::map<std::string, std::string> found;
  for (ssize_t at = 0; at < size;) {
    const std::string name = names + at;
    char value[4096];
    const ssize_t length = lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
    found[name] = std::string(value, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    at += static_cast<ssize_t>(name.size()) + 1;
  }
  std::string text;
  for (const auto& [name, value] : found) text += " " + name + "=" + to_hex(as_bytes(value));
  return text;
}

// One line about everything that a backup must bring back of `path`.
inline std::string describe(const Path& path) {
  struct stat s {};
  if (lstat(path.c_str(), &s) != 0) return "missing";
  std::ostringstream text;
  text << std::oct << s.st_mode << std::dec << " owner " << s.st_uid << ":" << s.st_gid << " time "
       << s.st_mtim.tv_sec << "." << s.st_mtim.tv_nsec;
  if (S_ISREG(s.st_mode)) {
    text << " size " << s.st_size << " links " << s.st_nlink << " hash "
         << crypto::sha256(as_bytes(read_file(path))).hex();
  } else if (S_ISLNK(s.st_mode)) {
    text << " to " << std::filesystem::read_symlink(path).string();
  } else if (!S_ISDIR(s.st_mode)) {
    text << " device " << s.st_rdev;
  }
  return text.str() + xattrs_of(path);
}

// Everything below `root`, by path relative to it; "" is the root itself.
inline std::map<std::string, std::string> describe_tree(const Path& root) {
  std::map<std::string, std::string> all{{"", describe(root)}};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    all[entry.path().lexically_relative(root).string()] = describe(entry.path());
  }
  return all;
}

}  // namespace holdfast::sample
