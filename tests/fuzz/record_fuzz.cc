// Records: header of the type and plaintext, several in one log, sealed, signed and under the names that they tell.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/log/point_list.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr int kMostRecords = 6;

void put_record(KnownRepository& known, ByteView links, ByteView body) {
  std::uint64_t number = links.size() < 8 ? 1 : Reader(links, "links").u64();
  Bytes object = known.sealed(ObjectType::record, links, body);
  std::string name = record_name(known.writer().id, number, crypto::sha256(object));
  if (!parse_object_name(name)) return;   // a number of eleven digits has no name
  known.memory.ObjectStore::put(name, object);
  accepted([&] { read_record_links(object, known.id(), name); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  for (int i = 0; i < kMostRecords && !in.at_end(); ++i) {
    ByteView links = in.part();
    put_record(known, links, in.part());
  }
  Log log(known.memory, known.id(), *known.keyring);
  accepted([&] {
    log.refresh();
    Heads heads = log.heads();
    log.findings(heads);
    log.findings({{known.writer().id, Head{5, {}}}});
    for (const auto& record : log.records()) require(log.contains(record->writer, {record->number, record->hash}), "a record is in the log");
    std::vector<PointSummary> points = list_points(log.records());
    accepted({Code::not_found, Code::usage}, [&] { resolve_point(points, "latest"); });
    accepted({Code::not_found, Code::usage}, [&] { resolve_point(points, "0000"); });
  });
  accepted([&] { known.open()->points(); });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  Log log(known.memory, known.id(), *known.keyring);
  auto append = [&](RecordType type, RecordBody body) { log.append(known.writer(), type, std::move(body), known.clock, known.entropy); };
  RecordBody point;
  point.points = {crypto::sha256(as_bytes("point"))};
  point.point = PointSummary{};
  point.point->system_name = "ns01";
  point.point->origin = Origin::manual;
  point.point->status = PointStatus::complete;
  point.point->scope = Scope::full;
  point.point->items.push_back({"cmdb", "database", "critical", ItemStatus::complete, 1000});
  append(RecordType::point, point);
  RecordBody about;
  about.points = point.points;
  about.note = "a reason";
  append(RecordType::pin, about);
  about.level = Level::content;
  about.ok = true;
  append(RecordType::verification, about);
  append(RecordType::forget, about);
  about.objects = {known.put(ObjectType::pack, as_bytes("x"))};
  append(RecordType::prune_intent, about);
  append(RecordType::accept_older, {});
  std::vector<Bytes> seeds;
  Parts all;
  for (const auto& [name, object] : known.memory.objects()) {
    if (!name.starts_with("record/")) continue;
    ParsedObject parsed = parse_object(object, ObjectType::record, nullptr, name);
    ByteView sealed = parsed.rest.first(parsed.rest.size() - kSignatureSize);
    Bytes body = open_body(known.epoch().meta_key.view(), ObjectType::record, parsed.header_bytes, sealed, name);
    seeds.push_back(Parts().part(parsed.header.extra).part(body));
    all.part(parsed.header.extra).part(body);
  }
  seeds.push_back(all);
  return seeds;
}
