#include "cli/context.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cli/run.h"
#include "store/open_store.h"

namespace holdfast::cli {
namespace {

using platform::Path;

constexpr std::uint64_t kSecretLimit = UINT64_C(1) << 20;   // the format's longest password

int descriptor(const std::string& text) {
  int fd = -1;
  for (char c : text) {
    if (c < '0' || c > '9' || fd > 100'000) throw Error(Code::usage, "'" + printable(text) + "' is not the number of an open file");
    fd = (fd < 0 ? 0 : fd * 10) + (c - '0');
  }
  return fd;
}

// What is asked before anything is done: a person who leaves then has changed nothing.
template <class Ask>
std::string asked(const Ask& ask) {
  try {
    return ask();
  } catch (Error& e) {
    if (e.safe().empty()) e.safe("nothing was changed");
    throw;
  }
}

// A password's or a key's file that cannot be read is told as such: what the code's own hint speaks of is a recovery point.
template <class Read>
Bytes secret_file(const std::string& what, Read read) {
  try {
    return read();
  } catch (const Error& e) {
    throw Error(e.code(), what + ": " + e.what()).safe("nothing was changed").hint("is the file there, and may this user read it?");
  }
}

}  // namespace

Context::Context(platform::World& w, const item::AdapterSet& a, const Cancel& c, Output& o, GlobalOptions g, SecretSource p)
    : world(w), adapters(a), cancel(c), output(o), options(std::move(g)), password_(std::move(p)) {}

std::optional<Path> Context::configuration_file() {
  if (!options.config.empty()) return Path(options.config);
  if (auto named = platform::get(world.environment, "HOLDFAST_CONFIG"); named && !named->empty()) return Path(*named);
  for (const char* usual : {"holdfast.toml", "/etc/holdfast/holdfast.toml"})
    if (world.files.exists(usual)) return Path(usual);
  return std::nullopt;
}

system::System Context::load_system() {
  auto file = configuration_file();
  if (!file)
    throw Error(Code::config, "there is no configuration file: neither --config, HOLDFAST_CONFIG, ./holdfast.toml nor "
                                 "/etc/holdfast/holdfast.toml")
        .safe("nothing was changed")
        .hint("give --config FILE; to recover or restore, --repository and the password are enough");
  if (!world.files.exists(*file))
    throw Error(Code::config, "there is no configuration file " + printable(file->string())).safe("nothing was changed").hint("give its path with --config FILE");
  return system::load_system(world.files, std::filesystem::absolute(*file), adapters);
}

std::string Context::repository_location() {
  if (!options.repository.empty()) return options.repository;
  system::System system = load_system();
  if (system.repository.empty())
    throw Error(Code::usage, "no repository is named, neither by --repository nor in " + system.file.string())
        .safe("nothing was changed")
        .hint("add [repository] location = \"FOLDER\", or give --repository FOLDER");
  return system.repository;
}

std::unique_ptr<store::ObjectStore> Context::open_store(const std::string& location, bool create) {
  return store::open_store(world.files, location, create);
}

store::ObjectStore& Context::store() {
  if (!store_) store_ = open_store(repository_location(), false);
  return *store_;
}

repository::Context Context::repository_context(store::ObjectStore& where) {
  if (!state_) state_ = std::make_unique<repository::LocalState>(world.files, state_folder(), world.host.machine_id());
  return {where, world.clock, world.entropy, state_.get(), world.host.host_name(), "holdfast " + version(),
          state_folder() / "cache"};
}

repository::Repository& Context::repository() {
  if (!repository_) {
    store::ObjectStore& where = store();
    repository::inspect(where);   // says "no repository there" before a password is asked for
    repository_ = repository::open(repository_context(where), way_in());
    for (const auto& f : repository_->chain_findings()) {
      Finding finding{"history", where.location(), f.message, "see 'holdfast accept-older --help' when an older copy was brought back on purpose"};
      output.finding(finding);
    }
  }
  return *repository_;
}

// A configuration file that cannot be read must not be in the way of a recovery, unless it was asked for.
std::optional<repository::SystemId> Context::configured_system() {
  auto file = configuration_file();
  if (!file || !world.files.exists(*file)) return std::nullopt;
  try {
    repository::SystemId id;
    if (from_hex(load_system().id, id.bytes)) return id;
  } catch (const Error& e) {
    if (!options.config.empty()) throw;
    output.finding({"configuration_ignored", file->string(), e.what(), "repair it, or bring it back: 'holdfast recover' restores it"});
  }
  return std::nullopt;
}

std::optional<repository::SystemId> Context::system_id(repository::Repository& from) {
  // The configuration tells which system of its own repository is meant; a backup file has come from anywhere.
  if (options.system.empty() && &from == repository_.get())
    if (auto id = configured_system()) return id;
  std::set<repository::SystemId> ids;
  std::set<std::string> names;
  for (const auto& p : from.points()) {
    names.insert(p.system_name);
    if (options.system.empty() || p.system_name == options.system || p.system_id.hex() == options.system) ids.insert(p.system_id);
  }
  std::vector<std::string> all(names.begin(), names.end());
  if (!options.system.empty() && ids.empty()) {
    std::string near = nearest_name(options.system, all);
    throw Error(Code::unknown_name, "this repository holds no system '" + printable(options.system) + "'")
        .hint(near.empty() ? "it holds: " + printable(join(all, ", ")) : "did you mean '" + printable(near) + "'?");
  }
  if (ids.size() > 1)
    throw Error(Code::usage, "this repository holds several systems: " + printable(join(all, ", ")))
        .safe("nothing was changed")
        .hint("name one with --system NAME");
  if (ids.empty()) return std::nullopt;
  return *ids.begin();
}

repository::PointId Context::point(repository::Repository& from, const std::string& text) {
  if (text != "latest") return from.resolve(text);
  auto system = system_id(from);
  for (const auto& p : from.points())
    if ((!system || p.system_id == *system) && p.status != repository::PointStatus::incomplete) return p.id;
  throw Error(Code::not_found, "there is no complete recovery point" + std::string(system ? " of this system" : ""))
      .hint("'holdfast points' lists what is there; --system NAME names another system");
}

bool Context::has_secret_source(const SecretSource& s) const {
  auto set = [&](const std::string& variable) {
    auto v = platform::get(world.environment, variable);
    return v && !v->empty();
  };
  return !s.file.empty() || !s.command.empty() || !s.fd.empty() || (!s.file_variable.empty() && set(s.file_variable)) ||
         (!s.command_variable.empty() && set(s.command_variable));
}

Bytes Context::secret(const SecretSource& s, const std::string& prompt, bool twice) {
  std::string file = s.file, command = s.command;
  if (file.empty() && command.empty() && s.fd.empty()) {
    if (!s.file_variable.empty()) file = platform::get(world.environment, s.file_variable).value_or("");
    if (file.empty() && !s.command_variable.empty()) command = platform::get(world.environment, s.command_variable).value_or("");
  }
  // A pipe has no size: /dev/fd/N and process substitution are read to their end like a file.
  if (!s.fd.empty()) file = "/dev/fd/" + std::to_string(descriptor(s.fd));
  if (!file.empty()) return secret_file("no password can be read", [&] { return world.files.read_stream(file, kSecretLimit + 2); });
  if (!command.empty()) {
    platform::ProcessOptions how;
    how.output_limit = kSecretLimit + 2;
    how.cancel = &cancel;
    auto result = world.processes.run({"/bin/sh", "-c", command}, how);
    if (result.exit_code != 0)
      throw Error(Code::failed, "the password command failed (exit " + std::to_string(result.exit_code) + "): " + printable(command))
          .safe("nothing was changed")
          .hint("run it by hand: it must print the password on its first line and exit 0");
    return to_bytes(result.output);
  }
  if (!can_ask())
    throw Error(Code::usage, "no password was given, and nobody can be asked: this is not a terminal")
        .safe("nothing was changed")
        .hint("give --password-file FILE, --password-command COMMAND or --password-fd N, or set HOLDFAST_PASSWORD_FILE");
  while (true) {
    std::string first = asked([&] { return world.terminal.ask_secret(prompt + ": "); });
    if (!twice) return to_bytes(first);
    if (first.empty())
      throw Error(Code::usage, "an empty password protects nothing").safe("nothing was changed").hint("give a password");
    if (first == asked([&] { return world.terminal.ask_secret(prompt + " (again): "); })) return to_bytes(first);
    world.terminal.error("The two are not the same.\n");
  }
}

repository::SlotSecret Context::way_in() {
  std::string key = options.key_file.empty() ? platform::get(world.environment, "HOLDFAST_KEY_FILE").value_or("") : options.key_file;
  bool password_given = has_secret_source(password_);
  if (!key.empty() && (!options.key_file.empty() || !password_given))
    return repository::parse_machine_key(secret_file("no machine key can be read", [&] { return world.files.read_all(key, 4096); }));
  // A recovery key may be typed here as well: opening tries both readings.
  return repository::password_secret(secret(password_, "Password for " + repository_location()));
}

bool is_yes(std::string_view answer) {
  std::string a = to_lower_ascii(trim(answer));
  return a == "y" || a == "yes";
}

bool Context::confirm(const std::string& question) {
  if (options.yes) return true;
  if (!can_ask())
    throw Error(Code::usage, "a question must be answered and this is not a terminal: " + question)
        .safe("nothing was changed")
        .hint("give --yes to answer it");
  return is_yes(asked([&] { return world.terminal.ask(question + " [y/N] "); }));
}

std::string Context::ask(const std::string& question, const std::string& instead) {
  if (!can_ask())
    throw Error(Code::usage, "something is missing and this is not a terminal: " + question).safe("nothing was changed").hint(instead);
  return asked([&] { return world.terminal.ask(question); });
}

Path Context::state_folder() {
  auto set = [&](const char* name) { return platform::get(world.environment, name).value_or(""); };
  if (std::string s = set("HOLDFAST_STATE"); !s.empty()) return std::filesystem::absolute(s);
  if (world.host.is_administrator()) return "/var/lib/holdfast";
  if (std::string s = set("XDG_STATE_HOME"); !s.empty()) return Path(s) / "holdfast";
  if (std::string s = set("HOME"); !s.empty()) return Path(s) / ".local/state/holdfast";
  throw Error(Code::usage, "there is no place for local state: neither HOLDFAST_STATE nor HOME is set").hint("set HOLDFAST_STATE to a folder");
}

}  // namespace holdfast::cli
