#include "repository/point.h"

#include <numeric>

namespace holdfast::repository {

std::string_view to_text(Origin v) {
  switch (v) {
    case Origin::manual: return "manual";
    case Origin::scheduled: return "scheduled";
    case Origin::imported: return "imported";
  }
  return "unknown";
}

std::string_view to_text(PointStatus v) {
  switch (v) {
    case PointStatus::complete: return "complete";
    case PointStatus::complete_with_findings: return "complete_with_findings";
    case PointStatus::incomplete: return "incomplete";
  }
  return "unknown";
}

std::string_view to_text(Scope v) {
  switch (v) {
    case Scope::full: return "full";
    case Scope::partial: return "partial";
  }
  return "unknown";
}

std::string_view to_text(ItemStatus v) {
  switch (v) {
    case ItemStatus::complete: return "complete";
    case ItemStatus::complete_with_findings: return "complete_with_findings";
    case ItemStatus::failed: return "failed";
  }
  return "unknown";
}

std::string_view to_text(Level v) {
  switch (v) {
    case Level::none: return "none";
    case Level::exists: return "exists";
    case Level::bytes: return "bytes";
    case Level::content: return "content";
    case Level::restore: return "restore";
  }
  return "unknown";
}

std::string fact(const Facts& facts, std::string_view key) {
  for (const auto& [k, value] : facts) {
    if (k == key) return value;
  }
  return "";
}

std::uint64_t PointSummary::bytes() const {
  return std::accumulate(items.begin(), items.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Item& item) { return sum + item.bytes; });
}

}  // namespace holdfast::repository
