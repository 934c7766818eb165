// The sample Notification Server: made from nothing, laid out as a real one keeps things (docs/sample.md).
//
// Not a simulation of ITMS: nothing answers requests. It is what a backup sees of such a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/finding.h"
#include "base/progress.h"
#include "platform/world.h"

namespace holdfast::sample {

using platform::Path;

struct SampleOptions {
  // Copied as a whole and unchanged to server/SoftwareLibrary/{GUID}, with every attribute; "" = none.
  Path library;
  // Rows of all tables together, about; 0 = kDefaultRows. At least some hundred are always made.
  std::uint64_t rows = 0;
  // Bytes of packages, patches and programs together, about; 0 = kDefaultContentBytes, less when `rows` is
  // less.
  std::uint64_t content_bytes = 0;
  // The same seed gives the same names, rows and files. Keys, certificates and passwords are fresh every
  // time.
  std::uint64_t seed = 1;
};

inline constexpr std::uint64_t kDefaultRows = 1'000'000;  // about 200 MB of database
inline constexpr std::uint64_t kDefaultContentBytes = 60'000'000;

struct SampleReport {
  Path server, configuration, repository, database;
  Path library;        // where SampleOptions::library was put; "" = none was given
  std::string system;  // name of the system in the configuration file
  std::uint64_t database_bytes = 0, rows = 0;
  std::uint64_t packages = 0;          // folders of the software library, other packages and patches
  std::uint64_t files = 0, bytes = 0;  // everything under `server`
  bool removed_unfinished = false;  // a sample that was killed while being made lay there and was made anew
  double seconds = 0;
  Findings findings;  // what of `library` could not be copied: sockets, vanished files, attributes
};

// Makes the sample in `dir`, which must be empty, missing, or an unfinished sample (then it is made anew).
// already_exists: something else is in `dir`; usage: `library` holds `dir` or lies in it, or is no folder;
// failed: the installer did not end well. What was made until an error stays, marked as unfinished.
SampleReport make_sample(const Path& dir, const SampleOptions& options, platform::World& world,
                         ProgressSink& progress, const Cancel& cancel);

// Changes the sample's database as a live server does until `duration` is over or `cancel` is raised; returns
// the number of committed transactions. Each keeps every invariant.
std::uint64_t run_writer(const Path& database, std::chrono::seconds duration, const Cancel& cancel);

// What holds of the sample's database after every committed transaction, and after all tasks were cancelled:
// a name and a query that gives one row with the number 1.
struct Invariant {
  std::string_view name, query;
};
std::span<const Invariant> invariants();

}  // namespace holdfast::sample
