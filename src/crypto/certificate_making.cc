// Certificates and PKCS#12 files that Holdfast makes itself.
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "crypto/certificate.h"
#include "crypto/openssl.h"
#include "crypto/secret.h"

namespace holdfast::crypto {
namespace {

using Certificate = Owned<X509, X509_free>;
using PrivateKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Memory = Owned<BIO, BIO_free_all>;

constexpr unsigned kRsaBits = 2048;
constexpr int kSerialBytes = 16;     // RFC 5280 allows 20

// Passes over the password of a PKCS#12 file. OpenSSL's own 2,048 (PKCS12_DEFAULT_ITER) is of 1999; this
// takes 0.1 s.
constexpr int kPkcs12Passes = 100'000;

std::string text_in(const Memory& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Memory memory_of(std::string_view text) {
  Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  must(memory != nullptr, "read PEM");
  return memory;
}

int no_password(char*, int, int, void*) { return -1; }

struct Pair {
  Certificate certificate;
  PrivateKey key;
};

Pair parse(const CertificateAndKey& text) {
  Pair pair{
      Certificate(PEM_read_bio_X509(memory_of(text.certificate_pem).get(), nullptr, no_password, nullptr)),
      PrivateKey(PEM_read_bio_PrivateKey(memory_of(text.key_pem).get(), nullptr, no_password, nullptr))};
  if (!pair.certificate || !pair.key || X509_check_private_key(pair.certificate.get(), pair.key.get()) != 1) {
    ERR_clear_error();
    throw Error(Code::damaged,
                "cannot use a certificate: it and its private key are not a pair of PEM texts");
  }
  return pair;
}

void set_random_serial(X509* certificate) {
  std::uint8_t bytes[kSerialBytes];
  must(RAND_bytes(bytes, kSerialBytes) == 1, "get random bytes");
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7f) | 0x40);  // positive, and always of the same length
  const Owned<BIGNUM, BN_free> number(BN_bin2bn(bytes, kSerialBytes, nullptr));
  must(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
       "set a serial number");
}

void add_name(X509_NAME* name, const char* field, const std::string& value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, static_cast<int>(value.size()), -1, 0) ==
      1)
    return;
  ERR_clear_error();
  throw Error(Code::usage, std::string("cannot make a certificate: its ") + field +
                               " must be 1 to 64 characters of UTF-8");
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension to a certificate");
}

// Host names, and addresses as what they are: a browser does not look for an address among names.
void add_dns_names(X509* certificate, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> list(GENERAL_NAMES_new());
  must(list != nullptr, "list names");
  for (const std::string& name : names) {
    Owned<GENERAL_NAME, GENERAL_NAME_free> entry(GENERAL_NAME_new());
    must(entry != nullptr, "list names");
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str()); address != nullptr) {
      GENERAL_NAME_set0_value(entry.get(), GEN_IPADD, address);
    } else {
      ERR_clear_error();
      ASN1_IA5STRING* text = ASN1_IA5STRING_new();
      must(text && ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1, "list names");
      GENERAL_NAME_set0_value(entry.get(), GEN_DNS, text);
    }
    must(sk_GENERAL_NAME_push(list.get(), entry.get()) > 0, "list names");
    static_cast<void>(entry.release());
  }
  must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1,
       "add names");
}

void fill(X509* certificate, const NewCertificate& what, EVP_PKEY* key, X509* issuer) {
  must(X509_set_version(certificate, X509_VERSION_3) == 1, "set the version of a certificate");
  set_random_serial(certificate);
  auto start = static_cast<time_t>(what.not_before.seconds);
  must(X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &start) != nullptr &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), what.days, 0, &start) != nullptr,
       "set the validity of a certificate");
  X509_NAME* name = X509_get_subject_name(certificate);
  if (!what.organization.empty()) add_name(name, "O", what.organization);
  add_name(name, "CN", what.common_name);
  must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           X509_set_pubkey(certificate, key) == 1,
       "fill a certificate");
  add_extension(certificate, issuer, NID_basic_constraints,
                what.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  // RFC 8422 5.2: an EC key signs only.
  const char* use = what.key == NewCertificate::Key::ec_p256 ? "critical,digitalSignature"
                                                             : "critical,digitalSignature,keyEncipherment";
  add_extension(certificate, issuer, NID_key_usage, what.authority ? "critical,keyCertSign,cRLSign" : use);
  if (!what.authority) add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  add_dns_names(certificate, what.dns_names);
}

}  // namespace

CertificateAndKey make_certificate(const NewCertificate& what, const CertificateAndKey* issuer) {
  start_openssl();
  const PrivateKey key(what.key == NewCertificate::Key::ec_p256 ? EVP_EC_gen("P-256")
                                                                : EVP_RSA_gen(kRsaBits));
  const Certificate certificate(X509_new());
  must(key && certificate, "make a key pair");
  if (issuer == nullptr) {
    fill(certificate.get(), what, key.get(), certificate.get());
    must(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "sign a certificate");
  } else {
    const Pair authority = parse(*issuer);
    fill(certificate.get(), what, key.get(), authority.certificate.get());
    must(X509_sign(certificate.get(), authority.key.get(), EVP_sha256()) > 0, "sign a certificate");
  }
  const Memory certificate_pem(BIO_new(BIO_s_mem())), key_pem(BIO_new(BIO_s_secmem()));
  must(
      certificate_pem && key_pem && PEM_write_bio_X509(certificate_pem.get(), certificate.get()) == 1 &&
          PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "write PEM");
  return {text_in(certificate_pem), text_in(key_pem)};
}

Bytes make_pkcs12(const CertificateAndKey& pair, std::string_view friendly_name, std::string_view password) {
  start_openssl();
  if (password.find('\0') != std::string_view::npos)
    throw Error(Code::usage, "cannot make a PKCS#12 file: a NUL ends its password");
  const Pair parsed = parse(pair);
  Secret with_nul(password.size() + 1);
  std::copy(password.begin(), password.end(), with_nul.bytes().begin());
  const auto* text = reinterpret_cast<const char*>(with_nul.view().data());
  const std::string name(friendly_name);
  // -1: the MAC follows by itself below, because this call would make it with SHA-1 on older versions.
  const Owned<PKCS12, PKCS12_free> file(PKCS12_create(text, name.c_str(), parsed.key.get(),
                                                      parsed.certificate.get(), nullptr, NID_aes_256_cbc,
                                                      NID_aes_256_cbc, kPkcs12Passes, -1, 0));
  must(file && PKCS12_set_mac(file.get(), text, -1, nullptr, 0, kPkcs12Passes, EVP_sha256()) == 1,
       "make a PKCS#12 file");
  unsigned char* der = nullptr;
  const int size = i2d_PKCS12(file.get(), &der);
  must(size > 0, "write a PKCS#12 file");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace holdfast::crypto
