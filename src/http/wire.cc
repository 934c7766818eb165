#include "http/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "base/error.h"

namespace holdfast::http {
namespace ssl = net::ssl;

class TlsContext {
 public:
  explicit TlsContext(const crypto::CertificateAndKey& pair);
  ssl::context context;

 private:
  // Before OpenSSL's first use: the machine's openssl.cnf is not read (docs/decisions/0002-libraries.md).
  static ssl::context::method start();
};

namespace {

constexpr std::uint8_t kTlsHandshake = 22;  // first byte of a TLS connection: RFC 8446 5.1, ContentType

class PlainWire final : public Wire {
 public:
  explicit PlainWire(tcp::socket socket) : socket_(std::move(socket)) {}
  tcp::socket& socket() override { return socket_; }
  bool encrypted() const override { return false; }
  void handshake(Done done) override {
    net::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
  }
  void receive(net::mutable_buffer into, Done done) override {
    socket_.async_read_some(into, std::move(done));
  }
  void write(net::const_buffer all, Done done) override { net::async_write(socket_, all, std::move(done)); }
  void shutdown(Done done) override {
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    net::post(socket_.get_executor(), [done = std::move(done), ec] { done(ec, 0); });
  }

 private:
  tcp::socket socket_;
};

class TlsWire final : public Wire {
 public:
  TlsWire(tcp::socket socket, ssl::context& context) : stream_(std::move(socket), context) {}
  tcp::socket& socket() override { return stream_.next_layer(); }
  bool encrypted() const override { return true; }
  void handshake(Done done) override {
    socket().async_wait(tcp::socket::wait_read, [this, done = std::move(done)](error_code ec) {
      if (!ec) ec = look_at_first_byte();
      if (ec) return done(ec, 0);
      stream_.async_handshake(ssl::stream_base::server, [done](error_code result) { done(result, 0); });
    });
  }
  void receive(net::mutable_buffer into, Done done) override {
    stream_.async_read_some(into, std::move(done));
  }
  void write(net::const_buffer all, Done done) override { net::async_write(stream_, all, std::move(done)); }
  void shutdown(Done done) override {
    stream_.async_shutdown([done = std::move(done)](error_code ec) { done(ec, 0); });
  }

 private:
  error_code look_at_first_byte() {
    std::uint8_t first = 0;
    error_code ec;
    socket().receive(net::buffer(&first, 1), tcp::socket::message_peek, ec);
    if (ec || first == kTlsHandshake) return ec;
    if (first >= 'A' && first <= 'Z') return net::error::operation_not_supported;
    return net::error::connection_aborted;
  }
  ssl::stream<tcp::socket> stream_;
};

}  // namespace

ssl::context::method TlsContext::start() {
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1)
    throw Error(Code::defect, "cannot start OpenSSL");
  return ssl::context::tls_server;
}

TlsContext::TlsContext(const crypto::CertificateAndKey& pair) : context(start()) {
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);  // tickets resume without memory here
  auto must = [](const error_code& ec, const char* what) {
    ERR_clear_error();
    if (ec)
      throw Error(Code::config, std::string("cannot use the ") + what + ": " + ec.message())
          .hint(
              "it must be PEM text: the server's certificate first, then its chain; the key without a "
              "password");
  };
  error_code ec;
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); },
                                ec);  // else OpenSSL asks at the terminal
  context.use_certificate_chain(net::buffer(pair.certificate_pem), ec);
  must(ec, "certificate of the service");
  context.use_private_key(net::buffer(pair.key_pem), ssl::context::pem, ec);
  must(ec, "certificate's key of the service");
}

std::shared_ptr<TlsContext> make_tls_context(const crypto::CertificateAndKey& pair) {
  return std::make_shared<TlsContext>(pair);
}
std::unique_ptr<Wire> plain_wire(tcp::socket socket) {
  return std::make_unique<PlainWire>(std::move(socket));
}
std::unique_ptr<Wire> tls_wire(tcp::socket socket, TlsContext& context) {
  return std::make_unique<TlsWire>(std::move(socket), context.context);
}

}  // namespace holdfast::http
