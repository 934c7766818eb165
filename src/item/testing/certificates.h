// Certificates for tests, made once a program: making their keys is slow.
#pragma once

#include <map>

#include "crypto/certificate.h"

namespace holdfast::item::testing {

// Self-signed, valid from 2026-01-01 for two years. 0: "Root A", 1: "Root B", 2: "Root A" again, renewed.
inline const crypto::CertificateAndKey& certificate(int n) {
  static std::map<int, crypto::CertificateAndKey> made;
  auto known = made.find(n);
  if (known != made.end()) return known->second;
  return made[n] = crypto::make_certificate({.common_name = n == 1 ? "Root B" : "Root A",
                                             .organization = "Example",
                                             .dns_names = {"ns01.example.test"},
                                             .not_before = {1'767'225'600, 0},
                                             .days = 730,
                                             .authority = true},
                                            nullptr);
}
inline std::string thumbprint(int n) {
  return crypto::check_certificate({to_bytes(certificate(n).certificate_pem)}, "").certificate->thumbprint;
}

}  // namespace holdfast::item::testing
