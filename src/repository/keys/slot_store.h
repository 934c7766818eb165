// The slots of a repository: each a way to the root key. docs/repository-format.md "Slot".
//
// Slots are listed without any key. A damaged slot is told as damaged, never as a wrong password.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "platform/entropy.h"
#include "repository/format/envelope.h"
#include "repository/keys/keys.h"
#include "store/object_store.h"

namespace holdfast::repository {

// All slots, damaged ones with their damage; oldest first. Labels only with `root_key` (nullptr: without).
std::vector<SlotInfo> list_slots(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret* root_key);

struct OpenedSlot {
  crypto::Secret root_key;   // 32 bytes
  SlotId slot;
};
// Tries every slot of the secret's kind; a password that looks like a recovery key is tried as one too.
// wrong_key: no slot opens. damaged: none opens and one that might have is damaged. unsupported: none opens and one that
// might have asks for more Argon2 memory or passes than allowed, or is of a newer version.
OpenedSlot open_root_key(store::ObjectStore& store, const RepositoryId& repository, const SlotSecret& secret);

// Puts a new slot for `root_key` into the store. `cost` counts for passwords only.
SlotInfo add_slot(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret& root_key,
                  const SlotSecret& secret, const std::string& label, crypto::Argon2Cost cost, Timestamp created,
                  platform::Entropy& entropy);

}  // namespace holdfast::repository
