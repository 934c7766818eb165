// Every fact is compared with what the `openssl` command says about the same file.
#include "crypto/certificate.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/openssl.h"
#include "crypto/testing.h"

#include <openssl/pkcs12.h>

namespace holdfast::crypto {
namespace {

namespace fs = std::filesystem;

class Certificate : public testing::Test {
 protected:
  // One root and one server certificate for all tests: making RSA keys is slow.
  static void SetUpTestSuite() {
    root_ = new CertificateAndKey(make_certificate({.common_name = "Müller Root, Inc.",
                                                    .organization = "Example",
                                                    .dns_names = {},
                                                    .not_before = {1'700'000'000, 0},
                                                    .days = 3650,
                                                    .authority = true},
                                                   nullptr));
    server_ = new CertificateAndKey(
        make_certificate({.common_name = "ns01.example.com",
                          .organization = "",
                          .dns_names = {"ns01.example.com", "ns01", "192.0.2.7", "2001:db8::1"},
                          .not_before = {1'763'776'800, 0},
                          .days = 365,
                          .authority = false},
                         root_));
  }
  static void TearDownTestSuite() {
    delete root_;
    delete server_;
  }

  void SetUp() override {
    char name[] = "/tmp/holdfast-certificate-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    save("root.crt", root_->certificate_pem);
    save("root.key", root_->key_pem);
    save("server.crt", server_->certificate_pem);
    save("server.key", server_->key_pem);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void save(const std::string& name, std::string_view bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  Bytes load(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    EXPECT_TRUE(in) << name;
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }

  // What `openssl ARGUMENTS` prints, run in the folder. It must succeed.
  std::string openssl(const std::string& arguments) const {
    const std::string command = "cd " + folder_.string() + " && openssl " + arguments + " 2>openssl.err";
    FILE* pipe = popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::string text;
    std::array<char, 4096> part;
    for (std::size_t n; (n = fread(part.data(), 1, part.size(), pipe)) > 0;) text.append(part.data(), n);
    EXPECT_EQ(pclose(pipe), 0) << command << "\n" << to_text(load("openssl.err"));
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  // The value after "name=" of `openssl x509 ...`.
  std::string says(const std::string& arguments) const {
    const std::string text = openssl("x509 -noout " + arguments);
    return text.substr(text.find('=') + 1);
  }

  static CertificateCheck check(std::vector<Bytes> files, std::string_view password = "") {
    return check_certificate(files, password);
  }

  static inline CertificateAndKey *root_ = nullptr, *server_ = nullptr;
  fs::path folder_;
};

std::string without_colons(std::string text) {
  std::erase(text, ':');
  return text;
}

TEST_F(Certificate, FactsAreThoseOfOpenssl) {
  for (const std::string name : {"root.crt", "server.crt"}) {
    SCOPED_TRACE(name);
    const CertificateFacts facts = check({load(name)}).certificate.value();
    const std::string in = "-in " + name + " ";
    EXPECT_EQ(facts.subject, says(in + "-subject -nameopt RFC2253,-esc_msb,utf8"));
    EXPECT_EQ(facts.issuer, says(in + "-issuer -nameopt RFC2253,-esc_msb,utf8"));
    EXPECT_EQ(facts.serial, says(in + "-serial"));
    EXPECT_EQ(facts.thumbprint, without_colons(says(in + "-fingerprint -sha1")));
    openssl("x509 " + in + "-outform DER -out it.der");
    EXPECT_EQ(facts.sha256, openssl("dgst -sha256 -r it.der").substr(0, 64));
    std::string start = format_utc(facts.not_before), end = format_utc(facts.not_after);
    start[10] = end[10] = ' ';
    EXPECT_EQ(start, says(in + "-startdate -dateopt iso_8601"));
    EXPECT_EQ(end, says(in + "-enddate -dateopt iso_8601"));
    EXPECT_EQ(facts.key_type, "RSA 2048");
    EXPECT_EQ(check({load("it.der")}).certificate->sha256, facts.sha256) << "DER";
  }
}

TEST_F(Certificate, MadeOnesAreWhatWasAskedForAndVerify) {
  const CertificateFacts root = *check({load("root.crt")}).certificate,
                         server = *check({load("server.crt")}).certificate;
  EXPECT_EQ(root.subject, "CN=Müller Root\\, Inc.,O=Example");
  EXPECT_TRUE(root.is_authority);
  EXPECT_FALSE(server.is_authority);
  EXPECT_EQ(server.issuer, root.subject);
  EXPECT_EQ(server.names, (std::vector<std::string>{"ns01.example.com", "ns01", "192.0.2.7",
                                                    "2001:0db8:0000:0000:0000:0000:0000:0001"}));
  EXPECT_EQ(server.not_before.seconds, 1'763'776'800);
  EXPECT_EQ(server.not_after.seconds, 1'763'776'800 + 365LL * 86'400);
  openssl(
      "verify -attime 1763776801 -x509_strict -purpose sslserver -verify_hostname ns01 -CAfile root.crt "
      "server.crt");
  openssl("verify -attime 1763776801 -verify_ip 2001:db8::1 -CAfile root.crt server.crt");
  openssl("rsa -check -noout -in server.key");
}

TEST_F(Certificate, MadeWithAnEllipticCurveKeySignsAndVerifiesByItself) {
  const CertificateAndKey pair = make_certificate({.common_name = "holdfast",
                                                   .organization = "",
                                                   .dns_names = {"localhost", "127.0.0.1", "::1"},
                                                   .not_before = {1'763'776'800, 0},
                                                   .key = NewCertificate::Key::ec_p256},
                                                  nullptr);
  save("ec.crt", pair.certificate_pem);
  save("ec.key", pair.key_pem);
  const CertificateCheck both = check({load("ec.crt"), load("ec.key")});
  EXPECT_TRUE(both.key_matches);
  EXPECT_EQ(both.certificate->key_type, "EC P-256");
  EXPECT_EQ(both.certificate->names.size(), 3u);
  EXPECT_EQ(openssl("x509 -noout -in ec.crt -ext keyUsage").find("Key Encipherment"), std::string::npos);
  openssl("verify -attime 1763776801 -x509_strict -purpose sslserver -verify_ip ::1 -CAfile ec.crt ec.crt");
}

TEST_F(Certificate, TellsWhetherKeyAndCertificateBelongTogether) {
  const CertificateCheck both = check({load("server.crt"), load("server.key")});
  EXPECT_TRUE(both.has_private_key && both.key_matches);
  EXPECT_EQ(both.certificate->subject, "CN=ns01.example.com");

  const CertificateCheck other = check({load("server.crt"), load("root.key")});
  EXPECT_TRUE(other.has_private_key);
  EXPECT_FALSE(other.key_matches);
  EXPECT_EQ(other.certificate->subject, "CN=ns01.example.com");

  const CertificateCheck alone = check({load("server.crt")});
  EXPECT_FALSE(alone.has_private_key || alone.key_matches);

  const CertificateCheck key = check({load("server.key")});
  EXPECT_FALSE(key.certificate.has_value());
  EXPECT_TRUE(key.has_private_key);
  EXPECT_FALSE(key.key_matches);
}

TEST_F(Certificate, PicksTheOneWithTheKeyAndKeepsTheOthersOnce) {
  save("bundle.pem", "a comment\n" + root_->certificate_pem + server_->certificate_pem + server_->key_pem);
  const CertificateCheck found = check({load("bundle.pem"), load("server.crt"), load("root.crt")});
  EXPECT_TRUE(found.key_matches);
  EXPECT_EQ(found.certificate->subject, "CN=ns01.example.com");
  ASSERT_EQ(found.chain.size(), 1U);
  EXPECT_TRUE(found.chain[0].is_authority);
}

TEST_F(Certificate, ReadsEveryFormOfPrivateKey) {
  openssl("rsa -in server.key -traditional -out old.key");
  openssl("rsa -in server.key -traditional -aes256 -passout pass:secret -out old-locked.key");
  openssl("pkcs8 -topk8 -in server.key -v2 aes256 -passout pass:secret -out locked.key");
  openssl("pkcs8 -topk8 -in server.key -outform DER -nocrypt -out key.der");
  openssl("pkcs8 -topk8 -in server.key -outform DER -v2 aes256 -passout pass:secret -out locked.der");
  for (const std::string name : {"old.key", "old-locked.key", "locked.key", "key.der", "locked.der"})
    EXPECT_TRUE(check({load("server.crt"), load(name)}, "secret").key_matches) << name;
  for (const std::string name : {"old-locked.key", "locked.key", "locked.der"})
    for (const std::string_view wrong : {"", "Secret", "secret "})
      EXPECT_EQ(code_of([&] { check({load(name)}, wrong); }), Code::wrong_key)
          << name << " '" << wrong << "'";
}

TEST_F(Certificate, ReadsEllipticCurves) {
  openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ec -keyout ec.key -out ec.crt");
  openssl("ecparam -name prime256v1 -genkey -out with-parameters.key");
  openssl("req -x509 -newkey ed25519 -nodes -subj /CN=ed -keyout ed.key -out ed.crt");
  const CertificateCheck ec = check({load("ec.crt"), load("ec.key")}),
                         ed = check({load("ed.crt"), load("ed.key")});
  EXPECT_TRUE(ec.key_matches && ed.key_matches);
  EXPECT_EQ(ec.certificate->key_type, "EC P-256");
  EXPECT_EQ(ed.certificate->key_type, "ED25519");
  EXPECT_TRUE(check({load("with-parameters.key")}).has_private_key);
}

TEST_F(Certificate, Pkcs12OpensHereAndInOpensslWithItsPasswordOnly) {
  const std::string password = "Pässwörd 1";
  const Bytes file = make_pkcs12(*server_, "web certificate", password);
  save("made.p12", as_text(file));
  save("password", password + "\n");
  std::string text = openssl("pkcs12 -in made.p12 -passin file:password -nodes -info");
  text += to_text(load("openssl.err"));
  for (const char* expected :
       {"friendlyName: web certificate", "BEGIN PRIVATE KEY", "MAC: sha256", "AES-256-CBC"})
    EXPECT_TRUE(text.find(expected) != std::string::npos) << expected;
  EXPECT_TRUE(check({file}, password).key_matches);
  EXPECT_EQ(check({file, load("server.crt"), load("server.key")}, password).chain.size(), 0U);
  for (const std::string& wrong : {std::string(), std::string("x"), password + std::string(1, '\0')})
    EXPECT_EQ(code_of([&] { check({file}, wrong); }), Code::wrong_key);
  EXPECT_EQ(code_of([&] { make_pkcs12(*server_, "x", std::string_view("a\0b", 3)); }), Code::usage);
  EXPECT_EQ(code_of([&] {
              make_pkcs12({server_->certificate_pem, root_->key_pem}, "x", "y");
            }),
            Code::damaged);
}

TEST_F(Certificate, Pkcs12OfOthers) {
  openssl(
      "pkcs12 -export -in server.crt -inkey server.key -certfile root.crt -passout pass:secret -out "
      "modern.p12");
  const CertificateCheck found = check({load("modern.p12")}, "secret");
  EXPECT_TRUE(found.key_matches);
  ASSERT_EQ(found.chain.size(), 1U);
  EXPECT_EQ(found.certificate->issuer, found.chain[0].subject);

  const std::string make = "pkcs12 -export -in server.crt -inkey server.key -macalg sha1 ";
  openssl(make + "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -passout pass:secret -out windows.pfx");
  EXPECT_TRUE(check({load("windows.pfx")}, "secret").key_matches);
  EXPECT_EQ(code_of([&] { check({load("windows.pfx")}, "other"); }), Code::wrong_key);

  openssl(make + "-passout pass: -out open.p12");
  EXPECT_TRUE(check({load("open.p12")}, "").key_matches);

  openssl(make + "-legacy -certpbe PBE-SHA1-RC2-40 -passout pass:secret -out rc2.p12");
  EXPECT_EQ(code_of([&] { check({load("rc2.p12")}, "secret"); }), Code::unsupported);
  EXPECT_EQ(code_of([&] { check({load("rc2.p12")}, "other"); }), Code::wrong_key);

  openssl("pkcs12 -export -nokeys -in root.crt -passout pass:secret -out nokey.p12");
  const CertificateCheck without = check({load("nokey.p12")}, "secret");
  EXPECT_FALSE(without.has_private_key);
  EXPECT_TRUE(without.certificate.has_value());
}

TEST_F(Certificate, WhatIsNoneOfTheFormatsIsDamaged) {
  openssl("x509 -in server.crt -outform DER -out it.der");
  const Bytes der = load("it.der"), pem = load("server.crt");
  Bytes longer = der;
  longer.push_back(0);
  std::string bad_base64 = to_text(pem);
  bad_base64[100] = '!';
  openssl("rsa -in server.key -pubout -out public.pem");
  const std::vector<Bytes> bad = {{},
                                  to_bytes("garbage"),
                                  Bytes(1000, 0x30),
                                  longer,
                                  Bytes(der.begin(), der.end() - 1),
                                  Bytes(pem.begin(), pem.end() - 40),
                                  to_bytes(bad_base64),
                                  load("public.pem"),
                                  to_bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                                  to_bytes("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                                  Bytes(17 * 1024 * 1024, 'x')};
  for (std::size_t i = 0; i < bad.size(); ++i)
    EXPECT_EQ(code_of([&] { check({bad[i]}); }), Code::damaged) << "case " << i;
  try {
    check({load("server.crt"), to_bytes("garbage")});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("file 2 of 2"), std::string::npos) << error.message();
  }
  EXPECT_FALSE(check({}).certificate.has_value());
}

// Whatever bytes come, an answer or an Error comes back.
TEST_F(Certificate, CutAndFlippedFilesNeverDoWorse) {
  openssl("x509 -in server.crt -outform DER -out it.der");
  openssl("pkcs12 -export -in server.crt -inkey server.key -passout pass:secret -iter 1 -out it.p12");
  for (const std::string name : {"it.der", "it.p12", "server.crt", "server.key"}) {
    const Bytes good = load(name);
    for (std::size_t i = 0; i < good.size(); i += 3) {
      Bytes bad = good;
      bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
      for (const Bytes& file : {bad, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i))}) {
        try {
          check({file}, "secret");
        } catch (const Error& error) {
          EXPECT_TRUE(error.code() == Code::damaged || error.code() == Code::wrong_key ||
                      error.code() == Code::unsupported)
              << name << " at " << i << ": " << error.message();
        }
      }
    }
  }
}

// OpenSSL would derive for hours. Each file says its number in another place.
TEST_F(Certificate, EndlessKeyDerivationIsRefusedBeforeItBegins) {
  constexpr int kRounds = 2'000'000'000;
  const auto der = [](auto* object, auto encode) {
    unsigned char* bytes = nullptr;
    const int size = encode(object, &bytes);
    Bytes copy(bytes, bytes + size);
    OPENSSL_free(bytes);
    return copy;
  };
  const Owned<X509_SIG, X509_SIG_free> key(X509_SIG_new());
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* sealed = nullptr;
  X509_SIG_getm(key.get(), &algorithm, &sealed);
  const Owned<X509_ALGOR, X509_ALGOR_free> hostile(PKCS5_pbe2_set(EVP_aes_256_cbc(), kRounds, nullptr, 0));
  X509_ALGOR_copy(algorithm, hostile.get());
  ASN1_OCTET_STRING_set(sealed, reinterpret_cast<const unsigned char*>("0123456789abcdef"), 16);

  const Bytes good = make_pkcs12(*server_, "server", "secret");
  const unsigned char* at = good.data();
  const Owned<PKCS12, PKCS12_free> mac(d2i_PKCS12(nullptr, &at, static_cast<long>(good.size())));
  ASSERT_EQ(PKCS12_setup_mac(mac.get(), kRounds, nullptr, 8, EVP_sha256()), 1);

  const Owned<PKCS12, PKCS12_free> bag(PKCS12_init(NID_pkcs7_data));
  X509_SIG* again = X509_SIG_new();   // belongs to its bag
  X509_SIG_getm(again, &algorithm, &sealed);
  X509_ALGOR_copy(algorithm, hostile.get());
  STACK_OF(PKCS12_SAFEBAG)* bags = sk_PKCS12_SAFEBAG_new_null();
  sk_PKCS12_SAFEBAG_push(bags, PKCS12_SAFEBAG_create0_pkcs8(again));
  STACK_OF(PKCS7)* parts = sk_PKCS7_new_null();
  sk_PKCS7_push(parts, PKCS12_pack_p7data(bags));
  ASSERT_EQ(PKCS12_pack_authsafes(bag.get(), parts), 1);
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  sk_PKCS7_pop_free(parts, PKCS7_free);

  for (const Bytes& file : {der(key.get(), i2d_X509_SIG), der(mac.get(), i2d_PKCS12), der(bag.get(), i2d_PKCS12)})
    EXPECT_EQ(code_of([&] { check({file}, "secret"); }), Code::unsupported);
  EXPECT_TRUE(check({good}, "secret").key_matches);
}

TEST_F(Certificate, RefusesNamesThatDoNotFit) {
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("\xff")})
    EXPECT_EQ(code_of([&] { make_certificate({name, "", {}, {}, 1, false}, nullptr); }), Code::usage);
}

// A machine's OpenSSL configuration must not reach the program that recovers it.
TEST_F(Certificate, ConfigurationOfTheMachineIsNotRead) {
  save("hostile.cnf", "openssl_conf = a\n[a]\nalg_section = b\n[b]\ndefault_properties = fips=yes\n");
  const fs::path self = fs::read_symlink("/proc/self/exe");
  const std::string command = "OPENSSL_CONF=" + (folder_ / "hostile.cnf").string() + " " + self.string() +
                              " --gtest_filter='Sha256.*:Derive.*:Aead.*' >" + (folder_ / "log").string();
  EXPECT_EQ(std::system(command.c_str()), 0) << to_text(load("log"));
}

}  // namespace
}  // namespace holdfast::crypto
