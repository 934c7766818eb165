// A client for tests that sends what no sound client would: raw bytes over a socket of its own, plain or over
// TLS. Library holdfast_http_testing, never linked into the program.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "http/server.h"

namespace holdfast::http {

struct Reply {
  int status = 0;
  std::string head;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Blocks; what does not come within 30 s is std::runtime_error. One thread.
class Client {
 public:
  // `source` is where it comes from: every address 127.x.x.x is this machine. With `trusted` (PEM) it speaks
  // TLS and verifies that the server has this certificate and that it is for `name`.
  explicit Client(std::uint16_t port, const std::string& source = "127.0.0.1",
                  const std::string& trusted = "", const std::string& name = "localhost");
  ~Client();
  Client(Client&&) noexcept;

  Client& send(std::string_view bytes);   // std::runtime_error: the server closed
  bool try_send(std::string_view bytes);  // false: the server closed
  Client& finish_sending();
  // The next answer; `head_only` for HEAD. Without a length it reads to the end of the connection.
  Reply reply(bool head_only = false);
  std::string read_until(std::string_view end);  // with `end`
  std::string read_to_end();                     // until the server closes, also by a reset
  bool ends();                                   // waits; true: the server closed and sent nothing
  void receive_little();                         // the smallest receive buffer; before anything is received
  std::string protocol() const;                  // "TLSv1.3"

 private:
  struct Tls;
  std::string more();  // "" at the end
  int fd_;
  std::unique_ptr<Tls> tls_;
  std::string buffer_;
};

Reply get(std::uint16_t port, const std::string& target, const std::string& source = "127.0.0.1");
// "GET /a HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n"
std::string request(std::string_view line, std::string_view fields = "", std::string_view body = "");
std::string chunked(std::string_view body, std::size_t piece);

}  // namespace holdfast::http
