#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/prune_report.h"
#include "cli/verbs.h"

namespace holdfast::cli {
namespace {

using repository::SlotInfo;
using repository::SlotSecret;
using repository::to_text;

Json to_json(const SlotInfo& s) {
  return {{"slot", s.id.hex()}, {"kind", to_text(s.kind)}, {"created", format_utc(s.created)},
          {"label", s.label ? Json(printable(*s.label)) : Json(nullptr)}, {"damage", s.damage ? Json(*s.damage) : Json(nullptr)}};
}

std::string describe(const std::vector<SlotInfo>& slots) {
  std::vector<std::vector<std::string>> rows{{"SLOT", "KIND", "SINCE", "LABEL"}};
  for (const SlotInfo& s : slots)
    rows.push_back({s.id.hex().substr(0, 12), std::string(to_text(s.kind)), when(s.created),
                    s.damage ? "DAMAGED: " + *s.damage : s.label ? printable(*s.label) : "(shown with a password)"});
  return table(rows, "");
}

// Kind and date need no password; labels do, and are shown when one is given without asking.
int list(const Arguments&, Context& c) {
  std::vector<SlotInfo> slots = c.has_secret_source(c.password_source()) || !c.options.key_file.empty()
                                    ? c.repository().slots_with_labels()
                                    : repository::inspect(c.store()).slots;
  Json all = Json::array();
  for (const SlotInfo& s : slots) all.push_back(to_json(s));
  c.output.answer(describe(slots));
  c.output.result(Json{{"slots", all}});
  return 0;
}

SecretSource new_source(const Arguments& a) {
  return {a.value("--new-password-file"), a.value("--new-password-command"), a.value("--new-password-fd"), "", ""};
}

SlotSecret new_password(const Arguments& a, Context& c) {
  Bytes typed = c.secret(new_source(a), "New password for " + c.repository_location(), true);
  return repository::password_secret(typed);
}

void made(Context& c, const SlotInfo& slot, const std::string& text) {
  c.output.say(text);
  Json j = to_json(slot);
  c.output.result(j);
}

int add(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  std::string label = a.value("--label");
  if (label.empty()) label = c.world.host.host_name();
  if (a.has("--dry-run")) {
    c.output.answer("A way into " + c.repository_location() + " would be added. Nothing was changed.");
    c.output.result(Json{{"dry_run", true}});
    return 0;
  }
  if (a.has("--machine")) {
    platform::Path file = std::filesystem::absolute(a.value("--machine"));
    if (c.world.files.exists(file)) throw Error(Code::already_exists, file.string() + " exists already").safe("nothing was changed");
    Bytes key(32);
    c.world.entropy.fill(key);
    // The file first: a slot whose key was never written would be a way in that nobody has.
    c.world.files.replace(file, as_bytes(repository::machine_key_file(key)), 0400);
    SlotInfo slot;
    try {
      slot = r.add_slot(repository::parse_machine_key(as_bytes(repository::machine_key_file(key))), label);
    } catch (...) {
      c.world.files.remove(file);
      throw;
    }
    made(c, slot, "Machine key written to " + file.string() + " (readable by its owner only). Use it with --key-file.");
  } else if (a.has("--recovery-key")) {
    repository::RecoveryKey key;
    key.bytes = crypto::Secret(32);
    c.world.entropy.fill(key.bytes.bytes());
    SlotInfo slot = r.add_slot(repository::recovery_secret(key), label);
    c.output.answer("Recovery key, shown only now:\n\n" + key.text());
    Json j = to_json(slot);
    j["recovery_key"] = key.text();
    c.output.result(j);
  } else {
    made(c, r.add_slot(new_password(a, c), label), "The password was added. The other ways in stay as they are.");
  }
  return 0;
}

const SlotInfo& find_slot(const std::vector<SlotInfo>& slots, const std::string& text) {
  const SlotInfo* found = nullptr;
  for (const SlotInfo& s : slots) {
    if (!s.id.hex().starts_with(to_lower_ascii(text))) continue;
    if (found != nullptr) throw Error(Code::usage, "several slots begin with " + printable(text)).safe("nothing was changed").hint("give more digits");
    found = &s;
  }
  if (found == nullptr || text.size() < 4)
    throw Error(Code::not_found, "there is no slot " + printable(text)).safe("nothing was changed").hint("'holdfast key list' shows them");
  return *found;
}

int remove(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  auto slots = r.slots_with_labels();
  const SlotInfo& slot = find_slot(slots, a.positional(0));
  c.output.say("Slot " + slot.id.hex().substr(0, 12) + ", " + std::string(to_text(slot.kind)) + ", since " + when(slot.created) +
               (slot.label ? ", " + printable(*slot.label) : "") + (slot.opened_with ? " (the one that you just used)" : "") +
               "\nRemoving a way in does not revoke what its holder has already seen.");
  if (a.has("--dry-run") || !c.confirm("Remove it?")) {
    c.output.say("Nothing was changed.");
    c.output.result(Json{{"removed", nullptr}});
    return 0;
  }
  r.remove_slot(slot.id);
  c.output.say("It was removed.");
  c.output.result(Json{{"removed", slot.id.hex()}});
  return 0;
}

// A new password in place of the one that was just used. The new slot is there before the old one goes.
int change(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  auto slots = r.slots_with_labels();
  auto used = std::find_if(slots.begin(), slots.end(), [](const SlotInfo& s) { return s.opened_with; });
  if (used == slots.end() || used->kind != repository::SlotKind::password)
    throw Error(Code::usage, "only a password can be changed, and the repository was not opened with one")
        .safe("nothing was changed")
        .hint("open it with the password to be changed, or use 'holdfast key add' and 'holdfast key remove'");
  if (a.has("--dry-run")) {
    c.output.answer("The password of slot " + used->id.hex().substr(0, 12) + ", since " + when(used->created) + ", would be replaced. Nothing was changed.");
    c.output.result(Json{{"slot", used->id.hex()}, {"dry_run", true}});
    return 0;
  }
  SlotInfo slot = r.add_slot(new_password(a, c), used->label.value_or(""));
  r.remove_slot(used->id);
  made(c, slot, "The password was changed. Anyone who knows the old one and has an older copy of the repository can still open that copy.");
  return 0;
}

int test(const Arguments&, Context& c) {
  repository::Repository& r = c.repository();
  std::string with = "?";
  for (const SlotInfo& s : r.slots_with_labels())
    if (s.opened_with) with = std::string(to_text(s.kind)) + " " + s.id.hex().substr(0, 12);
  c.output.answer("It opens " + c.repository_location() + " (" + with + ").");
  c.output.result(Json{{"opens", true}, {"slot", with}});
  return 0;
}

// A new epoch, and, when asked for, everything that points need under its keys.
int rotate(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  bool rewrite = a.has("--rewrite");
  c.output.say(std::string("What is written from now on gets new keys, and is stored anew even where older packs hold the same. Earlier points stay as they are.") +
               (rewrite ? "\nAll packs are then written again under the new keys; that takes as much room as they do, until the old ones are deleted." : "") +
               "\nNot changed: the root key and the ways in; and what older keys still open, for whoever has seen them: recovery points, records and the"
               "\nindex of earlier epochs, until the points are forgotten and pruned, and every copy made before.");
  if (a.has("--dry-run") || !c.confirm("Begin a new key epoch?")) {
    c.output.say("Nothing was changed.");
    c.output.result(Json{{"epoch", nullptr}, {"dry_run", a.has("--dry-run")}});
    return 0;
  }
  std::uint32_t epoch = r.rotate_keys();
  c.output.say("Key epoch " + std::to_string(epoch) + " has begun.");
  if (!rewrite) {
    c.output.result(Json{{"epoch", epoch}});
    return 0;
  }
  repository::PruneOptions options;
  options.rewrite_old_epochs = true;
  options.run = {&c.output, &c.cancel, 0};
  auto report = r.prune(options);
  c.output.end();
  tell_pruned(c, report, false);
  return report.damaged.empty() ? 0 : 3;
}

}  // namespace

std::vector<Verb> key_verbs() {
  const std::vector<Option> fresh{{"--new-password-file", "FILE", "read the new password from FILE"},
                                  {"--new-password-command", "COMMAND", "take the new password from what COMMAND prints"},
                                  {"--new-password-fd", "N", "read the new password from the open file N"}};
  Verb l;
  l.name = "key list";
  l.summary = "show the ways into the repository; needs no password, labels do";
  l.examples = {{"holdfast key list", "kind and date of each way in"}};
  l.run = list;
  Verb ad;
  ad.name = "key add";
  ad.summary = "add a way in: a password, a machine key, a recovery key";
  ad.options = fresh;
  ad.options.push_back({"--machine", "FILE", "a key for an unattended machine, written to FILE"});
  ad.options.push_back({"--recovery-key", "", "another recovery key, shown once"});
  ad.options.push_back({"--label", "TEXT", "whose it is (default: this host)"});
  ad.options.push_back({"--dry-run", "", "say what would be done, change nothing"});
  ad.examples = {{"holdfast key add --label \"second administrator\"", "asks for both passwords"},
                 {"holdfast key add --machine /etc/holdfast/machine.key", "for unattended backups with --key-file"}};
  ad.run = add;
  Verb re;
  re.name = "key remove";
  re.summary = "remove a way in; the last one stays";
  re.positionals = {{"SLOT", "first digits of the slot, as 'key list' shows it"}};
  re.options = {{"--dry-run", "", "say what would be done, change nothing"}};
  re.examples = {{"holdfast key remove 3f2a9c", "asks before it removes"}};
  re.run = remove;
  Verb ch;
  ch.name = "key change";
  ch.summary = "change the password that you give";
  ch.options = fresh;
  ch.options.push_back({"--dry-run", "", "say what would be done, change nothing"});
  ch.examples = {{"holdfast key change", "asks for the old and twice for the new one"}};
  ch.run = change;
  Verb te;
  te.name = "key test";
  te.summary = "prove that a password or recovery key opens the repository";
  te.examples = {{"holdfast key test", "asks for the password or the recovery key"}};
  te.run = test;
  Verb ro;
  ro.name = "key rotate";
  ro.summary = "begin a new key epoch for what is written from now on";
  ro.options = {{"--rewrite", "", "and write all packs again under the new keys"},
                {"--dry-run", "", "say what would be done, change nothing"}};
  ro.details = "The remedy for a key that leaked, as far as there is one. New packs use new keys and new names of chunks, so deduplication with older "
               "packs ends. With --rewrite older packs are written again under the new keys and the old ones are deleted; the names of their chunks "
               "stay. Neither changes the root key, nor the ways in, nor what whoever holds older keys has seen or copied: recovery points, records and "
               "index segments of earlier epochs stay readable with the old keys until the points are forgotten and pruned. A slot that is no longer "
               "trusted must be removed as well ('key remove').";
  ro.examples = {{"holdfast key rotate", "asks before it begins"}, {"holdfast key rotate --rewrite --yes", "and writes all packs again"}};
  ro.run = rotate;
  return {l, ad, re, ch, te, ro};
}

}  // namespace holdfast::cli
