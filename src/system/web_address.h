// The parts of an address that a person wrote: "host:port", "smtps://user@host:port/rest". Not a general URL parser: what Holdfast
// does not need (fragments, escapes in a host) makes it no address. Nothing is looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::system {

bool is_ipv4(std::string_view text);   // four numbers from 0 to 255 without leading zeros
bool is_ipv6(std::string_view text);   // RFC 4291 2.2, without brackets, zone and the form that ends in an IPv4 address
bool is_this_machine(std::string_view host);   // localhost, 127.0.0.0/8, ::1

struct HostAndPort { std::string host; std::optional<std::uint16_t> port; };   // host: without brackets
// "127.0.0.1:8443", "[::1]:8443", "mail.example.org"; nullopt: no address. Port 1 to 65535.
std::optional<HostAndPort> split_host_and_port(std::string_view text);

struct WebAddress {
  std::string scheme;   // small letters
  std::string user;     // "" when there is none
  bool has_password = false;
  std::string host;     // without brackets
  std::optional<std::uint16_t> port;
  std::string rest;     // from the first '/' on: "/path?query", or ""
};
// nullopt: no address: a character below '!' or above '~', '#', no host, a wrong port.
std::optional<WebAddress> split_web_address(std::string_view text);

}  // namespace holdfast::system
