// What the tests of deliveries share: an authority that this process trusts, and servers on 127.0.0.1 that speak SMTP or HTTP, or whatever a test wants
// them to. Library holdfast_delivery_testing, never linked into the program.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/certificate.h"
#include "system/settings.h"

namespace holdfast::service {

// An authority made once in this process, which SSL_CERT_FILE names from the first call on. Call it first on the test's own thread.
const crypto::CertificateAndKey& trusted_authority();
crypto::CertificateAndKey certificate_for(const std::vector<std::string>& names, const crypto::CertificateAndKey* issuer, Timestamp not_before, int days);
const crypto::CertificateAndKey& good_certificate();   // of that authority, for localhost and 127.0.0.1

// The server's end of a connection. Blocks for 20 s at most; std::runtime_error: the client is gone or says nothing.
class Peer {
 public:
  explicit Peer(int fd);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  std::string line();                     // without CR LF
  std::string bytes(std::size_t count);
  void say(std::string_view text);
  void start_tls(const crypto::CertificateAndKey& pair);
  bool encrypted() const { return tls_ != nullptr; }
  void wait_for_end();                    // until the client closes; what it says is left unread

 private:
  struct Tls;
  std::string more();
  int fd_;
  std::unique_ptr<Tls> tls_;
  std::string buffer_;
};

// Serves one connection after the other in a thread of its own, until it goes.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::function<void(Peer&)> serve);
  ~LoopbackServer();
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }   // so far

 private:
  void run();
  std::function<void(Peer&)> serve_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  int current_ = -1;      // guarded by mutex_, as is ended_
  bool ended_ = false;
  std::thread thread_;
};
std::uint16_t closed_port();   // one on which nobody listens

// A mail server that gives mail to nobody and keeps it.
struct MailRules {
  crypto::CertificateAndKey certificate = good_certificate();
  bool tls_at_once = false, offers_tls = true;
  std::string mechanisms = "PLAIN LOGIN", user = {}, password = {};   // with a user, nobody else may send
  std::set<std::string> refused = {};                       // recipients
  std::map<std::string, std::string> instead = {};          // answers: "DATA" → "451 later\r\n"; "" is the greeting, "." the mail
  std::string behind_starttls = {};                         // said in the clear right behind the answer to STARTTLS
};
class MailReceiver {
 public:
  explicit MailReceiver(MailRules rules = {});
  ~MailReceiver() { server_.reset(); }
  struct Received { std::string from, user, text; std::vector<std::string> to; };
  std::uint16_t port() const { return server_->port(); }
  int connections() const { return server_->connections(); }
  std::vector<Received> mails();
  std::vector<std::string> commands(bool encrypted);   // all that came, without secrets
  void change(const std::function<void(MailRules&)>& act);

 private:
  void serve(Peer& peer);
  bool sign_in(Peer& peer, const std::string& mechanism, const MailRules& rules, std::string& user);
  std::mutex mutex_;
  MailRules rules_;
  std::vector<Received> mails_;
  std::vector<std::string> plain_, secret_;
  std::unique_ptr<LoopbackServer> server_;
};

// A web server that keeps what it is told and answers with `answers`, one after the other; the last one for ever.
class WebReceiver {
 public:
  explicit WebReceiver(std::vector<std::string> answers, const crypto::CertificateAndKey* certificate = &good_certificate());
  struct Received { std::string line, body; std::map<std::string, std::string> headers; };   // names in small letters
  std::uint16_t port() const { return server_->port(); }
  std::vector<Received> requests();

 private:
  void serve(Peer& peer);
  std::mutex mutex_;
  std::vector<std::string> answers_;
  const crypto::CertificateAndKey* certificate_;
  std::vector<Received> requests_;
  std::unique_ptr<LoopbackServer> server_;
};
std::string http_answer(int status, const std::string& more_headers = "");

// As holdfast.toml would have it; everything is told.
system::NotifySettings mail_target(const std::string& name, system::NotifySettings::Scheme scheme, std::uint16_t port, std::vector<std::string> to = {"it@example.org"});
system::NotifySettings web_target(const std::string& name, system::NotifySettings::Scheme scheme, std::uint16_t port, const std::string& path = "/hook");

}  // namespace holdfast::service
