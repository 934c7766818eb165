// Certificates and private keys: PEM, DER, PKCS#12, with a password.
#include "crypto/certificate.h"
#include "fuzz.h"

using namespace holdfast;
using namespace holdfast::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  ByteView first = in.part(), second = in.rest();
  std::vector<Bytes> files = {{first.begin(), first.end()}};
  if (!second.empty()) files.emplace_back(second.begin(), second.end());
  accepted({Code::damaged, Code::wrong_key, Code::unsupported}, [&] {
    crypto::CertificateCheck check = crypto::check_certificate(files, "password");
    require(!check.key_matches || (check.certificate && check.has_private_key), "a key that matches is a key with a certificate");
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  crypto::NewCertificate what;
  what.common_name = "Root";
  what.organization = "Example";
  what.dns_names = {"ns01.example.test", "192.0.2.1"};
  what.not_before = {1'767'225'600, 0};
  what.authority = true;
  crypto::CertificateAndKey pair = crypto::make_certificate(what, nullptr);
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().part(as_bytes(pair.certificate_pem)).rest(as_bytes(pair.key_pem)));
  seeds.push_back(Parts().part(as_bytes(pair.certificate_pem + pair.key_pem)));
  seeds.push_back(Parts().part(crypto::make_pkcs12(pair, "friendly", "password")));
  return seeds;
}
