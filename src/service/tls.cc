#include "service/tls.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::service {
namespace {

constexpr int kDays = 3650;                         // nobody renews what nobody made
constexpr std::int64_t kRenewBefore = 30 * 86'400;  // seconds
constexpr std::int64_t kEarlier = 86'400;           // seconds: clocks of browsers that are behind
constexpr std::uint64_t kLargest = 1 << 20;         // bytes of a PEM file
constexpr std::size_t kLongestName = 64;            // of a common name; crypto/certificate.h

crypto::CertificateCheck check(const Bytes& certificate, const Bytes& key, const std::string& what) {
  crypto::CertificateCheck found = crypto::check_certificate({certificate, key}, "");
  if (!found.certificate || !found.has_private_key || !found.key_matches)
    throw Error(Code::config, "cannot use the certificate " + printable(what) +
                                  ": it is no certificate with its private key")
        .hint("[service] certificate and key are PEM files that belong together");
  return found;
}

TlsIdentity read(platform::World& world, const platform::Path& certificate, const platform::Path& key) {
  const Bytes c = world.files.read_all(certificate, kLargest), k = world.files.read_all(key, kLargest);
  const auto found = check(c, k, certificate.string());
  return {{to_text(c), to_text(k)}, found.certificate->sha256, false};
}

bool lasts(const TlsIdentity& identity, Timestamp now) {
  const auto facts = crypto::check_certificate({to_bytes(identity.pair.certificate_pem)}, "").certificate;
  return facts && facts->not_after.seconds - now.seconds > kRenewBefore;
}

TlsIdentity make(platform::World& world, const platform::Path& state, const std::string& address) {
  crypto::NewCertificate what;
  const std::string host = world.host.host_name();
  what.common_name = host.empty() || host.size() > kLongestName ? "holdfast" : host;
  what.organization = "Holdfast";
  for (const std::string& name :
       {what.common_name, std::string("localhost"), std::string("127.0.0.1"), std::string("::1"), address})
    if (name != "0.0.0.0" && name != "::" &&
        std::find(what.dns_names.begin(), what.dns_names.end(), name) == what.dns_names.end())
      what.dns_names.push_back(name);
  what.not_before = {world.clock.now().seconds - kEarlier, 0};
  what.days = kDays;
  what.key = crypto::NewCertificate::Key::ec_p256;
  TlsIdentity made{crypto::make_certificate(what, nullptr), "", true};
  world.files.make_directories(state);
  // The certificate last: with it there, its key is.
  world.files.replace(state / "tls.key", as_bytes(made.pair.key_pem), 0600);
  world.files.replace(state / "tls.crt", as_bytes(made.pair.certificate_pem), 0644);
  made.sha256 =
      check(to_bytes(made.pair.certificate_pem), to_bytes(made.pair.key_pem), "tls.crt").certificate->sha256;
  return made;
}

}  // namespace

std::optional<TlsIdentity> kept_tls_identity(platform::World& world, const platform::Path& state,
                                             const system::ServiceSettings& settings) {
  if (!settings.certificate.empty()) return read(world, settings.certificate, settings.key);
  const platform::Path certificate = state / "tls.crt", key = state / "tls.key";
  if (world.files.exists(certificate) && world.files.exists(key)) {
    try {
      TlsIdentity kept = read(world, certificate, key);
      if (lasts(kept, world.clock.now())) return kept;
    } catch (const Error& e) {  // two starts at the same time, or a kill between the two files
      if (e.code() != Code::config && e.code() != Code::damaged) throw;
    }
  }
  return std::nullopt;
}

TlsIdentity tls_identity(platform::World& world, const platform::Path& state,
                         const system::ServiceSettings& settings, const std::string& address) {
  if (auto kept = kept_tls_identity(world, state, settings)) return *kept;
  return make(world, state, address);
}

}  // namespace holdfast::service
