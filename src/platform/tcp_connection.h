// A TCP connection to another program, as a client: plain bytes, and an end of patience. TLS is above this room.
//
// Every call ends by `Patience`: Error(unavailable) when its time is over, Error(interrupted) soon after its Cancel is raised. One thread
// at a time. Closed when the object goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/cancel.h"

namespace holdfast::platform {

struct Patience {
  std::chrono::steady_clock::time_point until;
  const Cancel& stop;   // outlives the connection
};

class TcpConnection {
 public:
  // `host`: a name, or an IPv4 or IPv6 address without brackets. Tries the addresses of a name in the system's order, each for 15 s at most. A name
  // server that is silent for longer than the patience leaves a thread of the C library's behind, which ends by itself.
  // Error(unavailable): no such name, or nobody answers at any of its addresses.
  TcpConnection(const std::string& host, std::uint16_t port, Patience patience);
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Waits for some bytes; how many came. 0: the other side sends no more. Error(unavailable): it broke the connection.
  std::size_t read(MutableBytes out);
  // All of them. Error(unavailable): the other side closed the connection.
  void write(ByteView bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::platform
