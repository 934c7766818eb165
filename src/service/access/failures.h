// How often signing in failed, by user and by address, and how long the next try has to wait for that.
//
// Counted in a fixed number of buckets, by a keyed hash of the name or address: an attacker with many names or addresses can neither fill the
// file nor push out the count of another, a name that does not exist is counted like one that does, and no name that was typed is kept (it
// may have been a password). Two names in one bucket wait for each other; with 65,536 buckets that takes an attack on all of them.
//
// Part of somebody's transaction; `now` is PassedTime's at_most.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "crypto/secret.h"
#include "service/state/state_file.h"

namespace holdfast::service {

class Failures {
 public:
  static constexpr std::int64_t kFree = 5;            // failures after which the next try waits
  static constexpr std::int64_t kFirstWait = 5;       // seconds; doubled by each further failure
  static constexpr std::int64_t kLongestWait = 900;   // seconds
  static constexpr std::int64_t kForgotten = 3600;    // seconds after the latest failure: some five tries an hour, as with the longest wait
  static constexpr std::int64_t kBuckets = 65'536;    // for users, and as many for addresses

  explicit Failures(const StateFile& state) : key_(state.key("sign-in")) {}

  using Bucket = std::int64_t;
  Bucket of_user(std::string_view name) const;
  // "192.0.2.7", or of IPv6 the /64 that one customer has.
  Bucket of_address(std::string_view address) const;

  static std::chrono::seconds wait(Transaction& transaction, Bucket bucket, std::int64_t now);
  static std::int64_t add(Transaction& change, Bucket bucket, std::int64_t now);   // how many there are now
  static void take_back(Transaction& change, Bucket bucket);                       // one of them: it was none
  static void forget(Transaction& change, Bucket bucket);
  static void forget_old(Transaction& change, std::int64_t now);
  // What lies ahead of `now` was before the clock was set back, nobody knows how long: it waits in full from now on.
  static void no_later_than(Transaction& change, std::int64_t now);

 private:
  Bucket bucket(std::string_view kind, std::string_view name) const;
  crypto::Secret key_;
};

}  // namespace holdfast::service
