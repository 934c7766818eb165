#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/run.h"
#include "cli/verbs.h"
#include "service/serve.h"

namespace holdfast::cli {
namespace {

std::filesystem::path absolute_or_empty(const std::string& path) {
  return path.empty() ? std::filesystem::path() : std::filesystem::absolute(path).lexically_normal();
}

// Jobs are processes of their own: they find the password where the service does.
void pass_on(Context& c) {
  const SecretSource& source = c.password_source();
  if (!source.fd.empty())
    throw Error(
        Code::usage,
        "the service cannot take the password from an open file: it is read again whenever a job starts")
        .safe("nothing was started")
        .hint("make the machine a key of its own: holdfast key add --machine FILE; then --key-file FILE");
  if (!source.file.empty())
    c.world.environment[source.file_variable] = absolute_or_empty(source.file).string();
  if (!source.command.empty()) c.world.environment[source.command_variable] = source.command;
}

int run(const Arguments& a, Context& c) {
  const auto file = c.configuration_file();
  if (!file) c.load_system();  // says what is missing
  if (!c.options.repository.empty())
    throw Error(Code::usage, "the service takes its repository from the configuration file, as its jobs do")
        .safe("nothing was started")
        .hint("leave --repository away");
  if (!a.has("--dry-run")) pass_on(c);
  const std::string key = c.options.key_file.empty()
                              ? platform::get(c.world.environment, "HOLDFAST_KEY_FILE").value_or("")
                              : c.options.key_file;
  service::ServeSetup setup;
  setup.configuration = absolute_or_empty(file->string());
  setup.state = c.state_folder();
  setup.program = c.options.program;
  setup.listen = a.value("--listen");
  setup.key_file = absolute_or_empty(key);
  setup.version = version();
  setup.way_in = [&c, &key] {
    if (key.empty() && !c.has_secret_source(c.password_source()))
      throw Error(Code::usage,
                  "the service has no way into the repository: there is neither a key of this machine nor a "
                  "password's file")
          .safe("nothing was changed")
          .hint("holdfast key add --machine FILE, then start it with --key-file FILE");
    return c.way_in();
  };
  if (a.has("--dry-run")) {
    const std::vector<std::string> plan = service::serve_plan(setup, c.world, c.adapters);
    c.output.answer(join(plan, "\n"));
    c.output.result(Json{{"dry_run", true}, {"plan", plan}});
    return 0;
  }
  std::mutex saying;
  setup.say = [&](const std::string& line) {
    std::lock_guard lock(saying);
    c.world.terminal.error(printable(line) + "\n");  // its log: also with --quiet
  };
  std::string address;
  setup.ready = [&](std::uint16_t port, const std::string& certificate) {
    std::lock_guard lock(saying);
    c.output.say("Holdfast serves on port " + std::to_string(port) +
                 " (https). SHA-256 of its certificate: " + certificate);
    c.output.result(Json{{"port", port}, {"certificate", certificate}});
  };
  service::serve(setup, c.world, c.adapters, c.cancel);
  return 0;
}

}  // namespace

Verb serve_verb() {
  Verb v;
  v.name = "serve";
  v.summary = "run the service: scheduler, API and web console";
  v.options = {{"--listen", "ADDRESS:PORT",
                "where to listen, in place of [service] listen; 127.0.0.1:8443 when nobody says"},
               {"--dry-run", "", "say where it would listen and what it would run, start nothing"}};
  v.details =
      "Speaks TLS, with the certificate that [service] names or with one that it makes at its first start. "
      "The first user is made with 'holdfast user add'. "
      "Jobs open the repository with the machine's key (--key-file) or the password's file. Ends on SIGTERM: "
      "the running job is asked to stop and waited "
      "for. docs/service.md.";
  v.examples = {{"holdfast serve --key-file /etc/holdfast/machine.key", "then open https://127.0.0.1:8443/"},
                {"holdfast serve --listen 0.0.0.0:8443", "reachable from other machines"},
                {"holdfast serve --dry-run", "is the configuration right?"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
