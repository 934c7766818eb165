// Where a verb reads recovery points from: the repository, or a backup file given with --from.
#pragma once

#include <memory>

#include "cli/context.h"
#include "cli/verb.h"

namespace holdfast::cli {

struct OpenedSource {
  std::unique_ptr<store::ObjectStore> file_store;            // only with --from
  std::unique_ptr<repository::Repository> file_repository;
  repository::Repository* repository = nullptr;              // the one to read
  std::string location;
};

// --from FILE and the sources of its password (--file-password-...).
std::vector<Option> from_options();
OpenedSource open_source(const Arguments& arguments, Context& context);
SecretSource file_password(const Arguments& arguments);

}  // namespace holdfast::cli
