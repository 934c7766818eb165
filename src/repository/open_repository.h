// What makes a repository, and what opens one, end with this.
#pragma once

#include "repository/format/repository_object.h"
#include "repository/keys/slot_store.h"
#include "repository/repository.h"

namespace holdfast::repository {

std::unique_ptr<Repository> open_with(const Context& context, const RepositoryObject& object, OpenedSlot opened);

}  // namespace holdfast::repository
