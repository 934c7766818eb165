#include "base/error.h"
#include "base/text.h"
#include "repository/keys/keyring.h"
#include "repository/open_repository.h"

namespace holdfast::repository {
namespace {

// What an init that was killed left: it makes these before the repository object, and nothing can be stored with them.
// already_exists when the store holds anything else.
std::vector<std::string> leftovers_of_init(store::ObjectStore& store) {
  std::vector<std::string> leftovers;
  std::string found;
  store.list("", [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    bool leftover = name && (name->type == ObjectType::slot || name->type == ObjectType::keyring || name->type == ObjectType::replica);
    if (leftover) leftovers.push_back(info.name);
    else if (found.empty() || info.name.starts_with("repository/")) found = info.name;
  });
  if (found.empty()) return leftovers;
  bool whole = found.starts_with("repository/");
  throw Error(Code::already_exists, "cannot make a repository in " + store.location() + ": " +
                                        (whole ? "there is one already" : "it holds objects of a repository, such as " + printable(found)))
      .safe("nothing was changed")
      .hint(whole ? "give another place" : "give an empty place");
}

// Two inits of one place at the same moment: at least one of them sees the other, and takes its own back.
void refuse_two(store::ObjectStore& store, const crypto::Sha256& own) {
  const std::string name = object_name(ObjectType::repository, own);
  bool alone = true;
  store.list(folder_of(ObjectType::repository), [&](const store::ObjectInfo& info) { alone = alone && info.name == name; });
  if (alone) return;
  store.remove(name);
  throw Error(Code::already_exists, "cannot make a repository in " + store.location() + ": another one was made there at the same time")
      .safe("nothing was stored in either yet")
      .hint("if 'holdfast key list' does not show the other one, empty the place and run 'holdfast init' again");
}

}  // namespace

Created create(const Context& context, const SlotSecret& password, crypto::Argon2Cost cost) {
  if (password.kind != SlotKind::password) {
    throw Error(Code::usage, "cannot make a repository: what was given is a recovery key and not a password").safe("nothing was changed");
  }
  std::vector<std::string> leftovers = leftovers_of_init(context.store);
  Timestamp now = context.clock.now();
  RepositoryObject object;
  object.id = context.entropy.random<RepositoryId>();
  object.created = now;
  object.tool_version = context.tool_version;
  Bytes bytes = encode_repository_object(object);

  crypto::Secret root_key(32);
  context.entropy.fill(root_key.bytes());
  RecoveryKey recovery{crypto::Secret(32)};
  context.entropy.fill(recovery.bytes.bytes());

  Keyring::put_first_epoch(context.store, object.id, root_key, object.hash, now, context.entropy);
  SlotInfo slot = add_slot(context.store, object.id, root_key, password, "password", cost, now, context.entropy);
  add_slot(context.store, object.id, root_key, recovery_secret(recovery), "recovery key", cost, now, context.entropy);
  put_replica(context.store, object.id, {context.entropy.random<ReplicaId>(), ReplicaKind::original, now});
  context.store.put(object_name(ObjectType::repository, object.hash), bytes);   // last: now it is a repository
  refuse_two(context.store, object.hash);
  for (const std::string& name : leftovers) context.store.remove(name);
  return {open_with(context, object, {std::move(root_key), slot.id}), std::move(recovery)};
}

}  // namespace holdfast::repository
