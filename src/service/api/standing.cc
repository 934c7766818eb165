#include "service/api/standing.h"

#include "recovery/kit_note.h"

namespace holdfast::service {

std::shared_ptr<const Standing::Look> Standing::look() {
  const auto system = configuration_.now();
  const auto turn = looking_.take();
  if (!turn)
    return std::make_shared<const Look>(
        Look{system, std::nullopt,
             Error(Code::unavailable, "the server and its repository are being looked at, and that has not ended")
                 .hint("is each file system there that they lie on?")});
  const auto now = world_.clock.elapsed();
  {
    std::lock_guard lock(mutex_);
    if (look_ && !stale_ && look_->system == system && now - looked_at_ < kFresh) return look_;
    stale_ = false;  // what changes from here on is looked at the next time
  }
  auto fresh = std::make_shared<Look>();
  fresh->system = system;
  try {
    const Archive::View view = archive_.look();
    const auto kit = recovery::known_kit(world_.files, state_, system->id);
    fresh->status = backup::status(*system, adapters_, world_, *view.repository, kit ? kit->folder : "");
  } catch (const Error& e) {
    fresh->fault = e;
  }
  look_ = std::move(fresh);
  looked_at_ = now;
  // What cannot be looked at may be back at any time.
  if (look_->fault) changed();
  return look_;
}

void Standing::changed() {
  std::lock_guard lock(mutex_);
  stale_ = true;
}

}  // namespace holdfast::service
