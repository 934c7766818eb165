#include "service/api/growth.h"

namespace holdfast::service {
namespace {

std::vector<GrowthSample> read(Statement s) {
  std::vector<GrowthSample> out;
  while (s.step())
    out.push_back({{s.integer(0), 0},
                   static_cast<std::uint64_t>(s.integer(1)),
                   static_cast<std::uint64_t>(s.integer(2)),
                   s.integer(3)});
  return out;
}

}  // namespace

GrowthSample Growth::sample(const Archive::View& view) {
  GrowthSample now{{clock_.now().seconds, 0}, 0, 0, static_cast<std::int64_t>(view.points->size())};
  view.repository->store().list("", [&](const store::ObjectInfo& o) { now.stored_bytes += o.size; });
  for (const auto& p : *view.points) now.protected_bytes += p.bytes();
  Transaction change = state_.change();
  change.run("INSERT INTO growth (time, stored, protected, points) VALUES (?, ?, ?, ?)", now.time.seconds,
             static_cast<std::int64_t>(now.stored_bytes), static_cast<std::int64_t>(now.protected_bytes),
             now.points);
  change.run("DELETE FROM growth WHERE id <= (SELECT max(id) FROM growth) - ?", kSamples);
  change.commit();
  return now;
}

bool Growth::due() {
  const auto last = newest();
  const std::int64_t age = last ? clock_.now().seconds - last->time.seconds : 0;
  return !last || age >= kEvery || age < 0;
}

std::vector<GrowthSample> Growth::since(std::optional<Timestamp> from) {
  Transaction transaction = state_.read();
  return read(
      transaction.ask("SELECT time, stored, protected, points FROM growth WHERE time >= ? ORDER BY id",
                      from ? from->seconds : INT64_MIN));
}

std::optional<GrowthSample> Growth::newest() {
  Transaction transaction = state_.read();
  const auto found =
      read(transaction.ask("SELECT time, stored, protected, points FROM growth ORDER BY id DESC LIMIT 1"));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace holdfast::service
