#include "repository/format/point_codec.h"

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "repository/data/content.h"
#include "repository/format/fields.h"

namespace holdfast::repository {
namespace {

enum PointField : std::uint32_t {
  kSystemId = 1, kSystemName = 2, kStarted = 3, kFinished = 4, kOrigin = 5, kStatus = 6, kScope = 7, kLabel = 8, kTool = 9,
  kConfiguration = 10, kProfile = 11, kIdentity = 12, kItem = 13, kFinding = 14, kProvenance = 15, kSection = 16,
};
enum ItemField : std::uint32_t {
  kItemName = 1, kItemKind = 2, kItemSection = 3, kItemCriticality = 4, kItemStatus = 5, kItemBytes = 6, kItemFiles = 7,
  kItemMilliseconds = 8, kItemFact = 9, kItemFinding = 10, kItemRoot = 11,
};

Bytes encode_fact(const std::pair<std::string, std::string>& fact) {
  Writer w;
  w.text(fact.first).text(fact.second);
  return w.take();
}

std::pair<std::string, std::string> decode_fact(ByteView value, std::string_view name) {
  Reader r(value, name);
  std::string key = r.text();
  std::pair<std::string, std::string> fact{std::move(key), r.text()};
  r.expect_end();
  return fact;
}

Bytes encode_finding(const Finding& finding) {
  Writer w;
  w.text(finding.code).text(finding.object).text(finding.message).text(finding.hint);
  return w.take();
}

Finding decode_finding(ByteView value, std::string_view name) {
  Reader r(value, name);
  Finding finding;
  finding.code = r.text();
  finding.object = r.text();
  finding.message = r.text();
  finding.hint = r.text();
  r.expect_end();
  return finding;
}

// A stored enum value from 1 to `last`.
template <class Enum>
Enum decode_enum(const Reader::Field& field, Enum last, std::string_view name) {
  std::uint64_t value = field_u64(field, name);
  if (value < 1 || value > static_cast<std::uint64_t>(last)) {
    throw Error(Code::damaged, std::string(name) + " is damaged: field " + std::to_string(field.tag) + " has an unknown value");
  }
  return static_cast<Enum>(value);
}

template <class Enum>
std::uint64_t number(Enum value) { return static_cast<std::uint64_t>(value); }

Bytes encode_item(const StoredItem& item) {
  Writer w;
  w.field_text(kItemName, item.name).field_text(kItemKind, item.kind).field_text(kItemSection, item.section);
  w.field_text(kItemCriticality, item.criticality).field_u64(kItemStatus, number(item.status));
  w.field_u64(kItemBytes, item.bytes).field_u64(kItemFiles, item.files).field_u64(kItemMilliseconds, item.milliseconds);
  for (const auto& fact : item.facts) w.field(kItemFact, encode_fact(fact));
  for (const Finding& finding : item.findings) w.field(kItemFinding, encode_finding(finding));
  if (item.root) {
    Writer root;
    root.blob(item.root->first).u8(1);
    encode_reference(root, item.root->second);
    w.field(kItemRoot, root.bytes());
  }
  return w.raw(item.unknown_fields).take();
}

std::pair<Bytes, ContentRef> decode_root(ByteView value, std::string_view name) {
  Reader r(value, name);
  ByteView entry = r.blob();
  if (r.u8() != 1) r.damaged("an item's root has no content");
  std::pair<Bytes, ContentRef> root{Bytes(entry.begin(), entry.end()), decode_reference(r)};
  r.expect_end();
  return root;
}

StoredItem decode_item(ByteView value, std::string_view name) {
  StoredItem item;
  Reader r(value, name);
  Writer unknown;
  while (auto f = r.field()) {
    switch (f->tag) {
      case kItemName: item.name = holdfast::to_text(f->value); break;
      case kItemKind: item.kind = holdfast::to_text(f->value); break;
      case kItemSection: item.section = holdfast::to_text(f->value); break;
      case kItemCriticality: item.criticality = holdfast::to_text(f->value); break;
      case kItemStatus: item.status = decode_enum(*f, ItemStatus::failed, name); break;
      case kItemBytes: item.bytes = field_u64(*f, name); break;
      case kItemFiles: item.files = field_u64(*f, name); break;
      case kItemMilliseconds: item.milliseconds = field_u64(*f, name); break;
      case kItemFact: item.facts.push_back(decode_fact(f->value, name)); break;
      case kItemFinding: item.findings.push_back(decode_finding(f->value, name)); break;
      case kItemRoot: item.root = decode_root(f->value, name); break;
      default: unknown.field(f->tag, f->value);
    }
  }
  item.unknown_fields = unknown.take();
  return item;
}

// The fields that a point and its summary have in common. Target: PointDraft or PointSummary.
template <class Target>
void encode_common(Writer& w, const Target& t) {
  w.field(kSystemId, t.system_id.view()).field_text(kSystemName, t.system_name);
  w.field(kStarted, encode_time(t.started)).field(kFinished, encode_time(t.finished));
  w.field_u64(kOrigin, number(t.origin)).field_u64(kStatus, number(t.status)).field_u64(kScope, number(t.scope));
  w.field_text(kLabel, t.label).field_text(kSection, t.section);
}

// false: the field is none of them.
template <class Target>
bool decode_common(const Reader::Field& f, Target& t, std::string_view name) {
  switch (f.tag) {
    case kSystemId: t.system_id = decode_id<SystemId>(f.value, name); return true;
    case kSystemName: t.system_name = holdfast::to_text(f.value); return true;
    case kStarted: t.started = decode_time(f.value, name); return true;
    case kFinished: t.finished = decode_time(f.value, name); return true;
    case kOrigin: t.origin = decode_enum(f, Origin::imported, name); return true;
    case kStatus: t.status = decode_enum(f, PointStatus::incomplete, name); return true;
    case kScope: t.scope = decode_enum(f, Scope::partial, name); return true;
    case kLabel: t.label = holdfast::to_text(f.value); return true;
    case kSection: t.section = holdfast::to_text(f.value); return true;
    default: return false;
  }
}

}  // namespace

Bytes encode_point(const PointDraft& draft) {
  Writer w;
  encode_common(w, draft);
  w.field_text(kTool, draft.tool_version).field(kConfiguration, draft.configuration).field(kProfile, draft.profile);
  for (const auto& fact : draft.identity) w.field(kIdentity, encode_fact(fact));
  for (const StoredItem& item : draft.items) w.field(kItem, encode_item(item));
  for (const Finding& finding : draft.findings) w.field(kFinding, encode_finding(finding));
  for (const auto& fact : draft.provenance) w.field(kProvenance, encode_fact(fact));
  return w.raw(draft.unknown_fields).take();
}

PointDraft decode_point(ByteView plain, std::string_view name) {
  PointDraft draft;
  Reader r(plain, name);
  Writer unknown;
  while (auto f = r.field()) {
    if (decode_common(*f, draft, name)) continue;
    switch (f->tag) {
      case kTool: draft.tool_version = holdfast::to_text(f->value); break;
      case kConfiguration: draft.configuration.assign(f->value.begin(), f->value.end()); break;
      case kProfile: draft.profile.assign(f->value.begin(), f->value.end()); break;
      case kIdentity: draft.identity.push_back(decode_fact(f->value, name)); break;
      case kItem: draft.items.push_back(decode_item(f->value, name)); break;
      case kFinding: draft.findings.push_back(decode_finding(f->value, name)); break;
      case kProvenance: draft.provenance.push_back(decode_fact(f->value, name)); break;
      default: unknown.field(f->tag, f->value);
    }
  }
  draft.unknown_fields = unknown.take();
  return draft;
}

Bytes encode_summary(const PointSummary& summary) {
  Writer w;
  encode_common(w, summary);
  for (const PointSummary::Item& item : summary.items) {
    Writer i;
    i.field_text(kItemName, item.name).field_text(kItemKind, item.kind).field_text(kItemCriticality, item.criticality);
    i.field_u64(kItemStatus, number(item.status)).field_u64(kItemBytes, item.bytes);
    w.field(kItem, i.bytes());
  }
  return w.take();
}

PointSummary decode_summary(ByteView plain, std::string_view name) {
  PointSummary summary;
  Reader r(plain, name);
  while (auto f = r.field()) {
    if (decode_common(*f, summary, name) || f->tag != kItem) continue;
    StoredItem item = decode_item(f->value, name);
    summary.items.push_back({item.name, item.kind, item.criticality, item.status, item.bytes});
  }
  return summary;
}

PointSummary summary_of(const PointDraft& draft) {
  PointSummary summary;
  summary.system_id = draft.system_id;
  summary.system_name = draft.system_name;
  summary.label = draft.label;
  summary.section = draft.section;
  summary.started = draft.started;
  summary.finished = draft.finished;
  summary.origin = draft.origin;
  summary.status = draft.status;
  summary.scope = draft.scope;
  for (const StoredItem& item : draft.items) {
    summary.items.push_back({item.name, item.kind, item.criticality, item.status, item.bytes});
  }
  return summary;
}

}  // namespace holdfast::repository
