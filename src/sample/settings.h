// The texts of the Notification Server's configuration: core settings, registry, web configuration, sheets,
// share. Pure functions; `clean` is what the installer lays down, the others are what the sample's
// administrator made of it.
#pragma once

#include <string>

#include "base/bytes.h"
#include "sample/random.h"

namespace holdfast::sample {

struct ServerNames {
  std::string host;    // "ns01"
  std::string domain;  // "example.test"
  std::string full() const { return host + "." + domain; }
};

std::string clean_core_settings();
std::string core_settings(const ServerNames& names);

// UTF-8 with LF and the placeholders @INSTALL_PATH@, @DATABASE_NAME@ and @APPLICATION_IDENTITY@; setup makes
// the file of it.
std::string clean_registry_template();
// The file's bytes: UTF-16LE with a byte order mark and CRLF. `agent_thumbprint`: of the NS root certificate.
Bytes registry_file(const std::string& agent_thumbprint, Random& random);

std::string clean_web_config();
// `certificate_thumbprint`: of the web certificate.
std::string web_config(const ServerNames& names, const std::string& certificate_thumbprint);

std::string share_description(const ServerNames& names);
std::string cem_sheet(const ServerNames& names, const std::string& certificate_thumbprint);
std::string hierarchy_sheet(const ServerNames& names);

}  // namespace holdfast::sample
