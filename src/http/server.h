// An HTTP/1.1 server, with TLS or without, for a handful of people and programs. It knows nothing of what its
// handler serves.
//
// Threads: one for all connections, `workers` for handlers, which may block (disks, key derivation). The
// handler is called by several at a time. A request is answered before the next one of the same connection is
// read. Whatever a handler throws becomes an answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "crypto/certificate.h"
#include "http/limits.h"
#include "http/message.h"

namespace holdfast::http {

struct Options {
  std::string address = "127.0.0.1";  // an IPv4 or IPv6 address, no name
  std::uint16_t port = 0;             // 0: a free one
  // Server certificate (its chain behind it) and key as PEM. Without it: plain HTTP.
  std::optional<crypto::CertificateAndKey> tls;
  // HSTS over TLS. It is for a host name with all its ports: another product on this host that is still used
  // over plain HTTP is then out of reach for browsers that trust this certificate. Turn it off there.
  bool strict_transport = true;
  std::size_t workers = 8;   // for handlers that block: in the service up to six wait for the hash of a password
  Limits limits;
  // How an Error is told to a client; called on any thread of the server. The refusal's own headers are
  // added. Default: its text, plain.
  std::function<Response(int status, const Error&)> problem;
  // Faults that no client is told in full: what a handler threw that was no Error, and every answer 500.
  // Called on any thread.
  std::function<void(const std::string&)> report;
};

struct Counts {
  std::size_t connections = 0, event_streams = 0;  // open now
  std::uint64_t accepted = 0, refused = 0,
                closed_for_others =
                    0;           // connections; refused and closed because of the limits on their number
  std::uint64_t requests = 0;    // whole ones, given to the handler
  std::uint64_t held_bytes = 0;  // of large bodies, now
};

class Server {
 public:
  // Binds and listens; clients that connect before start() wait. Error(busy): the address is in use.
  // Error(permission): not allowed (ports below 1024). Error(config): no such address here, or certificate
  // and key are no pair. Error(defect): no handler or no `report`.
  Server(Options options, Handler handler);
  ~Server();  // stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;  // the bound one
  void start();                // once
  // Takes no new connection, ends event streams after what was posted, lets requests that began end for as
  // long as `patience`, then closes what is left. Waits in any case for handlers that run: nothing that they
  // use may go away. A second call does nothing. From one thread, not from a handler.
  void stop(std::chrono::milliseconds patience);
  Counts counts() const;  // thread-safe

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::http
