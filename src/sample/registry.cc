#include <fmt/format.h>

#include <vector>

#include "sample/catalogue.h"
#include "sample/settings.h"

namespace holdfast::sample {

namespace {

constexpr std::string_view kRoot = R"(HKEY_LOCAL_MACHINE\SOFTWARE\Altiris\eXpress\Notification Server)";
constexpr std::string_view kHead = "Windows Registry Editor Version 5.00\n";
constexpr std::size_t kLineWidth = 80;  // where regedit wraps a list of bytes

// UTF-16LE of UTF-8 text that is ours and therefore valid.
Bytes utf16(std::string_view text) {
  Bytes out;
  const auto unit = [&](std::uint32_t value) {
    out.push_back(static_cast<std::uint8_t>(value));
    out.push_back(static_cast<std::uint8_t>(value >> 8));
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i)
      point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
    at += length;
    if (point < 0x10000) {
      unit(point);
    } else {
      unit(0xd800 + ((point - 0x10000) >> 10));
      unit(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string key(std::string_view below) {
  return fmt::format("\n[{}{}{}]\n", kRoot, below.empty() ? "" : "\\", below);
}

// `name` "" is the key's default value.
std::string left(std::string_view name) { return (name.empty() ? "@" : quoted(name)) + "="; }
std::string sz(std::string_view name, std::string_view value) { return left(name) + quoted(value) + "\n"; }
std::string dword(std::string_view name, std::uint32_t value) {
  return left(name) + fmt::format("dword:{:08x}\n", value);
}

std::string hex(std::string_view name, std::string_view type, ByteView bytes) {
  std::string out, row = left(name) + std::string(type) + ":";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    row += fmt::format("{:02x}", bytes[i]);
    if (i + 1 == bytes.size()) break;
    row += ",";
    if (row.size() + 4 > kLineWidth) {  // no room for "xx,\"
      out += row + "\\\n";
      row = "  ";
    }
  }
  return out + row + "\n";
}

std::string expand_sz(std::string_view name, std::string value) {
  value += '\0';
  return hex(name, "hex(2)", utf16(value));
}

std::string multi_sz(std::string_view name, const std::vector<std::string_view>& values) {
  std::string joined;
  for (auto value : values) (joined += value) += '\0';
  joined += '\0';
  return hex(name, "hex(7)", utf16(joined));
}

std::string qword(std::string_view name, std::uint64_t value) {
  Bytes bytes;
  for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return hex(name, "hex(b)", bytes);
}

std::string product_keys() {
  std::string text;
  for (const auto& product : products()) {
    text += key(fmt::format("ProductInstallation\\{{{}}}", product.id)) + sz("Name", product.name) +
            sz("Version", product.version);
  }
  return text;
}

// What the core settings of type "registry" refer to, and every other value type once.
std::string settings_keys(Random& random) {
  std::string text = key("Network") + multi_sz("TrustedProxies", {"10.20.0.5", "10.20.0.6"}) +
                     sz("Gateway \"primary\"", R"(\\gw01\cem$)") +
                     sz(R"(Path\With\Backslashes)", R"(D:\Data\)") + "\"RetiredProxy\"=-\n";
  text += key("PackageRefresh") + sz("", "Package refresh of Zürich and Genève") + dword("MaxConcurrent", 8) +
          qword("ByteBudget", UINT64_C(5497558138880)) + hex("Reserved", "hex(0)", {});
  Bytes state(300);
  random.fill(state);
  text += key("PackageRefresh\\State") + hex("LastResult", "hex", state) +
          hex("Marker", "hex(0)", ByteView(state).first(5));
  text += key("Hierarchy") + sz("Role", "parent") + dword("MaxChildren", 6);
  return text;
}

}  // namespace

std::string clean_registry_template() {
  return std::string(kHead) + key("") +
         "\"InstallPath\"=\"@INSTALL_PATH@\"\n\"DatabaseName\"=\"@DATABASE_NAME@\"\n" + key("AppIdentity") +
         "\"user\"=\"@APPLICATION_IDENTITY@\"\n" + product_keys() + "\n";
}

Bytes registry_file(const std::string& agent_thumbprint, Random& random) {
  Bytes sealed_password(96);  // the real value is encrypted for one machine; nobody here can make or use one
  random.fill(sealed_password);
  std::string text = std::string(kHead) + key("") + sz("InstallPath", kInstallPath) +
                     sz("DatabaseName", kDatabaseName) + dword("PkgSvrDwonloadFromNSOnly", 1) +
                     expand_sz("TempFolder", R"(%ProgramData%\Symantec\SMP\Temp)");
  text += key("AppIdentity") + sz("user", kApplicationIdentity) + hex("pwd", "hex", sealed_password);
  text += key("CA") + key("CA\\Agent") + sz("Thumbprint", agent_thumbprint);
  text += product_keys() + settings_keys(random) + "\n";

  std::string lines;
  for (char c : text) {
    if (c == '\n') lines += '\r';
    lines += c;
  }
  Bytes out{0xff, 0xfe};
  const Bytes body = utf16(lines);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

}  // namespace holdfast::sample
