// Passwords of the service's users: what may be one, and whether one is right.
//
// Each hash takes 64 MiB and about 0.1 s; at most two are made at a time and the memory goes back to the system after each (libsodium maps
// and unmaps it). The others wait, up to kMostWaiting of them: an attacker can use up neither the machine's memory nor the threads that answer
// others. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/keys.h"
#include "crypto/password_hash.h"
#include "crypto/secret.h"
#include "platform/entropy.h"

namespace holdfast::service {

// RFC 9106, "memory-constrained": 64 MiB and 3 passes (with 4 lanes; libsodium has one).
inline constexpr crypto::Argon2Cost kPasswordCost{64 * 1024, 3};

class Passwords {
 public:
  using Kdf = std::function<crypto::Secret(ByteView password, ByteView salt16, crypto::Argon2Cost cost)>;
  static constexpr int kAtATime = 2, kMostWaiting = 4;   // together fewer than http::Options::workers
  static constexpr std::size_t kShortest = 12;    // characters
  static constexpr std::size_t kLongest = 1024;   // bytes: nobody types more, and a stranger must not have us normalize megabytes

  explicit Passwords(platform::Entropy& entropy, crypto::Argon2Cost cost = kPasswordCost, Kdf kdf = {});

  // The right to make one hash, waited for. Error(unavailable): kMostWaiting wait already.
  class Turn {
   public:
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class Passwords;
    explicit Turn(Passwords& passwords) : passwords_(passwords) {}
    Passwords& passwords_;
  };
  Turn turn();

  // Error(usage): it may not be this user's password: too short or too long, no UTF-8, or the user's name.
  static void check(std::string_view user, ByteView typed);
  // What is to be kept of a new password: up to its first line break, NFC. Error(usage): check(). Error(unavailable): no memory, or too
  // many wait.
  std::string hash(std::string_view user, ByteView typed);
  // Whether `typed` is the password whose hash is `kept`. Without `kept` (no such user), and when `typed` cannot be anyone's
  // password, it does the same work and says no. Error(unavailable): no memory.
  bool matches(const Turn& turn, const std::optional<std::string>& kept, ByteView typed);

 private:
  platform::Entropy& entropy_;
  const crypto::Argon2Cost cost_;
  const Kdf kdf_;
  std::string nobody_;   // looks like a hash and is that of no password
  std::mutex mutex_;
  std::condition_variable given_up_;
  int working_ = 0, waiting_ = 0;
};

}  // namespace holdfast::service
