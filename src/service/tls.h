// The certificate with which the service speaks TLS: given in [service], or its own, made at the first start
// and kept in the folder of state.
#pragma once

#include <optional>
#include <string>

#include "crypto/certificate.h"
#include "platform/world.h"
#include "system/settings.h"

namespace holdfast::service {

struct TlsIdentity {
  crypto::CertificateAndKey pair;
  std::string sha256;  // of the certificate: what a person compares with what the browser shows
  bool made = false;   // just now
};

// Its own: STATE/tls.crt and STATE/tls.key (0600), for the names of this machine and `address`; made again
// when it has less than a month left. Error(config): a given one is no certificate with its key. Those of the
// file system.
// The given one, or its own where that can be used for another month; nullopt: tls_identity() would make one.
std::optional<TlsIdentity> kept_tls_identity(platform::World& world, const platform::Path& state,
                                             const system::ServiceSettings& settings);
TlsIdentity tls_identity(platform::World& world, const platform::Path& state,
                         const system::ServiceSettings& settings, const std::string& address);

}  // namespace holdfast::service
