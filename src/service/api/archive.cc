#include "service/api/archive.h"

#include "repository/log/local_state.h"
#include "store/open_store.h"

namespace holdfast::service {

// What an open repository stands on, in the order in which it goes.
struct Archive::Opened {
  std::string location;
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<repository::LocalState> state;
  std::unique_ptr<repository::Repository> repository;
};

Archive::Archive(Place place) : place_(std::move(place)), looking_(place_.patience) {}
Archive::~Archive() = default;

Archive::View Archive::look() {
  const auto turn = looking_.take();
  if (!turn)
    throw Error(Code::unavailable, "the repository does not answer: a look at it that began a while ago has not ended")
        .safe("nothing was changed")
        .hint("is the file system there on which it lies?");
  const auto now = place_.world.clock.elapsed();
  {
    std::lock_guard lock(mutex_);
    if (view_.points && !stale_ && now - looked_at_ < kFresh) return view_;
    stale_ = false;  // what changes from here on is read the next time
  }
  try {
    view_ = looked();
    looked_at_ = now;
    std::lock_guard lock(mutex_);
    fault_.reset();
    return view_;
  } catch (const Error& e) {
    view_ = {};
    opened_.reset();
    std::lock_guard lock(mutex_);
    fault_ = e;
    throw;
  }
}

Archive::View Archive::looked() {
  const std::string location = place_.location();
  if (!opened_ || opened_->location != location) {
    auto fresh = std::make_shared<Opened>();
    platform::World& world = place_.world;
    fresh->location = location;
    fresh->store = store::open_store(world.files, location, false);
    repository::inspect(*fresh->store);  // says "no repository there" before the key is read
    fresh->state =
        std::make_unique<repository::LocalState>(world.files, place_.state, world.host.machine_id());
    const repository::Context context{
        *fresh->store,          world.clock,   world.entropy,         fresh->state.get(),
        world.host.host_name(), place_.writer, place_.state / "cache"};
    fresh->repository = repository::open(context, place_.way_in());
    opened_ = std::move(fresh);
  }
  View view;
  view.repository = std::shared_ptr<repository::Repository>(opened_, opened_->repository.get());
  view.points = std::make_shared<const Points>(view.repository->points());
  view.head = view.repository->head_code();
  return view;
}

void Archive::changed() {
  std::lock_guard lock(mutex_);
  stale_ = true;
}

std::optional<Error> Archive::fault() const {
  std::lock_guard lock(mutex_);
  return fault_;
}

}  // namespace holdfast::service
