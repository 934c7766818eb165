// A connection's bytes, plain or over TLS, behind one interface. Boost: included by .cc files of this room
// only. I/O thread only.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "crypto/certificate.h"

namespace holdfast::http {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

class Wire {
 public:
  using Done = std::function<void(error_code, std::size_t)>;
  virtual ~Wire() = default;
  virtual tcp::socket& socket() = 0;
  virtual bool encrypted() const = 0;
  // TLS: error::operation_not_supported when the client speaks plain HTTP; nothing was read then, the socket
  // can be used.
  virtual void handshake(Done done) = 0;
  virtual void receive(net::mutable_buffer into, Done done) = 0;
  virtual void write(net::const_buffer all, Done done) = 0;
  virtual void shutdown(Done done) = 0;  // says that nothing more is sent
};

class TlsContext;  // certificate and settings of all TLS connections of a server
// Error(config): not a PEM certificate and its key.
std::shared_ptr<TlsContext> make_tls_context(const crypto::CertificateAndKey& pair);

std::unique_ptr<Wire> plain_wire(tcp::socket socket);
std::unique_ptr<Wire> tls_wire(tcp::socket socket, TlsContext& context);

}  // namespace holdfast::http
