#include "http/testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/text.h"

namespace holdfast::http {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

sockaddr_in address_of(const std::string& text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1)
    throw std::runtime_error(text + " is no address");
  return address;
}

}  // namespace

struct Client::Tls {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl{nullptr, SSL_free};

  Tls(int fd, const std::string& trusted, const std::string& name) {
    std::unique_ptr<BIO, int (*)(BIO*)> text(
        BIO_new_mem_buf(trusted.data(), static_cast<int>(trusted.size())), BIO_free);
    std::unique_ptr<X509, void (*)(X509*)> certificate(
        PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), certificate.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    ssl.reset(SSL_new(context.get()));
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) != 1)
      X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), 0);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_connect(ssl.get()) != 1) {
      const char* why = X509_verify_cert_error_string(SSL_get_verify_result(ssl.get()));
      ERR_clear_error();
      throw std::runtime_error(std::string("no TLS connection: ") + why);
    }
  }
};

Client::Client(std::uint16_t port, const std::string& source, const std::string& trusted,
               const std::string& name)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  timeval guard{30, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &guard, sizeof guard);
  sockaddr_in from = address_of(source, 0), to = address_of("127.0.0.1", port);
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) fail("bind " + source);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fail("connect");
  try {
    if (!trusted.empty()) tls_ = std::make_unique<Tls>(fd_, trusted, name);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}
Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)), buffer_(std::move(other.buffer_)) {}

bool Client::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = tls_ ? SSL_write(tls_->ssl.get(), bytes.data(), static_cast<int>(bytes.size()))
                        : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0 && !tls_ && errno == EAGAIN) fail("send");
    if (sent <= 0) return ERR_clear_error(), false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Client& Client::send(std::string_view bytes) {
  if (!try_send(bytes)) throw std::runtime_error("the server closed the connection");
  return *this;
}

Client& Client::finish_sending() {
  ::shutdown(fd_, SHUT_WR);
  return *this;
}

std::string Client::more() {
  char bytes[65536];
  ssize_t size = tls_ ? SSL_read(tls_->ssl.get(), bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    throw std::runtime_error("the server sends nothing");
  ERR_clear_error();
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

std::string Client::read_until(std::string_view end) {
  std::size_t at;
  while ((at = buffer_.find(end)) == std::string::npos) {
    std::string bytes = more();
    if (bytes.empty()) throw std::runtime_error("the server closed the connection after: " + buffer_);
    buffer_ += bytes;
  }
  std::string text = buffer_.substr(0, at + end.size());
  buffer_.erase(0, at + end.size());
  return text;
}

std::string Client::read_to_end() {
  for (std::string bytes = more(); !bytes.empty(); bytes = more()) buffer_ += bytes;
  return std::exchange(buffer_, {});
}

bool Client::ends() { return read_to_end().empty(); }

void Client::receive_little() {
  int size = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

std::string Client::protocol() const { return SSL_get_version(tls_->ssl.get()); }

Reply Client::reply(bool head_only) {
  Reply reply;
  reply.head = read_until("\r\n\r\n");
  reply.status = std::stoi(reply.head.substr(9, 3));
  for (const std::string& line : split(reply.head, '\n')) {
    std::size_t colon = line.find(": ");
    if (colon != std::string::npos)
      reply.headers[to_lower_ascii(line.substr(0, colon))] = std::string(trim(line.substr(colon + 2)));
  }
  if (head_only || reply.status < 200 || reply.status == 204 || reply.status == 304) return reply;
  if (auto length = reply.headers.find("content-length"); length != reply.headers.end()) {
    std::size_t size = std::stoul(length->second);
    while (buffer_.size() < size) {
      std::string bytes = more();
      if (bytes.empty()) throw std::runtime_error("the body ends early");
      buffer_ += bytes;
    }
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
  } else if (reply.headers.contains("transfer-encoding")) {
    while (true) {
      std::size_t size = std::stoul(read_until("\r\n"), nullptr, 16);
      while (buffer_.size() < size + 2) {
        std::string bytes = more();
        if (bytes.empty()) throw std::runtime_error("the body ends early");
        buffer_ += bytes;
      }
      reply.body += buffer_.substr(0, size);
      buffer_.erase(0, size + 2);
      if (size == 0) break;
    }
  } else {
    reply.body = read_to_end();
  }
  return reply;
}

Reply get(std::uint16_t port, const std::string& target, const std::string& source) {
  return Client(port, source).send(request("GET " + target)).reply();
}

std::string request(std::string_view line, std::string_view fields, std::string_view body) {
  std::string text = std::string(line) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

std::string chunked(std::string_view body, std::size_t piece) {
  std::string text;
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", std::min(piece, body.size()));
    text += size + std::string(body.substr(0, piece)) + "\r\n";
  }
  return text + "0\r\n\r\n";
}

}  // namespace holdfast::http
