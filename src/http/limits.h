// What a client may take of this process. Every stage has a bound in bytes and in time.
//
// Memory at the limits: 256 connections, each about 160 KiB (TLS 68 KiB in Asio's buffers and BIO pair and up
// to 40 KiB in OpenSSL; head 20 KiB; a body of up to 16 KiB that is not counted and a piece of an answer; 4
// KiB to read into) are 40 MiB, larger bodies 8 MiB, queues of events 4 MiB: 52 MiB when 8 addresses do their
// worst at once.
#pragma once

#include <chrono>
#include <cstddef>

namespace holdfast::http {

struct Limits {
  // A browser sends 1 to 2 KiB and 20 fields; the cookies of other programs on the same host come with it.
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_fields = 100;
  // Settings are the largest thing that is sent in one piece. Backup files go through a job, never through
  // memory.
  std::size_t body_bytes = 1024 * 1024;
  // Bodies of more than kSmallBody bytes, received and waiting to be sent, in all and of one address: whoever
  // sends or does not read large ones leaves others room, and sign-in (a small body) always works.
  static constexpr std::size_t kSmallBody = 16 * 1024;
  std::size_t held_bytes = 8 * 1024 * 1024;
  std::size_t held_bytes_of_one_address = 2 * 1024 * 1024;

  // A person's browser opens 6. At the limit, whoever has kept the server waiting for the longest time is
  // closed for a new one; it is refused (503; over TLS: closed) when all of them are being answered. An IPv6
  // network of /64 is one address: one customer has it.
  std::size_t connections = 256;
  std::size_t connections_of_one_address = 32;
  std::size_t event_streams = 64;

  // A head comes at once or never; this includes the TLS handshake. 1 MiB in 30 s is 280 kbit/s.
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds body_time{30'000};
  std::chrono::milliseconds write_time{30'000};  // for each 16 KiB of an answer
  std::chrono::milliseconds idle_time{15'000};   // between two requests
  std::chrono::milliseconds linger_time{
      2'000};  // after the last answer, so that it is read before a reset destroys it
  std::chrono::milliseconds heartbeat_time{15'000};  // proxies give up after 30 s or 60 s of silence
};

}  // namespace holdfast::http
