#include "system/web_address.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace holdfast::system {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A decimal number without sign and leading zeros.
std::optional<int> number(std::string_view text, int highest) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || !is_digit(text.front()) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  if (error != std::errc{} || end != text.data() + text.size() || value > highest) return std::nullopt;
  return value;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; });
}

// Groups of one to four hex digits between single colons; -1: something else.
int groups(std::string_view text) {
  if (text.empty()) return 0;
  int count = 0;
  for (const std::string& group : split(text, ':')) {
    if (group.empty() || group.size() > 4 || !std::all_of(group.begin(), group.end(), is_hex_digit)) return -1;
    ++count;
  }
  return count;
}

}  // namespace

bool is_ipv4(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return number(part, 255).has_value(); });
}

bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return groups(text) == 8;
  const int before = groups(text.substr(0, gap)), after = groups(text.substr(gap + 2));
  return before >= 0 && after >= 0 && before + after <= 7;
}

bool is_this_machine(std::string_view host) {
  return to_lower_ascii(host) == "localhost" || host == "::1" || (is_ipv4(host) && host.starts_with("127."));
}

std::optional<HostAndPort> split_host_and_port(std::string_view text) {
  HostAndPort out;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return std::nullopt;
    out.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    out.host = text.substr(0, colon);
    if (!is_host_name(out.host)) return std::nullopt;
    rest = text.substr(colon);
  }
  if (rest.empty()) return out;
  const auto port = rest.front() == ':' ? number(rest.substr(1), 65'535) : std::nullopt;
  if (!port || *port == 0) return std::nullopt;
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

std::optional<WebAddress> split_web_address(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c < '!' || c > '~' || c == '#'; })) return std::nullopt;
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0 || !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(mark), is_letter)) return std::nullopt;
  WebAddress out;
  out.scheme = to_lower_ascii(text.substr(0, mark));
  std::string_view place = text.substr(mark + 3);
  const std::size_t end = std::min(place.find_first_of("/?"), place.size());
  out.rest = place.substr(end);
  place = place.substr(0, end);
  if (const std::size_t at = place.rfind('@'); at != std::string_view::npos) {
    out.user = place.substr(0, at);
    const std::size_t colon = out.user.find(':');
    out.has_password = colon != std::string::npos;
    out.user.resize(std::min(colon, out.user.size()));
    place = place.substr(at + 1);
  }
  const auto where = split_host_and_port(place);
  if (!where) return std::nullopt;
  out.host = where->host;
  out.port = where->port;
  return out;
}

}  // namespace holdfast::system
