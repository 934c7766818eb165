// What a verb works with: the world, the options that stand before or after any verb, and what they lead to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "cli/output.h"
#include "item/adapter.h"
#include "platform/world.h"
#include "repository/repository.h"
#include "system/system.h"

namespace holdfast::cli {

struct GlobalOptions {
  std::string config, repository, system, key_file, program;   // program: path of the running program
  bool yes = false;
};

// Where a secret comes from: --X-file, --X-command, --X-fd, two environment variables, else the terminal without echo.
struct SecretSource { std::string file, command, fd, file_variable, command_variable; };

class Context {
 public:
  Context(platform::World& world, const item::AdapterSet& adapters, const Cancel& cancel, Output& output,
          GlobalOptions options, SecretSource password);

  platform::World& world;
  const item::AdapterSet& adapters;
  const Cancel& cancel;
  Output& output;
  const GlobalOptions options;

  // -- configuration
  // The configuration file by the order of the contract; nullopt when there is none anywhere.
  std::optional<platform::Path> configuration_file();
  system::System load_system();                       // Error(config) with a hint when there is none
  // Location of the repository: --repository, else the configuration's.
  std::string repository_location();

  // -- repository. Opened once, then kept.
  store::ObjectStore& store();                        // not_found, unsupported, …
  repository::Repository& repository();               // asks for the password when needed
  repository::Context repository_context(store::ObjectStore& store);
  std::unique_ptr<store::ObjectStore> open_store(const std::string& location, bool create);
  // A point of `repository` by what was typed; "latest" means the newest complete one of the system that is meant
  // (configuration, --system); several systems and none named = Error(usage).
  repository::PointId point(repository::Repository& repository, const std::string& text);
  std::optional<repository::SystemId> system_id(repository::Repository& repository);

  // -- secrets. `twice`: asked for again at a terminal, both must be equal. Empty: Error(wrong_key).
  Bytes secret(const SecretSource& source, const std::string& prompt, bool twice = false);
  repository::SlotSecret way_in();                    // the repository's password, recovery key or machine key
  const SecretSource& password_source() const { return password_; }
  bool has_secret_source(const SecretSource& source) const;

  // -- the person
  bool can_ask() { return world.terminal.input_is_terminal(); }
  // Yes/no after a review. --yes answers it; without a terminal and without --yes: Error(usage).
  bool confirm(const std::string& question);
  // A line; without a terminal Error(usage) that names what is missing.
  std::string ask(const std::string& question, const std::string& instead);

  // Local state: $HOLDFAST_STATE, else /var/lib/holdfast for root, else $XDG_STATE_HOME/holdfast or ~/.local/state/holdfast.
  platform::Path state_folder();

 private:
  std::optional<repository::SystemId> configured_system();

  SecretSource password_;
  std::unique_ptr<store::ObjectStore> store_;
  std::unique_ptr<repository::LocalState> state_;
  std::unique_ptr<repository::Repository> repository_;
};

// {"yes"|"no"} reading of an answer.
bool is_yes(std::string_view answer);

}  // namespace holdfast::cli
