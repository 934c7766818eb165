#include "sample/install_package.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sample/catalogue.h"
#include "sample/database.h"
#include "sample/embedded.h"
#include "sample/markup.h"
#include "sample/packages.h"
#include "sample/random.h"
#include "sample/settings.h"

namespace holdfast::sample {

namespace {

constexpr std::string_view kBase = "server/InstallationPackage";

// Programs: ten thousandths of all bulk content each.
struct Program {
  std::string_view path;
  std::uint64_t share;
};
constexpr Program kPrograms[] = {
    {"Bin/AeXConfig.exe", 40},
    {"Bin/AeXSvc.exe", 90},
    {"Bin/NScript.exe", 20},
    {"Bin/Altiris.NS.dll", 160},
    {"Bin/Altiris.Common.dll", 70},
    {"Bin/Altiris.Database.dll", 50},
    {"Bin/Altiris.Resource.dll", 60},
    {"Bin/Altiris.TaskManagement.dll", 80},
    {"Bin/Altiris.SoftwareManagement.dll", 60},
    {"Bin/Tools/nsconfigurator.exe", 30},
    {"NSCap/Bin/Win32/X86/NS Client Package/AeXNSC.exe", 90},
    {"NSCap/Bin/Win64/X64/NS Client Package/AeXNSC.exe", 110},
    {"Web/bin/Altiris.Web.dll", 40},
};
constexpr std::string_view kPages[] = {"Web/Console/default.aspx",
                                       "Web/Console/home.aspx",
                                       "Web/Agent/PostEvent.asp",
                                       "Web/web.config",
                                       "Bin/Tools/ConfigDocXML/CoreSettings.xml",
                                       "Bin/AeXSvc.exe.config"};

Look shipped(Random& random, std::uint32_t mode) {
  return {mode, random.time(kFirstFileTime, kLastFileTime), {}};
}

void make_folder_of(Ground& ground, const std::string& base, std::string_view path) {
  if (const auto slash = path.rfind('/'); slash != path.npos)
    ground.folders(base, std::string(path.substr(0, slash)));
}

std::string package_toml() {
  std::string text = fmt::format("[package]\nmade = \"2026-01-05T08:00:00Z\"\nplatform_version = \"{}\"\n",
                                 products().front().version);
  for (const auto& product : products()) {
    text += fmt::format("\n[[product]]\nname = \"{}\"\nid = \"{}\"\nversion = \"{}\"\n", product.name,
                        product.id, product.version);
  }
  return text;
}

std::string setup_script() {
  std::string folders;
  for (const auto& folder : server_folders()) folders += fmt::format("{:04o} {}\n", folder.mode, folder.path);
  folders.pop_back();
  std::string script(kSetupScript);
  replace_all(script, "@FOLDERS@", folders);
  return script;
}

}  // namespace

void make_install_package(Ground& ground, std::uint64_t bytes, std::uint64_t seed) {
  Random random(seed, "installation package");
  const std::string base(kBase), payload = base + "/payload", program = payload + "/program";
  for (const auto& folder : {base, payload, program, payload + "/settings", payload + "/web",
                             payload + "/registry", payload + "/database"}) {
    ground.folder(folder);
  }
  for (const auto& [path, share] : kPrograms) {
    make_folder_of(ground, program, path);
    const auto size = std::max<std::uint64_t>(2000, bytes * share / 10'000);
    ground.file(program + "/" + std::string(path), ByteView(executable(random, size)), shipped(random, 0755));
  }
  for (auto path : kPages) {
    make_folder_of(ground, program, path);
    ground.file(program + "/" + std::string(path), ByteView(text_file(random, random.between(1500, 12'000))),
                shipped(random, 0644));
  }
  ground.file(payload + "/settings/CoreSettings.config", clean_core_settings(), shipped(random, 0640));
  ground.file(payload + "/web/applicationHost.config", clean_web_config(), shipped(random, 0640));
  ground.file(payload + "/registry/registry.reg.in", clean_registry_template(), shipped(random, 0644));
  const std::string database = payload + "/database/empty.db";
  write_empty_database(ground.tree().root() / database);
  ground.adopt_file(database, shipped(random, 0640));
  ground.file(base + "/package.toml", package_toml(), {0644, kFolderTime, {}});
  ground.file(base + "/setup", setup_script(), {0755, kFolderTime, {}});
}

void run_setup(const platform::Path& server, platform::ProcessRunner& processes, const Cancel& cancel) {
  platform::ProcessOptions options;
  options.cancel = &cancel;
  const auto result =
      processes.run({(server / kInstallPackage / "setup").string(), "--root", server.string(),
                     "--install-path", std::string(kInstallPath), "--application-identity",
                     std::string(kApplicationIdentity), "--database", std::string(kDatabaseName)},
                    options);
  if (result.exit_code == 0) return;
  throw Error(Code::failed,
              fmt::format("cannot lay the clean server down in {}: setup ended with {}: {}",
                          printable(server.string()), result.exit_code, printable(trim(result.error_output))))
      .hint("setup needs a POSIX shell, coreutils, sed and iconv");
}

}  // namespace holdfast::sample
