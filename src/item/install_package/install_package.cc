#include "item/install_package/install_package.h"

#include "base/error.h"
#include "base/text.h"
#include "item/directory/directory.h"
#include "item/settings/diff_by_key.h"

namespace holdfast::item {
namespace {

using Kind = platform::FileInfo::Kind;

Path folder_of(const ItemSpec& spec) { return spec.text("path"); }

void incomplete(const ItemSpec& spec, CaptureContext& context, const std::string& why) {
  context.finding({"package_incomplete", spec.name, "the installation package cannot install: " + why,
                   "make the package again from the installed products"});
}

void report_pieces(const ItemSpec& spec, CaptureContext& context) {
  const Path folder = folder_of(spec);
  const auto setup = context.world.files.info(folder / "setup");
  if (!setup || setup->kind != Kind::file) incomplete(spec, context, "setup is missing");
  else if ((setup->mode & 0111) == 0) incomplete(spec, context, "setup is not executable");
  const auto payload = context.world.files.info(folder / "payload");
  if (!payload || payload->kind != Kind::directory) incomplete(spec, context, "payload is missing");
  else if (context.world.files.list(folder / "payload").empty())
    incomplete(spec, context, "payload is empty");
}

void report_products(const ItemSpec& spec, CaptureContext& context) {
  const Path file = folder_of(spec) / "package.toml";
  if (!context.world.files.exists(file)) return incomplete(spec, context, "package.toml is missing");
  try {
    const InstallPackage package = parse_package(context.world.files.read_all(file), file.string());
    context.facts.emplace_back("platform_version", printable(package.platform_version));
    context.facts.emplace_back("made", printable(package.made));
    context.facts.emplace_back("products", std::to_string(package.products.size()));
    for (const PackageProduct& p : package.products)
      context.facts.emplace_back("product " + printable(p.name), printable(p.version));
  } catch (const Error& e) {
    if (e.code() != Code::damaged && e.code() != Code::unsupported) throw;
    context.finding(
        {"package_unreadable", spec.name, e.message(), "make the package again from the installed products"});
  }
}

// nullopt: what is stored cannot be understood.
std::optional<Keyed> by_product(const tree::NodePtr& stored) {
  try {
    Keyed all;
    const auto package = stored_package(stored);
    if (!package) return all;
    all["platform"] = {package->platform_version, printable(package->platform_version)};
    for (const PackageProduct& p : package->products)
      all["product " + printable(p.name) + " " + printable(p.id)] = {p.version, printable(p.version)};
    return all;
  } catch (const Error& e) {
    if (e.code() != Code::damaged && e.code() != Code::unsupported) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<OptionSpec> InstallPackageAdapter::options() const {
  return {{"path", OptionSpec::Type::path, true, "The folder with package.toml, setup and payload.", {}},
          {"install_root", OptionSpec::Type::path, false, "Where the installer lays the server down.", {}},
          {"installed",
           OptionSpec::Type::path,
           false,
           "Where the installed program is. What the package lays down there counts as covered, anything "
           "else does not.",
           {}}};
}

std::vector<Path> InstallPackageAdapter::covers(const ItemSpec& spec) const { return {folder_of(spec)}; }

// The program as the package holds it (payload/program), where it was installed, and the installer's own note
// beside it.
std::vector<Path> InstallPackageAdapter::lays_down(const ItemSpec& spec, platform::World& world) const {
  const Path installed = spec.text("installed"), program = folder_of(spec) / "payload" / "program";
  std::vector<Path> paths;
  if (installed.empty() || !world.files.exists(program)) return paths;
  paths.push_back(installed);
  paths.push_back(installed / "installation.state");
  std::vector<Path> folders{""};
  while (!folders.empty()) {
    const Path folder = folders.back();
    folders.pop_back();
    for (const auto& child : world.files.list(program / folder)) {
      paths.push_back(installed / folder / child.name);
      if (child.info.kind == platform::FileInfo::Kind::directory) folders.push_back(folder / child.name);
    }
  }
  return paths;
}

std::uint64_t InstallPackageAdapter::estimate(const ItemSpec& spec, platform::World&) const {
  return estimate_directory(folder_of(spec), {});
}

void InstallPackageAdapter::capture(const ItemSpec& spec, tree::TreeSink& sink,
                                    CaptureContext& context) const {
  capture_directory(folder_of(spec), {}, sink, context);
  report_pieces(spec, context);
  report_products(spec, context);
}

void InstallPackageAdapter::apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const {
  apply_directory(folder_of(spec), {}, stored, context);
}

std::vector<Change> InstallPackageAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  const auto old = by_product(before), now = by_product(after);
  std::vector<Change> changes = old && now ? diff_by_key(*old, *now) : std::vector<Change>{};
  for (Change& change : diff_directory(before, after)) changes.push_back(std::move(change));
  return changes;
}

std::vector<CheckResult> InstallPackageAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                                      CaptureContext& context) const {
  return check_directory(folder_of(spec), {}, stored, context);
}

}  // namespace holdfast::item
