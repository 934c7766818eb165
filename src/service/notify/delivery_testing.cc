#include "service/notify/delivery_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "base/text.h"
#include "platform/testing.h"

namespace holdfast::service {
namespace {

int listening(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 16) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot listen");
  port = ntohs(address.sin_port);
  return fd;
}

std::string unbase64(const std::string& text) {
  std::string out(text.size(), '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) throw std::runtime_error("no base64");
  out.resize(static_cast<std::size_t>(n) - static_cast<std::size_t>(std::count(text.end() - std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(text.size())), text.end(), '=')));
  return out;
}

Timestamp now() { return {std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(), 0}; }

}  // namespace

crypto::CertificateAndKey certificate_for(const std::vector<std::string>& names, const crypto::CertificateAndKey* issuer, Timestamp not_before, int days) {
  return crypto::make_certificate({.common_name = "test", .organization = "test", .dns_names = names, .not_before = not_before, .days = days, .authority = false,
                                   .key = crypto::NewCertificate::Key::ec_p256}, issuer);
}

const crypto::CertificateAndKey& trusted_authority() {
  static const platform::TemporaryFolder folder;
  static const crypto::CertificateAndKey authority = [] {
    auto made = crypto::make_certificate({.common_name = "trusted authority", .organization = "test", .dns_names = {}, .not_before = {now().seconds - 86'400, 0},
                                          .days = 30, .authority = true, .key = crypto::NewCertificate::Key::ec_p256}, nullptr);
    std::ofstream(folder.path() / "authority.pem") << made.certificate_pem;
    ::setenv("SSL_CERT_FILE", (folder.path() / "authority.pem").c_str(), 1);
    return made;
  }();
  return authority;
}

const crypto::CertificateAndKey& good_certificate() {
  static const crypto::CertificateAndKey pair = certificate_for({"localhost", "127.0.0.1"}, &trusted_authority(), {now().seconds - 86'400, 0}, 20);
  return pair;
}

struct Peer::Tls {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl{nullptr, SSL_free};

  Tls(int fd, const crypto::CertificateAndKey& pair) {
    const auto bio = [](const std::string& text) { return std::unique_ptr<BIO, int (*)(BIO*)>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free); };
    std::unique_ptr<X509, void (*)(X509*)> certificate(PEM_read_bio_X509(bio(pair.certificate_pem).get(), nullptr, nullptr, nullptr), X509_free);
    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(PEM_read_bio_PrivateKey(bio(pair.key_pem).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    ssl.reset(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), fd);
    ERR_clear_error();
    if (SSL_accept(ssl.get()) != 1) {
      ERR_clear_error();
      throw std::runtime_error("the client does not speak TLS with this server");
    }
  }
};

Peer::Peer(int fd) : fd_(fd) {}

Peer::~Peer() {
  if (tls_) SSL_shutdown(tls_->ssl.get());
  tls_.reset();
  ::close(fd_);
}

std::string Peer::more() {
  std::string bytes(16384, '\0');
  ERR_clear_error();
  const ssize_t n = tls_ ? SSL_read(tls_->ssl.get(), bytes.data(), static_cast<int>(bytes.size())) : ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (n <= 0) throw std::runtime_error("the client is gone");
  bytes.resize(static_cast<std::size_t>(n));
  return bytes;
}

std::string Peer::line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) buffer_ += more();
  std::string found = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return found;
}

std::string Peer::bytes(std::size_t count) {
  while (buffer_.size() < count) buffer_ += more();
  std::string found = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return found;
}

void Peer::say(std::string_view text) {
  while (!text.empty()) {
    ERR_clear_error();
    const ssize_t n = tls_ ? SSL_write(tls_->ssl.get(), text.data(), static_cast<int>(text.size())) : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) throw std::runtime_error("the client is gone");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Peer::start_tls(const crypto::CertificateAndKey& pair) {
  tls_ = std::make_unique<Tls>(fd_, pair);
}

void Peer::wait_for_end() {
  char byte;
  while (::recv(fd_, &byte, 1, 0) > 0) {
  }
}

LoopbackServer::LoopbackServer(std::function<void(Peer&)> serve) : serve_(std::move(serve)) {
  std::signal(SIGPIPE, SIG_IGN);   // OpenSSL writes without MSG_NOSIGNAL
  listener_ = listening(port_);
  thread_ = std::thread([this] { run(); });
}

LoopbackServer::~LoopbackServer() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
  }
  thread_.join();
  ::close(listener_);
}

void LoopbackServer::run() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const timeval guard{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &guard, sizeof guard);
    ++connections_;
    Peer peer(fd);
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      current_ = fd;
    }
    try {
      serve_(peer);
    } catch (const std::runtime_error&) {
      // The client is gone, or was never what this server serves.
    }
    std::lock_guard lock(mutex_);
    current_ = -1;   // before it is closed: its number may be another's then
  }
}

std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(listening(port));
  return port;
}

MailReceiver::MailReceiver(MailRules rules) : rules_(std::move(rules)) {
  server_ = std::make_unique<LoopbackServer>([this](Peer& peer) { serve(peer); });
}

std::vector<MailReceiver::Received> MailReceiver::mails() {
  std::lock_guard lock(mutex_);
  return mails_;
}

std::vector<std::string> MailReceiver::commands(bool encrypted) {
  std::lock_guard lock(mutex_);
  return encrypted ? secret_ : plain_;
}

void MailReceiver::change(const std::function<void(MailRules&)>& act) {
  std::lock_guard lock(mutex_);
  act(rules_);
}

bool MailReceiver::sign_in(Peer& peer, const std::string& mechanism, const MailRules& rules, std::string& user) {
  std::string password;
  if (mechanism == "PLAIN") {
    peer.say("334 \r\n");
    const std::vector<std::string> parts = split(unbase64(peer.line()), '\0');
    if (parts.size() != 3) return false;
    user = parts[1];
    password = parts[2];
  } else {
    peer.say("334 VXNlcm5hbWU6\r\n");
    user = unbase64(peer.line());
    peer.say("334 UGFzc3dvcmQ6\r\n");
    password = unbase64(peer.line());
  }
  return user == rules.user && password == rules.password;
}

void MailReceiver::serve(Peer& peer) {
  MailRules rules;
  {
    std::lock_guard lock(mutex_);
    rules = rules_;
  }
  if (rules.tls_at_once) peer.start_tls(rules.certificate);
  const auto answer = [&](const std::string& to, const std::string& usual) {
    const auto found = rules.instead.find(to);
    peer.say(found == rules.instead.end() ? usual : found->second);
    return found == rules.instead.end();
  };
  if (!answer("", "220 mail.test ESMTP\r\n")) return peer.wait_for_end();
  Received mail;
  while (true) {
    const std::string command = peer.line();
    {
      std::lock_guard lock(mutex_);
      (peer.encrypted() ? secret_ : plain_).push_back(command);
    }
    const std::string verb = command.substr(0, command.find_first_of(" :"));
    const auto address = [&] { return command.substr(command.find('<') + 1, command.rfind('>') - command.find('<') - 1); };
    if (rules.instead.contains(verb)) {
      answer(verb, "");
    } else if (verb == "EHLO") {
      peer.say("250-mail.test\r\n" + std::string(peer.encrypted() || !rules.offers_tls ? "" : "250-STARTTLS\r\n") +
               (peer.encrypted() && !rules.mechanisms.empty() ? "250-AUTH " + rules.mechanisms + "\r\n" : "") + "250 SIZE 10000000\r\n");
    } else if (verb == "STARTTLS") {
      peer.say("220 go\r\n" + rules.behind_starttls);
      peer.start_tls(rules.certificate);
    } else if (verb == "AUTH") {
      if (sign_in(peer, command.substr(5), rules, mail.user)) peer.say("235 welcome\r\n");
      else peer.say("535 no: " + rules.password + "\r\n"), mail.user.clear();
    } else if (verb == "MAIL") {
      mail.from = address();
      peer.say(!peer.encrypted() || mail.user != rules.user ? "530 who are you\r\n" : "250 ok\r\n");
    } else if (verb == "RCPT") {
      if (rules.refused.contains(address())) {
        peer.say("550 5.1.1 nobody here\r\n");
      } else {
        mail.to.push_back(address());
        peer.say("250 ok\r\n");
      }
    } else if (verb == "DATA") {
      peer.say("354 go\r\n");
      for (std::string line; (line = peer.line()) != ".";) mail.text += (line.starts_with('.') ? line.substr(1) : line) + "\r\n";
      if (!rules.instead.contains(".")) {
        std::lock_guard lock(mutex_);
        mails_.push_back(mail);
      }
      answer(".", "250 taken\r\n");
    } else {
      peer.say(verb == "QUIT" ? "221 bye\r\n" : "500 what\r\n");
      if (verb == "QUIT") return;
    }
  }
}

WebReceiver::WebReceiver(std::vector<std::string> answers, const crypto::CertificateAndKey* certificate) : answers_(std::move(answers)), certificate_(certificate) {
  server_ = std::make_unique<LoopbackServer>([this](Peer& peer) { serve(peer); });
}

std::vector<WebReceiver::Received> WebReceiver::requests() {
  std::lock_guard lock(mutex_);
  return requests_;
}

void WebReceiver::serve(Peer& peer) {
  if (certificate_ != nullptr) peer.start_tls(*certificate_);
  Received r;
  r.line = peer.line();
  for (std::string line; !(line = peer.line()).empty();) r.headers[to_lower_ascii(line.substr(0, line.find(':')))] = trim(std::string_view(line).substr(line.find(':') + 1));
  if (r.headers.contains("content-length")) r.body = peer.bytes(std::stoul(r.headers["content-length"]));
  std::string answer;
  {
    std::lock_guard lock(mutex_);
    answer = answers_[std::min(requests_.size(), answers_.size() - 1)];
    requests_.push_back(r);
  }
  peer.say(answer);
}

std::string http_answer(int status, const std::string& more_headers) {
  return "HTTP/1.1 " + std::to_string(status) + " So\r\n" + more_headers + "Content-Length: 2\r\n\r\nok";
}

system::NotifySettings mail_target(const std::string& name, system::NotifySettings::Scheme scheme, std::uint16_t port, std::vector<std::string> to) {
  system::NotifySettings n;
  n.name = name;
  n.scheme = scheme;
  n.host = "127.0.0.1";
  n.port = port;
  n.url = std::string(scheme == system::NotifySettings::Scheme::smtps ? "smtps" : "smtp") + "://127.0.0.1:" + std::to_string(port);
  n.to = std::move(to);
  n.from = "holdfast@example.org";
  n.on = {true, true, true, true};
  return n;
}

system::NotifySettings web_target(const std::string& name, system::NotifySettings::Scheme scheme, std::uint16_t port, const std::string& path) {
  system::NotifySettings n;
  n.name = name;
  n.scheme = scheme;
  n.host = "127.0.0.1";
  n.port = port;
  n.url = std::string(scheme == system::NotifySettings::Scheme::https ? "https" : "http") + "://127.0.0.1:" + std::to_string(port) + path;
  n.on = {true, true, true, true};
  return n;
}

}  // namespace holdfast::service
