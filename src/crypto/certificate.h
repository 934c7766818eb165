// X.509 certificates with their private keys, as PEM or PKCS#12 (OpenSSL). No OpenSSL type leaves this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace holdfast::crypto {

struct CertificateFacts {
  std::string subject, issuer;          // RFC 2253 text
  std::string serial;                   // hex
  std::string thumbprint;               // SHA-1 of the DER, upper-case hex as Windows shows it
  std::string sha256;                   // SHA-256 of the DER, lower-case hex
  Timestamp not_before, not_after;
  std::string key_type;                 // "RSA 2048", "EC P-256"
  std::vector<std::string> names;       // subject alternative names
  bool is_authority = false;
};

// Finds the certificate and private key in the given files (PEM, DER or PKCS#12 by content; `password` for PKCS#12 and
// encrypted PEM keys) and says whether they belong together.
struct CertificateCheck {
  std::optional<CertificateFacts> certificate;   // of the certificate whose key was found, else the first one
  bool has_private_key = false;
  bool key_matches = false;
  std::vector<CertificateFacts> chain;           // further certificates
};
// Throws Error(damaged) when a file is none of the formats or larger than 16 MiB, Error(wrong_key) when a
// password does not open it, Error(unsupported) when its cipher was dropped (RC2 of old Windows exports) or it asks for more
// than 10,000,000 rounds of key derivation.
CertificateCheck check_certificate(const std::vector<Bytes>& files, std::string_view password);

// Makes a self-signed or CA-signed certificate, for the sample and for the service's first start.
struct NewCertificate {
  std::string common_name, organization;
  std::vector<std::string> dns_names;
  Timestamp not_before;
  int days = 365;
  bool authority = false;
  enum class Key { rsa_2048, ec_p256 } key = Key::rsa_2048;   // what Windows servers make by default; what a service of ours uses
};
struct CertificateAndKey { std::string certificate_pem, key_pem; };
// SHA-256; RSA takes about 0.1 s. `dns_names` may hold IP addresses.
// Error(usage): a name is not 1 to 64 characters. Error(damaged): `issuer` is no pair.
CertificateAndKey make_certificate(const NewCertificate& what, const CertificateAndKey* issuer);
// AES-256, MAC with SHA-256. Error(usage): the password holds a NUL. Error(damaged): `pair` is no pair.
Bytes make_pkcs12(const CertificateAndKey& pair, std::string_view friendly_name, std::string_view password);

}  // namespace holdfast::crypto
