#include "repository/log/log.h"

#include <algorithm>
#include <queue>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "repository/format/fields.h"
#include "repository/format/point_codec.h"

namespace holdfast::repository {
namespace {

enum Field : std::uint32_t {
  kTime = 1, kPoint = 2, kNote = 3, kSummary = 4, kLevel = 5, kOk = 6, kSlot = 7, kSlotChange = 8, kObject = 9,
  kGround = 10, kConcludes = 11,
};
constexpr std::uint64_t kAdded = 1, kRemoved = 2;
constexpr std::size_t kMaxSeen = 1000;   // heads in one record: 56 KB of the 64 KiB that a header may have
constexpr int kAttempts = 20;

Bytes encode_body(const RecordBody& body) {
  Writer w;
  w.field(kTime, encode_time(body.time));
  for (const PointId& id : body.points) w.field(kPoint, id.view());
  if (!body.note.empty()) w.field_text(kNote, body.note);
  if (body.point) w.field(kSummary, encode_summary(*body.point));
  if (body.level != Level::none) w.field_u64(kLevel, static_cast<std::uint64_t>(body.level)).field_u64(kOk, body.ok ? 1 : 0);
  if (!body.slot.is_zero()) w.field(kSlot, body.slot.view()).field_u64(kSlotChange, body.slot_added ? kAdded : kRemoved);
  for (const std::string& name : body.objects) w.field_text(kObject, name);
  Writer ground;
  for (const auto& [writer, number] : body.ground) ground.raw(writer.view()).u64(number);
  if (!body.ground.empty()) w.field(kGround, ground.bytes());
  if (!body.concludes.is_zero()) w.field(kConcludes, body.concludes.view());
  return w.take();
}

RecordBody decode_body(ByteView plain, const std::string& name) {
  RecordBody body;
  Reader r(plain, "record " + name);
  while (auto field = r.field()) {
    switch (field->tag) {
      case kTime: body.time = decode_time(field->value, name); break;
      case kPoint: body.points.push_back(decode_id<PointId>(field->value, name)); break;
      case kNote: body.note = holdfast::to_text(field->value); break;
      case kSummary: body.point = decode_summary(field->value, name); break;
      case kLevel: {
        std::uint64_t level = field_u64(*field, name);
        if (level > static_cast<std::uint64_t>(Level::restore)) r.damaged("its verification level is unknown");
        body.level = static_cast<Level>(level);
        break;
      }
      case kOk: body.ok = field_u64(*field, name) == 1; break;
      case kSlot: body.slot = decode_id<SlotId>(field->value, name); break;
      case kSlotChange: body.slot_added = field_u64(*field, name) == kAdded; break;
      case kObject: body.objects.push_back(holdfast::to_text(field->value)); break;
      case kGround: {
        Reader heads(field->value, "record " + name);
        while (!heads.at_end()) {
          auto writer = heads.id<WriterId>();
          body.ground[writer] = heads.u64();
        }
        break;
      }
      case kConcludes: body.concludes = decode_id<crypto::Sha256>(field->value, name); break;
      default: break;   // records are never rewritten, so what a newer version added stays in the store
    }
  }
  return body;
}

Bytes encode_links(const Record& record) {
  Writer w;
  w.u64(record.number).raw(record.previous.view()).u16(static_cast<std::uint16_t>(record.type));
  w.u16(static_cast<std::uint16_t>(record.seen.size()));
  for (const auto& [writer, head] : record.seen) w.raw(writer.view()).u64(head.number).raw(head.hash.view());
  return w.take();
}

RecordLinks decode_links(const ParsedObject& parsed, const ObjectName& object, const std::string& name) {
  RecordLinks links;
  links.writer = parsed.header.writer;
  links.hash = object.hash;
  Reader r(parsed.header.extra, "record " + name);
  links.number = r.u64();
  links.previous = r.id<crypto::Sha256>();
  links.type = r.u16();
  for (std::uint16_t count = r.u16(); count > 0; --count) {
    auto writer = r.id<WriterId>();
    std::uint64_t number = r.u64();
    links.seen[writer] = {number, r.id<crypto::Sha256>()};
  }
  if (links.writer != object.writer || links.number != object.number) r.damaged("it lies under the name of another record");
  return links;
}

ParsedObject parse_record(ByteView object, const RepositoryId& repository, const ObjectName& parsed_name, const std::string& name) {
  check_object_hash(object, parsed_name.hash, name);
  return parse_object(object, ObjectType::record, &repository, name);
}

// What the names of a writer's records with this number begin with.
std::string name_without_hash(const WriterId& writer, std::uint64_t number) {
  const std::string name = record_name(writer, number, {});
  return name.substr(0, name.size() - 2 * crypto::Sha256::kSize);
}

std::string short_writer(const WriterId& writer) { return "writer " + writer.hex().substr(0, 8); }

}  // namespace

RecordLinks read_record_links(ByteView object, const RepositoryId& repository, const std::string& name) {
  auto parsed_name = parse_object_name(name);
  if (!parsed_name) throw Error(Code::damaged, "object " + printable(name) + " is damaged: its name is not one of a record");
  return decode_links(parse_record(object, repository, *parsed_name, name), *parsed_name, name);
}

std::vector<std::size_t> causal_order(const std::vector<RecordLinks>& records, const std::vector<Timestamp>& rank) {
  using Key = std::tuple<WriterId, std::uint64_t, crypto::Sha256>;
  std::map<Key, std::size_t> index;
  for (std::size_t i = 0; i < records.size(); ++i) index[{records[i].writer, records[i].number, records[i].hash}] = i;
  std::vector<std::vector<std::size_t>> followers(records.size());
  std::vector<std::size_t> waits_for(records.size(), 0);
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto depend = [&](const Key& on) {
      auto it = index.find(on);
      if (it == index.end()) return;
      followers[it->second].push_back(i);
      ++waits_for[i];
    };
    if (records[i].number > 1) depend({records[i].writer, records[i].number - 1, records[i].previous});
    for (const auto& [writer, head] : records[i].seen) depend({writer, head.number, head.hash});
  }
  // Records hold the hashes of those they follow, so there can be no circle.
  auto later = [&](std::size_t a, std::size_t b) {
    return std::tie(rank[a], records[a].writer, records[a].number, records[a].hash) >
           std::tie(rank[b], records[b].writer, records[b].number, records[b].hash);
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> ready(later);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (waits_for[i] == 0) ready.push(i);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    std::size_t i = ready.top();
    ready.pop();
    order.push_back(i);
    for (std::size_t f : followers[i]) {
      if (--waits_for[f] == 0) ready.push(f);
    }
  }
  return order;
}

Log::Log(store::ObjectStore& store, const RepositoryId& repository, Keyring& keyring)
    : store_(store), repository_(repository), keyring_(keyring) {}

std::set<std::string> Log::list() const {
  std::set<std::string> present;
  store_.list("record/", [&](const store::ObjectInfo& info) { present.insert(info.name); });
  return present;
}

// Whether a record is new and the one before it is not there.
bool Log::has_fresh_gap(const std::set<std::string>& present) const {
  return std::any_of(present.begin(), present.end(), [&](const std::string& name) {
    if (known_.contains(name)) return false;
    const auto parsed = parse_object_name(name);
    if (!parsed || parsed->number <= 1) return false;
    const std::string before = name_without_hash(parsed->writer, parsed->number - 1);
    const auto first = present.lower_bound(before);
    return first == present.end() || !first->starts_with(before);
  });
}

void Log::refresh() {
  std::set<std::string> present = list();
  // A list that takes a while may hold a record and miss the one before it, which was there earlier. A second one begins after both.
  if (has_fresh_gap(present)) present = list();
  if (std::erase_if(known_, [&](const auto& entry) { return !present.contains(entry.first); }) != 0) ordered_ = false;
  broken_.clear();
  for (const std::string& name : present) {
    if (!known_.contains(name)) read_record(name);
  }
  if (!ordered_) order();
}

void Log::read_record(const std::string& name) {
  try {
    known_[name] = std::make_shared<const Record>(decode(store_.get(name, object_limit(ObjectType::record)), name));
    ordered_ = false;
  } catch (const Error& error) {
    known_.erase(name);
    if (error.code() == Code::not_found) return;   // withdrawn by its writer just now
    if (error.code() != Code::damaged) throw;
    broken_.try_emplace(name, Broken{error.message()});
  }
}

Record Log::decode(ByteView object, const std::string& name) {
  auto parsed_name = parse_object_name(name);
  if (!parsed_name) throw Error(Code::damaged, "object " + printable(name) + " is damaged: its name is not one of a record");
  ParsedObject parsed = parse_record(object, repository_, *parsed_name, name);
  RecordLinks links = decode_links(parsed, *parsed_name, name);
  auto key = keyring_.verify_key(links.writer);
  if (!key) {
    broken_[name] = {"record " + name + " is by a writer that the keyring does not know", true};
    throw Error(Code::damaged, broken_[name].what);
  }
  try {
    check_signature(object, *key, name);
  } catch (const Error& error) {
    broken_[name] = {error.message(), true};
    throw;
  }
  Record record{links.writer, links.number, links.hash, links.previous, static_cast<RecordType>(links.type), links.seen, {}};
  const Epoch& epoch = keyring_.epoch(parsed.header.epoch, name);
  ByteView sealed = parsed.rest.first(parsed.rest.size() - kSignatureSize);
  record.body = decode_body(open_body(epoch.meta_key.view(), ObjectType::record, parsed.header_bytes, sealed, name), name);
  return record;
}

void Log::order() {
  std::vector<std::shared_ptr<const Record>> all;
  std::vector<RecordLinks> links;
  std::vector<Timestamp> times;
  numbers_.clear();
  for (const auto& [name, record] : known_) {
    all.push_back(record);
    links.push_back({record->writer, record->number, record->hash, record->previous,
                     static_cast<std::uint16_t>(record->type), record->seen});
    times.push_back(record->body.time);
    numbers_[record->writer].emplace(record->number, record->hash);
  }
  records_.clear();
  for (std::size_t i : causal_order(links, times)) records_.push_back(all[i]);
  ordered_ = true;
}

Heads Log::heads() const {
  Heads heads;
  for (const auto& [writer, numbers] : numbers_) {
    std::uint64_t last = numbers.rbegin()->first;
    heads[writer] = {last, numbers.lower_bound(last)->second};
  }
  return heads;
}

Ground Log::ground() const {
  Ground ground;
  for (const auto& [writer, numbers] : numbers_) ground[writer] = numbers.rbegin()->first;
  return ground;
}

bool Log::contains(const WriterId& writer, const Head& head) const {
  auto it = numbers_.find(writer);
  if (it == numbers_.end()) return false;
  auto [first, last] = it->second.equal_range(head.number);
  return std::any_of(first, last, [&](const auto& entry) { return entry.second == head.hash; });
}

bool Log::settled(const WriterId& writer, std::uint64_t number) const {
  return std::any_of(records_.begin(), records_.end(), [&](const auto& record) {
    if (record->type != RecordType::accept_older) return false;
    auto it = record->seen.find(writer);
    return (record->writer == writer && record->number > number) || (it != record->seen.end() && it->second.number >= number);
  });
}

void Log::own_chain_findings(std::vector<ChainFinding>& findings) const {
  for (const auto& [writer, numbers] : numbers_) {
    std::uint64_t expected = 1;
    for (auto it = numbers.begin(); it != numbers.end(); it = numbers.upper_bound(it->first)) {
      std::uint64_t number = it->first;
      if (number > expected && !settled(writer, number)) {
        findings.push_back({ChainFinding::Kind::gap, short_writer(writer) + ": records " + std::to_string(expected) + " to " +
                                                         std::to_string(number - 1) + " are missing or damaged"});
      }
      if (numbers.count(number) > 1 && !settled(writer, number)) {
        findings.push_back({ChainFinding::Kind::fork,
                            short_writer(writer) + ": there are " + std::to_string(numbers.count(number)) + " records with number " +
                                std::to_string(number)});
      }
      expected = number + 1;
    }
  }
  for (const auto& record : records_) {
    bool first = record->number == 1;
    auto it = numbers_.find(record->writer);
    bool has_previous = !first && it->second.contains(record->number - 1);
    bool follows = first ? record->previous.is_zero() : !has_previous || contains(record->writer, {record->number - 1, record->previous});
    if (!follows && !settled(record->writer, record->number)) {
      findings.push_back({ChainFinding::Kind::fork, short_writer(record->writer) + ": record " + std::to_string(record->number) +
                                                        " does not follow the record before it"});
    }
  }
}

void Log::claim_finding(const WriterId& writer, const Head& head, const std::string& by, std::vector<ChainFinding>& findings) const {
  if (contains(writer, head)) return;
  auto it = numbers_.find(writer);
  std::uint64_t last = it == numbers_.end() ? 0 : it->second.rbegin()->first;
  std::string who = short_writer(writer);
  if (last < head.number) {
    findings.push_back({ChainFinding::Kind::rollback, who + ": " + by + " record " + std::to_string(head.number) +
                                                          ", but the repository has only " + std::to_string(last)});
  } else if (it != numbers_.end() && it->second.contains(head.number)) {   // a claim may name number 0
    findings.push_back({ChainFinding::Kind::fork, who + ": " + by + " another record " + std::to_string(head.number) +
                                                      " than the repository has"});
  }   // else it is missing between others: a gap, told already
}

void Log::omission_findings(std::vector<ChainFinding>& findings) const {
  std::set<PointId> present, forgotten;
  store_.list("point/", [&](const store::ObjectInfo& info) {
    if (auto name = parse_object_name(info.name)) present.insert(name->hash);
  });
  for (const auto& record : records_) {
    if (record->type == RecordType::forget) forgotten.insert(record->body.points.begin(), record->body.points.end());
    if (record->type != RecordType::fence) continue;
    for (const std::string& name : record->body.objects) {   // of a point that is void: concurrency.md
      auto parsed = parse_object_name(name);
      if (parsed && parsed->type == ObjectType::point) forgotten.insert(parsed->hash);
    }
  }
  for (const auto& record : records_) {
    if (record->type != RecordType::point) continue;
    for (const PointId& id : record->body.points) {
      if (present.contains(id) || forgotten.contains(id)) continue;
      findings.push_back({ChainFinding::Kind::omission, "point " + short_id(id) + " (" + short_writer(record->writer) + ", record " +
                                                            std::to_string(record->number) + ") is gone, and nobody has forgotten it"});
    }
  }
}

std::vector<ChainFinding> Log::findings(const Heads& remembered) const {
  std::vector<ChainFinding> findings;
  for (const auto& [name, broken] : broken_) {
    findings.push_back({broken.unsigned_record ? ChainFinding::Kind::unsigned_record : ChainFinding::Kind::gap, broken.what});
  }
  own_chain_findings(findings);
  for (const auto& [writer, head] : remembered) claim_finding(writer, head, "this machine remembers", findings);
  // The newest claim of each writer says it all: heads only grow.
  std::map<std::pair<WriterId, WriterId>, const Record*> claims;
  for (const auto& record : records_) {
    for (const auto& [writer, head] : record->seen) claims[{record->writer, writer}] = record.get();
  }
  for (const auto& [who, record] : claims) {
    if (settled(record->writer, record->number)) continue;
    claim_finding(who.second, record->seen.at(who.second), short_writer(record->writer) + " had seen", findings);
  }
  omission_findings(findings);
  return findings;
}

Bytes Log::encode(const LogWriter& writer, const Record& record, platform::Entropy& entropy) {
  const Epoch& epoch = keyring_.current();
  Bytes object = encode_header({.type = ObjectType::record, .epoch = epoch.number, .repository = repository_,
                                .writer = writer.id, .extra = encode_links(record)});
  Bytes body = seal_body(epoch.meta_key.view(), ObjectType::record, object, encode_body(record.body), entropy);
  object.insert(object.end(), body.begin(), body.end());
  append_signature(object, writer.key);
  return object;
}

bool Log::shares_its_number(const Record& record) {
  const std::string same = name_without_hash(record.writer, record.number);
  bool shared = false;
  store_.list("record/" + record.writer.hex() + "/", [&](const store::ObjectInfo& info) {
    if (!info.name.starts_with(same) || broken_.contains(info.name)) return;
    auto name = parse_object_name(info.name);
    shared = shared || (name && name->hash != record.hash);
  });
  return shared;
}

Record Log::append(const LogWriter& writer, RecordType type, RecordBody body, platform::Clock& clock, platform::Entropy& entropy) {
  std::unique_ptr<platform::FileLock> alone = writer.state ? writer.state->lock_log(repository_) : nullptr;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    refresh();
    Record record{writer.id, 1, {}, {}, type, {}, body};
    record.body.time = clock.now();
    Heads now = heads();
    if (auto own = now.find(writer.id); own != now.end()) {
      record.number = own->second.number + 1;
      record.previous = own->second.hash;
      now.erase(own);
    }
    for (auto it = records_.rbegin(); it != records_.rend() && record.seen.size() < kMaxSeen; ++it) {
      if (auto other = now.find((*it)->writer); other != now.end()) record.seen.insert(*other);
    }
    Bytes object = encode(writer, record, entropy);
    record.hash = crypto::sha256(object);
    std::string name = record_name(writer.id, record.number, record.hash);
    auto decoded = std::make_shared<const Record>(decode(object, name));   // from the very bytes that are stored
    store_.put(name, object);
    if (!shares_its_number(record)) {
      known_[name] = decoded;
      order();
      return *decoded;
    }
    // Both processes see each other and both step back, or only the later one sees the other and steps back.
    store_.remove(name);
    FixedId<8, struct DelayTag> random;
    entropy.fill(random.bytes);
    clock.sleep(std::chrono::milliseconds(random.bytes[0] % 32 * attempt));
  }
  throw Error(Code::busy, "cannot add a record to the log of " + short_writer(writer.id) + ": other processes keep adding theirs")
      .safe("the repository is as it was")
      .hint("run it again");
}

bool is_rollback_or_fork(const ChainFinding& finding) {
  return finding.kind == ChainFinding::Kind::rollback || finding.kind == ChainFinding::Kind::fork;
}

std::string head_code(const WriterId& writer, const Head& head) {
  return writer.hex().substr(0, 8) + "-" + std::to_string(head.number) + "-" + head.hash.hex().substr(0, 16);
}

}  // namespace holdfast::repository
