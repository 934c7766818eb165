#include "cli/source.h"

#include <filesystem>

#include "base/error.h"
#include "repository/format/container.h"

namespace holdfast::cli {

std::vector<Option> from_options() {
  return {{"--from", "FILE", "read from this backup file instead of the repository"},
          {"--file-password-file", "FILE", "read the backup file's password from FILE"},
          {"--file-password-command", "COMMAND", "take it from what COMMAND prints"},
          {"--file-password-fd", "N", "read it from the open file N"}};
}

SecretSource file_password(const Arguments& a) {
  return {a.value("--file-password-file"), a.value("--file-password-command"), a.value("--file-password-fd"), "", ""};
}

OpenedSource open_source(const Arguments& a, Context& c) {
  OpenedSource s;
  if (!a.has("--from")) {
    s.repository = &c.repository();
    s.location = s.repository->store().location();
    return s;
  }
  platform::Path file = std::filesystem::absolute(a.value("--from"));
  s.location = file.string();
  s.file_store = repository::open_container(c.world.files, file);
  repository::inspect(*s.file_store);
  repository::Context context = c.repository_context(*s.file_store);
  context.state = nullptr;   // a file that travels is not a repository whose head is remembered
  s.file_repository = repository::open(context, repository::password_secret(c.secret(file_password(a), "Password of " + s.location)));
  s.repository = s.file_repository.get();
  return s;
}

}  // namespace holdfast::cli
