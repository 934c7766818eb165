// A connection to a server that is asked by name, plain at first or TLS from then on: lines in, bytes out.
//
// TLS 1.2 and later. The server's certificate is always checked: that it is valid now, is for the name (or address) that was asked, and leads to an
// authority that the machine trusts: SSL_CERT_FILE and SSL_CERT_DIR, else the operating system's. There is no way to turn that off.
//
// One thread. Every call ends by the patience it was made with. Errors of all functions: unavailable (nobody answers, it took too long, the
// connection broke), interrupted, failed (no TLS, a certificate that is not right, an answer that is none).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "platform/tcp_connection.h"

namespace holdfast::service {

class SecureStream {
 public:
  // Connects; nothing is encrypted yet.
  SecureStream(const std::string& host, std::uint16_t port, platform::Patience patience);
  ~SecureStream();
  SecureStream(const SecureStream&) = delete;
  SecureStream& operator=(const SecureStream&) = delete;

  // From here on TLS. What the server sent before, unencrypted and not yet read, is refused: it is not what the server meant to say after.
  void start_tls();
  bool encrypted() const;

  // The next line, without its end (LF or CR LF). Longer than `limit` bytes is Error(failed). Error(unavailable): the server closed.
  std::string line(std::size_t limit);
  void write(ByteView bytes);
  void write(std::string_view text) { write(as_bytes(text)); }

 private:
  struct Tls;
  std::size_t receive(MutableBytes out);   // 0: the end
  std::string host_, place_;   // "mail.example.org", "mail.example.org:465"
  platform::TcpConnection connection_;
  std::string read_;           // and not yet asked for
  std::unique_ptr<Tls> tls_;
};

}  // namespace holdfast::service
