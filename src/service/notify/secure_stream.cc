#include "service/notify/secure_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::service {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const { Free(object); }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

std::string last_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

void must(bool done, const char* doing) {
  if (!done) throw Error(Code::defect, std::string("cannot ") + doing + ": " + last_error());
}

[[noreturn]] void closed(const std::string& place) { throw Error(Code::unavailable, "cannot go on with " + place + ": it closed the connection"); }

// Where other systems than the one that OpenSSL was built on keep the authorities they trust.
constexpr std::array kBundles{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

void trust_what_the_machine_trusts(SSL_CTX* context) {
  must(SSL_CTX_set_default_verify_paths(context) == 1, "read the machine's authorities");
  std::error_code ignored;
  if (std::getenv(X509_get_default_cert_file_env()) != nullptr || std::getenv(X509_get_default_cert_dir_env()) != nullptr) return;
  if (std::filesystem::exists(X509_get_default_cert_dir(), ignored) || std::filesystem::exists(X509_get_default_cert_file(), ignored)) return;
  for (const char* bundle : kBundles)
    if (std::filesystem::exists(bundle, ignored)) {
      must(SSL_CTX_load_verify_file(context, bundle) == 1, "read the machine's authorities");
      return;
    }
}

}  // namespace

// The protocol over memory: what it wants to send and what came is carried between here and the connection.
struct SecureStream::Tls {
  Owned<SSL_CTX, SSL_CTX_free> context;
  Owned<SSL, SSL_free> ssl;
  BIO* in = nullptr;    // the SSL's own
  BIO* out = nullptr;
  platform::TcpConnection& connection;
  const std::string& place;

  Tls(platform::TcpConnection& connection_, const std::string& place_) : connection(connection_), place(place_) {
    // Not the machine's openssl.cnf: it could name modules made for another OpenSSL.
    must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1, "start OpenSSL");
    ERR_clear_error();
    context.reset(SSL_CTX_new(TLS_client_method()));
    must(context != nullptr, "start TLS");
    must(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "start TLS");
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    trust_what_the_machine_trusts(context.get());
    ssl.reset(SSL_new(context.get()));
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    must(ssl && in && out, "start TLS");
    SSL_set_bio(ssl.get(), in, out);
  }

  // A certificate is for this name or address and no other.
  void expect(const std::string& host) {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl.get());
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1) return;
    ERR_clear_error();
    must(X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1 && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1, "ask for a host's certificate");
  }

  void send_out() {
    std::array<std::uint8_t, 16384> bytes{};
    for (int n; (n = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()))) > 0;) connection.write(ByteView(bytes).first(static_cast<std::size_t>(n)));
  }
  bool take_in() {   // false: the server sends no more
    std::array<std::uint8_t, 16384> bytes{};
    const std::size_t n = connection.read(bytes);
    if (n > 0) must(BIO_write(in, bytes.data(), static_cast<int>(n)) == static_cast<int>(n), "receive");
    return n > 0;
  }

  [[noreturn]] void refuse() {
    const std::string why = last_error();
    try {
      send_out();   // an alert: the server may as well learn the reason
    } catch (const Error&) {
    }
    if (const long result = SSL_get_verify_result(ssl.get()); result != X509_V_OK)
      throw Error(Code::failed, "cannot trust " + place + ": its certificate is not right: " + X509_verify_cert_error_string(result))
          .hint("the certificate must be for the name in the url, and its authority must be one that this machine trusts");
    throw Error(Code::failed, "cannot speak TLS with " + place + ": " + why);
  }

  // Does `step` until it needs nothing more from the server. What it returned; 0: the server ended the connection as it should.
  template <class Step>
  int run(Step step) {
    while (true) {
      ERR_clear_error();
      const int result = step();
      const int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl.get(), result);
      if (error == SSL_ERROR_ZERO_RETURN) return 0;
      if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) refuse();
      send_out();
      if (error == SSL_ERROR_NONE) return result;
      if (!take_in()) closed(place);
    }
  }
};

SecureStream::SecureStream(const std::string& host, std::uint16_t port, platform::Patience patience)
    : host_(host), place_(printable(host) + ":" + std::to_string(port)), connection_(host, port, patience) {}

SecureStream::~SecureStream() = default;

bool SecureStream::encrypted() const { return tls_ != nullptr; }

void SecureStream::start_tls() {
  if (!read_.empty()) throw Error(Code::failed, "cannot speak TLS with " + place_ + ": somebody spoke between the server and its TLS");
  auto tls = std::make_unique<Tls>(connection_, place_);
  tls->expect(host_);
  if (tls->run([&] { return SSL_connect(tls->ssl.get()); }) == 0) closed(place_);
  tls_ = std::move(tls);
}

std::size_t SecureStream::receive(MutableBytes out) {
  if (!tls_) return connection_.read(out);
  return static_cast<std::size_t>(tls_->run([&] { return SSL_read(tls_->ssl.get(), out.data(), static_cast<int>(out.size())); }));
}

void SecureStream::write(ByteView bytes) {
  if (bytes.empty()) return;
  if (!tls_) return connection_.write(bytes);
  if (tls_->run([&] { return SSL_write(tls_->ssl.get(), bytes.data(), static_cast<int>(bytes.size())); }) == 0) closed(place_);
}

std::string SecureStream::line(std::size_t limit) {
  std::size_t looked_at = 0;
  while (true) {
    const std::size_t end = read_.find('\n', looked_at);
    if (end != std::string::npos ? end > limit : read_.size() > limit)
      throw Error(Code::failed, "cannot understand " + place_ + ": its answer has a line of more than " + std::to_string(limit) + " bytes");
    if (end != std::string::npos) {
      std::string found = read_.substr(0, end);
      read_.erase(0, end + 1);
      if (found.ends_with('\r')) found.pop_back();
      return found;
    }
    looked_at = read_.size();
    std::array<std::uint8_t, 4096> bytes{};
    const std::size_t n = receive(bytes);
    if (n == 0) closed(place_);
    read_ += as_text(ByteView(bytes).first(n));
  }
}

}  // namespace holdfast::service
