// Items of kind `install_package`: the installation package with which the lost server is installed again: a
// folder with package.toml (what it installs), `setup` (the installer) and `payload`. Format: docs/sample.md,
// "Installation package".
//
// Only with it is it sure that a new installation matches the database: its absence and gaps are findings.
#pragma once

#include <string>
#include <vector>

#include "item/adapter.h"

namespace holdfast::item {

struct PackageProduct {
  std::string name, id, version;
  bool operator==(const PackageProduct&) const = default;
};
struct InstallPackage {
  std::string made;               // when, as the file says
  std::string platform_version;
  std::vector<PackageProduct> products;
};
// Contents of package.toml. Error(damaged) names `what` and the line.
InstallPackage parse_package(ByteView content, std::string_view what);
// The package of a stored item; nullopt when it has no package.toml. Error(damaged).
std::optional<InstallPackage> stored_package(const tree::NodePtr& stored);

struct InstallArguments {
  std::string install_path;  // as the identity card says: "C:\Program Files\Altiris\Notification Server"
  std::string application_identity;   // account name; no password
  std::string database;
  bool repair = false;                // lay down again over an installation that is there
};
// Runs the item's installer: `setup --root install_root --install-path … --application-identity … --database
// …`, and waits for it. Returns its output. Error(config) without install_root, Error(not_found) without an
// installer, Error(already_exists) when the installer ends with 11 (something is installed there),
// Error(failed) with its last lines when it ends with another.
platform::ProcessResult install(const ItemSpec& spec, const InstallArguments& arguments,
                                platform::World& world, const Cancel& cancel);

class InstallPackageAdapter final : public Adapter {
 public:
  std::string kind() const override { return "install_package"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Path> covers(const ItemSpec& spec) const override;
  std::vector<Path> lays_down(const ItemSpec& spec, platform::World& world) const override;
  std::uint64_t estimate(const ItemSpec& spec, platform::World& world) const override;
  // Findings package_incomplete and package_unreadable: the folder is kept all the same.
  void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const override;
  void apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const override;
  // By product, then by file.
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;
};

}  // namespace holdfast::item
