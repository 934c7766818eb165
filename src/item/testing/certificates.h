// Certificates for tests, made once a program: making their keys is slow.
#pragma once

#include "crypto/certificate.h"

namespace holdfast::item::testing {

// Valid from 2026-01-01 for two years, self-signed; `n` tells them apart.
inline const crypto::CertificateAndKey& certificate(int n) {
  static const auto make = [](const std::string& name) {
    return crypto::make_certificate({.common_name = name, .organization = "Example", .dns_names = {"ns01.example.test"},
                                     .not_before = {1'767'225'600, 0}, .days = 730, .authority = true},
                                    nullptr);
  };
  static const crypto::CertificateAndKey first = make("Root A"), second = make("Root B"), renewed = make("Root A");
  return n == 0 ? first : n == 1 ? second : renewed;
}
inline std::string thumbprint(int n) {
  return crypto::check_certificate({to_bytes(certificate(n).certificate_pem)}, "").certificate->thumbprint;
}

}  // namespace holdfast::item::testing
