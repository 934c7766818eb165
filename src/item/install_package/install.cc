#include "base/error.h"
#include "base/text.h"
#include "item/install_package/install_package.h"

namespace holdfast::item {
namespace {

constexpr int kAlreadyInstalled = 11;   // docs/sample.md, "Installation package"
constexpr std::size_t kLastLines = 8;

// What the installer said last, for the error message.
std::string last_lines(const platform::ProcessResult& result) {
  const std::string& said = trim(result.error_output).empty() ? result.output : result.error_output;
  std::vector<std::string> lines;
  for (const std::string& line : split(trim(said), '\n')) lines.push_back(printable(trim(line)));
  if (lines.size() > kLastLines) lines.erase(lines.begin(), lines.end() - kLastLines);
  return lines.empty() ? "it said nothing" : "it said: " + join(lines, " | ");
}

}  // namespace

platform::ProcessResult install(const ItemSpec& spec, const InstallArguments& arguments,
                                platform::World& world, const Cancel& cancel) {
  const std::string root = spec.text("install_root");
  const Path setup = Path(spec.text("path")) / "setup";
  if (root.empty())
    throw Error(Code::config, "cannot install: item " + spec.name + " does not say 'install_root'")
        .hint("say in the configuration file where the installer lays the server down");
  if (!world.files.exists(setup))
    throw Error(Code::not_found, "cannot install: " + printable(setup.string()) + " is not there")
        .safe("nothing was installed")
        .hint("restore item " + spec.name + " first, or install the listed products by hand");
  std::vector<std::string> command{setup.string(),
                                   "--root",
                                   root,
                                   "--install-path",
                                   arguments.install_path,
                                   "--application-identity",
                                   arguments.application_identity,
                                   "--database",
                                   arguments.database};
  if (arguments.repair) command.emplace_back("--repair");
  platform::ProcessOptions options;
  options.cancel = &cancel;
  auto result = world.processes.run(command, options);
  if (result.exit_code == kAlreadyInstalled)
    throw Error(Code::already_exists, "cannot install into " + printable(root) + ": " + last_lines(result))
        .safe("the installation that is there was not changed");
  if (result.exit_code != 0)
    throw Error(Code::failed, "cannot install into " + printable(root) + ": " + printable(setup.string()) +
                                  " ended with " + std::to_string(result.exit_code) + "; " +
                                  last_lines(result))
        .hint("remove what it complains about and run it again: it goes on where it was");
  return result;
}

}  // namespace holdfast::item
