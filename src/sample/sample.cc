#include "sample/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "crypto/certificate.h"
#include "sample/catalogue.h"
#include "sample/database.h"
#include "sample/embedded.h"
#include "sample/encryption.h"
#include "sample/ground.h"
#include "sample/install_package.h"
#include "sample/library_copy.h"
#include "sample/markup.h"
#include "sample/packages.h"
#include "sample/random.h"
#include "sample/settings.h"

namespace holdfast::sample {

namespace {

// Lies in a sample's folder from the first moment to the last of its making.
constexpr std::string_view kMarker = ".holdfast-sample-unfinished";
constexpr std::string_view kMarkerText =
    "HOLDFAST SAMPLE, NOT FINISHED 1\nMaking it was interrupted. Make it again.\n";
constexpr std::uint64_t kLeastContentBytes = 1'500'000;

std::string under_server(std::string_view path) { return "server/" + std::string(path); }

// A host name as the name of a system: lower-case letters, digits and '-'.
std::string system_name(const std::string& host) {
  std::string name;
  for (char c : to_lower_ascii(host)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "ns01" : name.substr(0, 32);
}

bool is_unfinished_sample(const Path& dir, platform::FileSystem& files) {
  const Path marker = dir / kMarker;
  const auto info = files.info(marker);
  if (!info || info->kind != platform::FileInfo::Kind::file || info->size != kMarkerText.size()) return false;
  if (as_text(files.read_all(marker, kMarkerText.size())) != kMarkerText) return false;
  const auto children = files.list(dir);
  return std::all_of(children.begin(), children.end(), [](const auto& child) {
    return child.name == kMarker || child.name == "server" || child.name == "holdfast.toml";
  });
}

// Makes `dir` ready: there, empty but for the marker. true: an unfinished sample was removed from it.
bool prepare(const Path& dir, platform::FileSystem& files) {
  bool removed = false;
  const auto info = files.info(dir);
  if (info && info->kind != platform::FileInfo::Kind::directory) {
    throw Error(Code::already_exists,
                "cannot make a sample in " + printable(dir.string()) + ": it is not a folder")
        .safe("nothing was changed");
  }
  if (!info) {
    files.make_directories(dir);
  } else if (!files.list(dir).empty()) {
    if (!is_unfinished_sample(dir, files)) {
      throw Error(Code::already_exists,
                  "cannot make a sample in " + printable(dir.string()) + ": the folder is not empty")
          .safe("nothing was changed")
          .hint("name a folder that is empty or does not exist yet");
    }
    std::filesystem::remove_all(dir / "server");  // does not follow links; the marker stays until the end
    std::filesystem::remove(dir / "holdfast.toml");
    removed = true;
  }
  if (!removed) files.replace(dir / kMarker, as_bytes(kMarkerText));
  return removed;
}

void check_library(const Path& library, const Path& dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(library, error)) {
    throw Error(Code::usage, "cannot copy " + printable(library.string()) +
                                 " into the software library: it is not a folder")
        .safe("nothing was changed");
  }
  const auto inside = [](const Path& inner, const Path& outer) {
    const auto [in, out] = std::mismatch(inner.begin(), inner.end(), outer.begin(), outer.end());
    return out == outer.end();
  };
  const Path from = std::filesystem::canonical(library), to = std::filesystem::weakly_canonical(dir);
  if (inside(from, to) || inside(to, from)) {
    throw Error(Code::usage, "cannot copy " + printable(library.string()) + " into the software library of " +
                                 printable(dir.string()) + ": one lies in the other")
        .safe("nothing was changed");
  }
}

class Making {
 public:
  Making(const Path& dir, const SampleOptions& options, platform::World& world, ProgressSink& progress,
         const Cancel& cancel)
      : dir_(dir),
        options_(options),
        world_(world),
        progress_(progress),
        cancel_(cancel),
        ground_(dir, progress, cancel),
        random_(options.seed, "configuration") {
    names_.host = system_name(world.host.host_name());
    names_.domain = world.host.domain();
    if (names_.domain.empty()) names_.domain = "example.test";
    rows_ = options.rows ? options.rows : kDefaultRows;
    bytes_ = options.content_bytes;
    if (!bytes_) {
      const double part = std::min(1.0, static_cast<double>(rows_) / static_cast<double>(kDefaultRows));
      bytes_ = std::max(kLeastContentBytes,
                        static_cast<std::uint64_t>(part * static_cast<double>(kDefaultContentBytes)));
    }
  }

  SampleReport run() {
    report_.server = dir_ / "server";
    report_.configuration = dir_ / "holdfast.toml";
    report_.repository = dir_ / "repository";
    report_.database = report_.server / kDatabaseFolder / (std::string(kDatabaseName) + ".db");
    report_.system = names_.host;
    clean_server();
    bulk_content();
    copy_of_library();
    configuration();
    database();
    finish();
    return std::move(report_);
  }

 private:
  void phase(const std::string& name, std::uint64_t bytes = 0) {
    cancel_.check();
    progress_.begin(name, bytes);
  }

  Timestamp the_day_before() { return {world_.clock.now().seconds - 86'400, 0}; }

  Look edited(std::uint32_t mode = 0640) { return {mode, random_.time(kFirstFileTime, kLastFileTime), {}}; }

  void clean_server() {
    phase("laying a clean server down");
    ground_.folder("server");
    make_install_package(ground_, bytes_, options_.seed);
    ground_.finish_folders();
    run_setup(report_.server, world_.processes, cancel_);
    for (const auto& folder : server_folders()) ground_.folder(under_server(folder.path), folder.mode);
    progress_.end();
  }

  void bulk_content() {
    phase("making packages", bytes_);
    packages_ = make_software_library(ground_, bytes_, options_.seed);
    report_.packages = packages_.size() + make_other_packages(ground_, bytes_, options_.seed) +
                       make_patches(ground_, bytes_, options_.seed);
    make_vendor_backup(ground_, random_, make_password(world_.entropy, 24), the_day_before());
    progress_.end();
  }

  void copy_of_library() {
    if (options_.library.empty()) return;
    phase("copying " + printable(options_.library.string()));
    Package package{Random(options_.seed, "copied library").guid(), "Copied library", "1.0"};
    const std::string folder = fmt::format("server/{}/{{{}}}", kSoftwareLibrary, package.guid);
    const bool administrator = world_.host.is_administrator();
    copy_library(options_.library, ground_.tree(), folder, {administrator, administrator}, progress_, cancel_,
                 [this](Finding finding) { report_.findings.push_back(std::move(finding)); });
    report_.library = dir_ / folder;
    packages_.push_back(std::move(package));
    ++report_.packages;
    progress_.end();
  }

  void configuration() {
    phase("making the configuration");
    const auto [ns_root, web] = certificates();
    file(kCoreSettings, core_settings(names_));
    const Bytes registry = registry_file(ns_root, random_);
    ground_.file(under_server(kRegistry), ByteView(registry), edited());
    file(kWebConfig, web_config(names_, web));
    file(kShare, share_description(names_));
    file(std::string(kDocuments) + "/cem-sheet.txt", cem_sheet(names_, web), 0644);
    file(std::string(kDocuments) + "/hierarchy-sheet.txt", hierarchy_sheet(names_), 0644);
    for (const auto* key : {&keys_.hierarchy, &keys_.run_as, &keys_.web_service}) {
      ground_.file(fmt::format("server/{}/{}.kms", kKmsKeys, key->name), key->file_text(),
                   {0600, kFolderTime, {}});
    }
    licences();
    progress_.end();
  }

  void file(std::string_view path, const std::string& text, std::uint32_t mode = 0640) {
    ground_.file(under_server(path), text, edited(mode));
  }

  struct Thumbprints {
    std::string ns_root, web;
  };
  Thumbprints certificates() {
    const std::string password = make_password(world_.entropy, 24);
    const Timestamp begin = the_day_before();  // valid now, whatever the clocks of others say
    const auto root = [&](const std::string& name) {
      return crypto::make_certificate({name, "Sample", {}, begin, 3650, true}, nullptr);
    };
    const auto ns_root = root(fmt::format("SMP {} Agent CA", names_.host));
    const auto site_root = root(fmt::format("SMP {} Site Server CA", names_.host));
    const auto web = crypto::make_certificate(
        {names_.full(), "Sample", {names_.full(), names_.host}, begin, 825, false}, &ns_root);
    write_pair("ns-root", ns_root, password);
    write_pair("site-server-root", site_root, password);
    write_pair("web", web, password);
    ground_.file(fmt::format("server/{}/pkcs12.password", kCertificates), password + "\n", edited(0600));
    return {thumbprint(ns_root), thumbprint(web)};
  }

  static std::string thumbprint(const crypto::CertificateAndKey& pair) {
    return crypto::check_certificate({to_bytes(pair.certificate_pem)}, "").certificate.value().thumbprint;
  }

  void write_pair(const std::string& name, const crypto::CertificateAndKey& pair,
                  const std::string& password) {
    const std::string base = fmt::format("server/{}/{}", kCertificates, name);
    ground_.file(base + ".crt.pem", pair.certificate_pem, edited(0644));
    ground_.file(base + ".key.pem", pair.key_pem, edited(0600));
    ground_.file(base + ".p12", ByteView(crypto::make_pkcs12(pair, name, password)), edited(0600));
  }

  void licences() {
    for (const auto& product : products()) {
      Bytes serial(24);
      world_.entropy.fill(serial);
      std::string name(product.name);
      replace_all(name, " ", "-");
      ground_.file(fmt::format("server/{}/{}.lic", kLicences, name),
                   fmt::format("SAMPLE LICENCE\nProduct: {}\nNodes: {}\nExpires: 2028-12-31\nSerial: {}\n",
                               product.name, 500 * (1 + random_.below(20)), to_hex(serial)),
                   edited(0644));
    }
  }

  void database() {
    phase("filling the database");
    report_.rows = fill_database(report_.database, {rows_, options_.seed, names_, packages_, keys_},
                                 world_.entropy, progress_, cancel_);
    report_.database_bytes = world_.files.info(report_.database).value().size;
    progress_.end();
  }

  void finish() {
    std::string text(kExampleConfiguration);
    Bytes id(16);
    world_.entropy.fill(id);
    replace_in_configuration(text, "\"ns01\" ", fmt::format("\"{}\" ", names_.host));
    replace_in_configuration(text, "0123456789abcdef0123456789abcdef", to_hex(id));
    ground_.file("holdfast.toml", text, {0640, world_.clock.now(), {}});
    ground_.finish_folders();
    for (const auto& sentence : ground_.refused())
      report_.findings.push_back({"attribute_not_kept", "", sentence, ""});
    count();
    world_.files.sync_directory(dir_);
    world_.files.remove(dir_ / kMarker);
    world_.files.sync_directory(dir_);
  }

  static void replace_in_configuration(std::string& text, std::string_view placeholder,
                                       std::string_view value) {
    if (text.find(placeholder) == text.npos) {
      throw Error(Code::defect, fmt::format("docs/example.holdfast.toml no longer holds {}", placeholder));
    }
    replace_all(text, placeholder, value);
  }

  // What lies under `server` now, names of hard links included.
  void count() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(report_.server)) {
      if (entry.is_symlink() || !entry.is_regular_file()) continue;
      ++report_.files;
      report_.bytes += entry.file_size();
    }
  }

  const Path& dir_;
  const SampleOptions& options_;
  platform::World& world_;
  ProgressSink& progress_;
  const Cancel& cancel_;
  Ground ground_;
  Random random_;
  ServerNames names_;
  std::uint64_t rows_ = 0, bytes_ = 0;
  std::vector<Package> packages_;
  KmsKeys keys_ = make_kms_keys(world_.entropy);
  SampleReport report_;
};

}  // namespace

SampleReport make_sample(const Path& dir, const SampleOptions& options, platform::World& world,
                         ProgressSink& progress, const Cancel& cancel) {
  const auto start = world.clock.elapsed();
  const Path place = std::filesystem::absolute(dir).lexically_normal();
  if (!options.library.empty()) check_library(options.library, place);
  const bool removed = prepare(place, world.files);
  SampleReport report = Making(place, options, world, progress, cancel).run();
  report.removed_unfinished = removed;
  report.seconds = std::chrono::duration<double>(world.clock.elapsed() - start).count();
  return report;
}

}  // namespace holdfast::sample
