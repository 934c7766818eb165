#include "crypto/certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "crypto/openssl.h"
#include "crypto/secret.h"

namespace holdfast::crypto {
namespace {

using Certificate = Owned<X509, X509_free>;
using PrivateKey = Owned<EVP_PKEY, EVP_PKEY_free>;

// ---- Facts

std::string text_of(const X509_NAME* name) {
  const Owned<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  // RFC 2253 in UTF-8: letters beyond ASCII stay letters, control characters are escaped.
  constexpr unsigned long kFlags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  must(out && X509_NAME_print_ex(out.get(), name, 0, kFlags) >= 0, "print a name of a certificate");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string serial_of(const X509* certificate) {
  const Owned<BIGNUM, BN_free> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  must(number != nullptr, "read a serial number");
  char* hex = BN_bn2hex(number.get());
  must(hex != nullptr, "print a serial number");
  std::string text(hex);
  OPENSSL_free(hex);
  return text;
}

std::string fingerprint(const X509* certificate, const EVP_MD* method) {
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  must(X509_digest(certificate, method, digest, &size) == 1, "compute a fingerprint");
  return to_hex({digest, size});
}

Timestamp time_of(const ASN1_TIME* time) {
  std::tm broken{};
  if (ASN1_TIME_to_tm(time, &broken) != 1) {
    ERR_clear_error();
    throw Error(Code::damaged, "cannot read a certificate: its validity is not a time");
  }
  using namespace std::chrono;
  const sys_days day = year(broken.tm_year + 1900) / (broken.tm_mon + 1) / broken.tm_mday;
  const seconds since =
      day.time_since_epoch() + hours(broken.tm_hour) + minutes(broken.tm_min) + seconds(broken.tm_sec);
  return {since.count(), 0};
}

std::string key_type_of(const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) {
    ERR_clear_error();
    return "unknown";
  }
  if (EVP_PKEY_is_a(key, "RSA")) return "RSA " + std::to_string(EVP_PKEY_get_bits(key));
  if (EVP_PKEY_is_a(key, "EC")) {
    char group[64] = "";
    if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1) ERR_clear_error();
    const char* nist = EC_curve_nid2nist(OBJ_sn2nid(group));
    return std::string("EC ") + (nist != nullptr ? nist : group);
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  return name != nullptr ? name : "unknown";
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const ByteView bytes(ASN1_STRING_get0_data(address), static_cast<std::size_t>(ASN1_STRING_length(address)));
  std::string text;
  if (bytes.size() == 4) {
    for (const std::uint8_t byte : bytes) text += (text.empty() ? "" : ".") + std::to_string(byte);
    return text;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0 && i % 2 == 0) text += ':';
    text += to_hex(bytes.subspan(i, 1));
  }
  return text;
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list.get(), i), &type);
    if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
      const auto* text = static_cast<const ASN1_STRING*>(value);
      names.push_back(
          to_text({ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))}));
    } else if (type == GEN_IPADD) {
      names.push_back(address_text(static_cast<const ASN1_OCTET_STRING*>(value)));
    }
  }
  ERR_clear_error();
  return names;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return text;
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.subject = text_of(X509_get_subject_name(certificate));
  facts.issuer = text_of(X509_get_issuer_name(certificate));
  facts.serial = serial_of(certificate);
  facts.thumbprint = upper(fingerprint(certificate, EVP_sha1()));
  facts.sha256 = fingerprint(certificate, EVP_sha256());
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  facts.key_type = key_type_of(certificate);
  facts.names = names_of(certificate);
  facts.is_authority = X509_check_ca(certificate) == 1;  // 1: its basic constraints say so
  ERR_clear_error();
  return facts;
}

// ---- What a hostile file asks for

constexpr std::uint64_t kEndless = UINT64_MAX;

std::uint64_t number_of(const ASN1_INTEGER* number) {
  std::uint64_t value = 0;
  return number != nullptr && ASN1_INTEGER_get_uint64(&value, number) == 1 ? value : kEndless;
}

template <class Type, auto Free>
Owned<Type, Free> parameters_of(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  const ASN1_TYPE* parameter = algorithm == nullptr ? nullptr : algorithm->parameter;
  return Owned<Type, Free>(static_cast<Type*>(ASN1_TYPE_unpack_sequence(item, parameter)));
}

std::uint64_t times(std::uint64_t a, std::uint64_t b) { return b != 0 && a > kEndless / b ? kEndless : a * b; }

// Rounds of key derivation that an encryption algorithm asks for; 0 for what OpenSSL will not understand either.
std::uint64_t rounds_of(const X509_ALGOR* algorithm) {
  if (OBJ_obj2nid(algorithm->algorithm) != NID_pbes2) {
    const auto plain = parameters_of<PBEPARAM, PBEPARAM_free>(algorithm, ASN1_ITEM_rptr(PBEPARAM));
    return plain ? number_of(plain->iter) : 0;
  }
  const auto both = parameters_of<PBE2PARAM, PBE2PARAM_free>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
  if (!both) return 0;
  if (OBJ_obj2nid(both->keyfunc->algorithm) == NID_id_scrypt) {
    const auto scrypt = parameters_of<SCRYPT_PARAMS, SCRYPT_PARAMS_free>(both->keyfunc, ASN1_ITEM_rptr(SCRYPT_PARAMS));
    return scrypt ? times(times(number_of(scrypt->costParameter), number_of(scrypt->blockSize)),
                          number_of(scrypt->parallelizationParameter))
                  : 0;
  }
  const auto pbkdf2 = parameters_of<PBKDF2PARAM, PBKDF2PARAM_free>(both->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM));
  return pbkdf2 ? number_of(pbkdf2->iter) : 0;
}

// ---- Finding certificates and keys in files

// Reads one file after another. Each format is recognised by its bytes, never by a name.
class Finder {
 public:
  explicit Finder(std::string_view password) : password_(password.size() + 1) {
    std::copy(password.begin(), password.end(), password_.bytes().begin());
  }

  void read(ByteView file, std::string where) {
    where_ = std::move(where);
    ERR_clear_error();
    if (file.size() > kMostBytes) damaged("it is larger than 16 MiB");
    const std::size_t before = certificates.size() + keys.size();
    if (as_text(file).find("-----BEGIN ") != std::string_view::npos)
      read_pem(file);
    else
      read_der(file);
    ERR_clear_error();
    if (certificates.size() + keys.size() == before)
      damaged("it holds neither a certificate nor a private key");
  }

  std::vector<Certificate> certificates;
  std::vector<PrivateKey> keys;

 private:
  static constexpr std::size_t kMostBytes = 16 * 1024 * 1024;
  // Of key derivation, all files together: about 5 s. Windows writes 2,000, OpenSSL 2,048, the most careful programs a million.
  static constexpr std::uint64_t kMostRounds = 10'000'000;

  [[noreturn]] void damaged(std::string_view why) const {
    ERR_clear_error();
    throw Error(Code::damaged, "cannot read " + where_ + ": " + std::string(why));
  }

  [[noreturn]] void wrong_password() const {
    ERR_clear_error();
    throw Error(
        Code::wrong_key,
        "cannot open " + where_ + ": " +
            (password_size() == 0 ? "it needs a password" : "its password is another one, or it is damaged"));
  }

  // Why decryption failed, from the library's errors: an algorithm that it does not have is not a wrong
  // password.
  [[noreturn]] void not_decrypted() const {
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error())
      if (ERR_GET_REASON(code) == ERR_R_UNSUPPORTED || ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_ALGORITHM ||
          ERR_GET_REASON(code) == EVP_R_UNKNOWN_PBE_ALGORITHM) {
        ERR_clear_error();
        throw Error(Code::unsupported,
                    "cannot open " + where_ + ": it is encrypted with an outdated algorithm (RC2?)")
            .hint("Export it again with AES-256.");
      }
    wrong_password();
  }

  void spend(std::uint64_t rounds) {
    if (rounds > kMostRounds - rounds_) {
      ERR_clear_error();
      throw Error(Code::unsupported, "cannot open " + where_ + ": it asks for more than 10,000,000 rounds of key derivation")
          .hint("Export it again: a real file asks for a few thousand to a million.");
    }
    rounds_ += rounds;
  }

  const char* password_text() const { return reinterpret_cast<const char*>(password_.view().data()); }
  int password_size() const { return static_cast<int>(password_.size() - 1); }

  void read_pem(ByteView file) {
    const Owned<BIO, BIO_free_all> in(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
    must(in != nullptr, "read PEM");
    for (;;) {
      char *name = nullptr, *header = nullptr;
      unsigned char* data = nullptr;
      long size = 0;
      if (PEM_read_bio(in.get(), &name, &header, &data, &size) != 1) break;
      const Owned<char, free_text> owned_name(name), owned_header(header);
      const std::unique_ptr<unsigned char, WipeAndFree> owned_data(data, {static_cast<std::size_t>(size)});
      read_pem_block(name, header, data, size);
    }
    // Anything but "no further block" is a block that does not end or is not Base64.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) damaged("a PEM block in it is broken");
  }

  static void free_text(char* text) { OPENSSL_free(text); }
  struct WipeAndFree {  // the block may be a private key
    std::size_t size;
    void operator()(unsigned char* data) const { OPENSSL_clear_free(data, size); }
  };

  void read_pem_block(std::string_view name, char* header, unsigned char* data, long size) {
    const unsigned char* at = data;
    if (name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD) {
      if (!add_certificate(d2i_X509(nullptr, &at, size))) damaged("a certificate in it is broken");
    } else if (name == PEM_STRING_X509_TRUSTED) {
      if (!add_certificate(d2i_X509_AUX(nullptr, &at, size))) damaged("a certificate in it is broken");
    } else if (name == PEM_STRING_PKCS8) {
      if (!add_encrypted_key(at, size)) damaged("a private key in it is broken");
    } else if (name.ends_with("PRIVATE KEY")) {
      add_pem_key(header, data, size);
    }
  }

  // The key formats from before PKCS#8 may be encrypted too; their PEM header says how.
  void add_pem_key(char* header, unsigned char* data, long size) {
    EVP_CIPHER_INFO cipher{};
    if (PEM_get_EVP_CIPHER_INFO(header, &cipher) != 1)
      damaged("the PEM header of a private key in it is broken");
    const auto give = [](char* out, int room, int, void* self) {
      const auto* finder = static_cast<const Finder*>(self);
      if (finder->password_size() > room) return -1;
      std::copy_n(finder->password_text(), finder->password_size(), out);
      return finder->password_size();
    };
    if (cipher.cipher != nullptr &&
        (password_size() == 0 || PEM_do_header(&cipher, data, &size, give, this) != 1))
      not_decrypted();
    const unsigned char* at = data;
    if (add_key(d2i_AutoPrivateKey(nullptr, &at, size))) return;
    if (cipher.cipher != nullptr) wrong_password();  // 1 in 256 wrong passwords still gives a right padding
    damaged("a private key in it is broken");
  }

  void read_der(ByteView file) {
    const auto size = static_cast<long>(file.size());
    const unsigned char *at = file.data(), *const end = at + size;
    if (Certificate found(d2i_X509(nullptr, &at, size)); found && at == end) {
      certificates.push_back(std::move(found));
      return;
    }
    at = file.data();
    if (const Owned<PKCS12, PKCS12_free> found(d2i_PKCS12(nullptr, &at, size)); found && at == end)
      return read_pkcs12(found.get());
    if (add_encrypted_key(file.data(), size)) return;
    at = file.data();
    add_key(d2i_AutoPrivateKey(nullptr, &at, size));
  }

  void read_pkcs12(PKCS12* file) {
    ERR_clear_error();
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    STACK_OF(X509)* others = nullptr;
    // OpenSSL takes the password up to a NUL: one that goes on after it is another password.
    if (std::strlen(password_text()) != static_cast<std::size_t>(password_size())) wrong_password();
    check_rounds(file);
    if (PKCS12_parse(file, password_text(), &key, &certificate, &others) != 1) not_decrypted();
    add_key(key);
    add_certificate(certificate);
    while (others != nullptr && sk_X509_num(others) > 0) add_certificate(sk_X509_shift(others));
    sk_X509_free(others);
  }

  // Before OpenSSL, which knows no limit, is let at it. Bags in an encrypted part are looked at once that part may be opened.
  void check_rounds(PKCS12* file) {
    const ASN1_INTEGER* rounds = nullptr;
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &rounds, file);
    if (rounds != nullptr) spend(number_of(rounds));
    const Owned<STACK_OF(PKCS7), free_parts> parts(PKCS12_unpack_authsafes(file));
    for (int i = 0; parts && i < sk_PKCS7_num(parts.get()); ++i) {
      PKCS7* part = sk_PKCS7_value(parts.get(), i);
      const int kind = OBJ_obj2nid(part->type);
      if (kind == NID_pkcs7_data)
        check_rounds(Bags(PKCS12_unpack_p7data(part)).get(), 0);
      if (kind != NID_pkcs7_encrypted || part->d.encrypted == nullptr) continue;
      spend(times(rounds_of(part->d.encrypted->enc_data->algorithm), 3));   // here, at most twice, and by PKCS12_parse
      Bags bags(PKCS12_unpack_p7encdata(part, password_text(), password_size()));
      if (!bags && password_size() == 0) bags.reset(PKCS12_unpack_p7encdata(part, nullptr, 0));   // "no password" has two spellings
      check_rounds(bags.get(), 0);
    }
    ERR_clear_error();
  }
  void check_rounds(const STACK_OF(PKCS12_SAFEBAG)* bags, int depth) {
    constexpr int kMostDepth = 8;
    if (depth > kMostDepth) damaged("it holds bags in bags in bags");
    for (int i = 0; bags != nullptr && i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
      const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
      const int kind = PKCS12_SAFEBAG_get_nid(bag);
      if (kind == NID_safeContentsBag) check_rounds(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      if (kind != NID_pkcs8ShroudedKeyBag) continue;
      const X509_ALGOR* algorithm = nullptr;
      X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, nullptr);
      spend(rounds_of(algorithm));
    }
  }
  static void free_parts(STACK_OF(PKCS7)* parts) { sk_PKCS7_pop_free(parts, PKCS7_free); }
  static void free_bags(STACK_OF(PKCS12_SAFEBAG)* bags) { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
  using Bags = Owned<STACK_OF(PKCS12_SAFEBAG), free_bags>;

  // PKCS#8 EncryptedPrivateKeyInfo. false: it is none.
  bool add_encrypted_key(const unsigned char* data, long size) {
    const Owned<X509_SIG, X509_SIG_free> sealed(d2i_X509_SIG(nullptr, &data, size));
    if (!sealed) return false;
    ERR_clear_error();
    if (password_size() == 0) wrong_password();
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(sealed.get(), &algorithm, nullptr);
    spend(rounds_of(algorithm));
    const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> plain(
        PKCS8_decrypt(sealed.get(), password_text(), password_size()));
    if (!plain) not_decrypted();
    if (!add_key(EVP_PKCS82PKEY(plain.get()))) damaged("a private key in it is broken");
    return true;
  }

  bool add_certificate(X509* certificate) {
    if (certificate != nullptr) certificates.emplace_back(certificate);
    return certificate != nullptr;
  }
  bool add_key(EVP_PKEY* key) {
    if (key != nullptr) keys.emplace_back(key);
    return key != nullptr;
  }

  Secret password_;  // ends with a NUL
  std::uint64_t rounds_ = 0;
  std::string where_;
};

bool fits(X509* certificate, const std::vector<PrivateKey>& keys) {
  const bool found = std::any_of(keys.begin(), keys.end(), [&](const PrivateKey& key) {
    return X509_check_private_key(certificate, key.get()) == 1;
  });
  ERR_clear_error();
  return found;
}

}  // namespace

CertificateCheck check_certificate(const std::vector<Bytes>& files, std::string_view password) {
  start_openssl();
  Finder finder(password);
  for (std::size_t i = 0; i < files.size(); ++i)
    finder.read(files[i],
                "certificate file " + std::to_string(i + 1) + " of " + std::to_string(files.size()));

  CertificateCheck check;
  check.has_private_key = !finder.keys.empty();
  auto& found = finder.certificates;
  const auto owner =
      std::find_if(found.begin(), found.end(), [&](auto& one) { return fits(one.get(), finder.keys); });
  check.key_matches = owner != found.end();
  if (check.key_matches) std::rotate(found.begin(), owner, owner + 1);
  for (const Certificate& one : found) {
    CertificateFacts facts = facts_of(one.get());
    const auto same = [&](const CertificateFacts& other) { return other.sha256 == facts.sha256; };
    if (!check.certificate)
      check.certificate = std::move(facts);
    else if (!same(*check.certificate) && std::none_of(check.chain.begin(), check.chain.end(), same))
      check.chain.push_back(std::move(facts));
  }
  return check;
}

}  // namespace holdfast::crypto
