// Findings of a walk over many files: of each code the first few by name, the rest as a number.
#pragma once

#include <map>
#include <string>

#include "base/finding.h"
#include "base/text.h"

namespace holdfast::item {

class SomeOfMany {
 public:
  // `root`: what the findings of finish() are about.
  SomeOfMany(FindingSink sink, std::string root, std::size_t named_per_code)
      : sink_(std::move(sink)), root_(std::move(root)), named_(named_per_code) {}

  void add(Finding finding) {
    if (counts_[finding.code]++ < named_) sink_(std::move(finding));
  }
  // Says how many were not named. Call it once at the end.
  void finish() {
    for (const auto& [code, count] : counts_)
      if (count > named_) sink_({code, root_, "and " + human_count(count - named_) + " more", ""});
  }

 private:
  FindingSink sink_;
  std::string root_;
  std::size_t named_;
  std::map<std::string, std::size_t> counts_;
};

}  // namespace holdfast::item
