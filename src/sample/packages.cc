#include "sample/packages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "crypto/hash.h"
#include "sample/catalogue.h"
#include "sample/markup.h"

namespace holdfast::sample {

namespace {

using std::string_view;

enum class Content { executable, archive, text };

// One payload file; `thousandths` of all bulk content.
struct Payload {
  string_view name;
  Content content;
  std::uint64_t thousandths;
};
struct Software {
  string_view name, version;
  std::vector<Payload> files;
};

const std::vector<Software>& library() {
  static const std::vector<Software> kLibrary = {
      {"Contoso Office Suite",
       "24.2.1",
       {{"Setup.msi", Content::executable, 40},
        {"data1.cab", Content::archive, 90},
        {"data2.cab", Content::archive, 45},
        {"readme.txt", Content::text, 1}}},
      {"Fabrikam Browser ESR",
       "128.9.0",
       {{"Browser Setup 128.9.0esr.exe", Content::archive, 55}, {"policies.json", Content::text, 1}}},
      {"Northwind Reader",
       "25.001.20432",
       {{"Reader.msi", Content::executable, 30}, {"Reader.msp", Content::archive, 35}}},
      {"Adatum VPN Client",
       "5.1.8.105",
       {{"vpnclient-win64.msi", Content::executable, 25},
        {"profile.xml", Content::text, 1},
        {"VPN-Anleitung.txt", Content::text, 2}}},
      {"Litware Runtime", "17.0.12", {{"runtime-17.0.12_windows-x64.msi", Content::executable, 50}}},
      {"Proseware Diagram Editor",
       "9.4",
       {{"diagram.zip", Content::archive, 30}, {"licence.rtf", Content::text, 1}}},
      {"Tailspin Driver Package",
       "2025.06",
       {{"drivers.cab", Content::archive, 60}, {"install.cmd", Content::text, 1}}},
      {"Wingtip Meeting Client", "6.2.11", {{"MeetingInstaller.exe", Content::archive, 45}}},
      {"Relecloud Agent Plug-ins",
       "8.7.1253",
       {{"plugins.cab", Content::archive, 25}, {"manifest.xml", Content::text, 2}}},
      {"Trey Research Fonts", "3.0", {{"fonts.zip", Content::archive, 20}, {"fonts.ini", Content::text, 1}}},
      {"Woodgrove Print Manager",
       "11.8",
       {{"print.msi", Content::executable, 20}, {"queues.csv", Content::text, 4}}},
      {"Coho Deployment Image", "2025.10", {{"winpe.wim", Content::archive, 60}}},
  };
  return kLibrary;
}

constexpr std::size_t kLeast = 600;  // bytes of the smallest file

std::size_t size_of(std::uint64_t bytes, std::uint64_t thousandths, Random& random) {
  const std::uint64_t size = bytes * thousandths / 1000;
  return std::max<std::size_t>(kLeast,
                               size - size / 20 + random.below(size / 10 + 1));  // within five per cent
}

Bytes make(Content kind, Random& random, std::size_t size) {
  switch (kind) {
    case Content::executable:
      return executable(random, size);
    case Content::archive:
      return archive(random, size);
    case Content::text:
      break;
  }
  return text_file(random, size);
}

Look look(Random& random, std::uint32_t mode = 0644) {
  return {mode, random.time(kFirstFileTime, kLastFileTime), {}};
}

// The manifest that lies in each library folder.
class Manifest {
 public:
  Manifest(const Package& package)
      : text_(fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<package guid=\"{{{}}}\" name=\"{}\" "
                          "version=\"{}\">\n",
                          package.guid, xml_escape(package.name), package.version)) {}
  void add(string_view name, ByteView content) {
    text_ += fmt::format("  <file name=\"{}\" size=\"{}\" sha256=\"{}\" />\n", xml_escape(name),
                         content.size(), crypto::sha256(content).hex());
  }
  std::string text() const { return text_ + "</package>\n"; }

 private:
  std::string text_;
};

// What a file system can do and a backup must bring back.
void add_links(Ground& ground, const std::string& folder, const std::string& installer, Random& random) {
  ground.folder(folder + "/languages");
  ground.hard_link(folder + "/languages/de.msi", installer);
  ground.folder(folder + "/logs");  // empty
  ground.symlink(folder + "/current", "languages/de.msi", random.time(kFirstFileTime, kLastFileTime));
}

void add_attributes(Ground& ground, const std::string& folder, Random& random) {
  Look downloaded = look(random);
  downloaded.attributes.push_back(
      {tree::AttributeType::xattr, "user.Zone.Identifier", to_bytes("[ZoneTransfer]\r\nZoneId=3\r\n")});
  ground.file(folder + "/download.exe", ByteView(executable(random, 24'000)), downloaded);
  ground.file(folder + "/approved.sig", ByteView(archive(random, 256)), look(random, 0444));
}

void add_sparse_image(Ground& ground, const std::string& folder, std::uint64_t bytes, Random& random) {
  constexpr std::uint64_t block =
      65536;  // data in whole blocks, so that the holes are holes in every file system
  const std::uint64_t size = std::max<std::uint64_t>(16 * block, bytes / 2 / block * block);
  const Bytes head = executable(random, block), tail = archive(random, block);
  ground.sparse_file(folder + "/reference.vhd", size, {{0, head}, {size / 2 / block * block, tail}},
                     look(random));
}

void add_odd_names(Ground& ground, const std::string& folder, Random& random) {
  ground.folder(folder + "/Übersicht & Änderungen");
  for (const std::string& name : {std::string("Übersicht & Änderungen/Zürich – Anleitung (neu).txt"),
                                  std::string("-first with a dash.txt"),
                                  std::string("it's 100% \"quoted\".ini"), std::string("caf\xe9 men\xfa.txt"),
                                  std::string(".hidden"), "long " + std::string(180, 'n') + ".txt"}) {
    ground.file(folder + "/" + name, ByteView(text_file(random, kLeast)), look(random));
  }
}

}  // namespace

Bytes archive(Random& random, std::size_t size) {
  Bytes out(size);
  random.fill(out);
  constexpr string_view head("MSCF\0\0\0\0", 8);
  std::copy_n(as_bytes(head).begin(), std::min(head.size(), size), out.begin());
  return out;
}

Bytes executable(Random& random, std::size_t size) {
  constexpr std::size_t block = 4096;
  Bytes out(size);
  for (std::size_t at = 0; at < size; at += block) {
    const MutableBytes here = MutableBytes(out).subspan(at, std::min(block, size - at));
    if (random.below(2) == 0) {
      random.fill(here);  // code that does not compress
    } else {
      for (std::size_t i = 0; i < here.size(); ++i)
        here[i] = static_cast<std::uint8_t>(i % 48 < 40 ? 0 : i / 48 + at / block);
    }
  }
  constexpr string_view head = "MZ";
  std::copy_n(as_bytes(head).begin(), std::min(head.size(), size), out.begin());
  return out;
}

Bytes text_file(Random& random, std::size_t size) {
  static constexpr std::array<string_view, 12> kWords = {"package", "install", "option",  "server",
                                                         "quiet",   "restart", "log",     "user",
                                                         "machine", "policy",  "version", "default"};
  std::string text;
  while (text.size() < size) {
    text += fmt::format("{}.{} = {} {} ; {}\r\n", random.pick(kWords), random.below(500), random.pick(kWords),
                        random.next() % 100'000, random.pick(kWords));
  }
  text.resize(size);
  return to_bytes(text);
}

std::vector<Package> make_software_library(Ground& ground, std::uint64_t bytes, std::uint64_t seed) {
  Random random(seed, "software library");
  std::vector<Package> packages;
  std::optional<Bytes> shared;  // the same cabinet lies in two packages, as it does on real servers
  for (const auto& software : library()) {
    const Package package{random.guid(), std::string(software.name), std::string(software.version)};
    const std::string folder = fmt::format("server/{}/{{{}}}", kSoftwareLibrary, package.guid);
    ground.folder(folder);
    Manifest manifest(package);
    for (const auto& payload : software.files) {
      Bytes content = make(payload.content, random, size_of(bytes, payload.thousandths, random));
      if (payload.name == "data2.cab") shared = content;
      if (payload.name == "plugins.cab") content = shared.value();
      ground.file(folder + "/" + std::string(payload.name), ByteView(content), look(random));
      manifest.add(payload.name, content);
    }
    ground.file(folder + "/package.xml", manifest.text(), look(random));
    switch (packages.size()) {
      case 0:
        add_links(ground, folder, folder + "/Setup.msi", random);
        break;
      case 3:
        add_attributes(ground, folder, random);
        break;
      case 9:
        add_odd_names(ground, folder, random);
        break;
      case 11:
        add_sparse_image(ground, folder, bytes, random);
        break;
      default:
        break;
    }
    packages.push_back(package);
  }
  return packages;
}

std::uint64_t make_other_packages(Ground& ground, std::uint64_t bytes, std::uint64_t seed) {
  Random random(seed, "other packages");
  const std::string base = fmt::format("server/{}", kPackages);
  static constexpr std::array<string_view, 5> kNames = {"Branch office tools", "Scripts", "Point of sale 3.2",
                                                        "Old installers", "Lab images"};
  for (auto name : kNames) {
    const std::string folder = fmt::format("{}/{}", base, name);
    ground.folder(folder);
    ground.file(folder + "/setup.exe", ByteView(executable(random, size_of(bytes, 10, random))),
                look(random, 0755));
    ground.file(folder + "/files.zip", ByteView(archive(random, size_of(bytes, 6, random))), look(random));
    for (int i = 1; i <= 8; ++i) {
      ground.file(fmt::format("{}/step{:02}.cmd", folder, i),
                  ByteView(text_file(random, random.between(700, 9000))), look(random));
    }
  }
  return kNames.size();
}

std::uint64_t make_patches(Ground& ground, std::uint64_t bytes, std::uint64_t seed) {
  Random random(seed, "patches");
  constexpr std::uint64_t count = 18;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto number = 5'030'000 + random.below(40'000);
    const std::string folder = fmt::format("server/{}/{{{}}}", kPatchPackages, random.guid());
    ground.folder(folder);
    const std::string name = fmt::format("windows11.0-kb{}-x64.msu", number);
    ground.file(folder + "/" + name, ByteView(archive(random, size_of(bytes, 8, random))), look(random));
    ground.file(
        folder + "/bulletin.txt",
        fmt::format("KB{}\r\nSeverity: {}\r\nFile: {}\r\n", number, i % 3 ? "Important" : "Critical", name),
        look(random));
  }
  return count;
}

void make_vendor_backup(Ground& ground, Random& random, const std::string& password, Timestamp made) {
  Bytes content(180'000);
  random.fill(content);
  constexpr string_view head = "SAMPLE OF A VENDOR BACKUP: OPAQUE, ITS FORMAT IS NOT PUBLIC\n";
  std::copy_n(as_bytes(head).begin(), head.size(), content.begin());
  ground.file(fmt::format("server/{}", kVendorBackup), ByteView(content), {0640, made, {}});
  ground.file(fmt::format("server/{}", kVendorBackupPassword), password + "\n", {0600, made, {}});
}

}  // namespace holdfast::sample
