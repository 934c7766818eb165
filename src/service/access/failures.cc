#include "service/access/failures.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/text.h"
#include "crypto/hash.h"

namespace holdfast::service {
namespace {

constexpr std::size_t kNetwork = 8;   // bytes of an IPv6 address that name a customer's network

std::string network_of(std::string_view address) {
  in6_addr six{};
  if (::inet_pton(AF_INET6, std::string(address).c_str(), &six) != 1) return std::string(address);
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    char text[INET_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET, six.s6_addr + 12, text, sizeof text);
    return text;
  }
  return to_hex(ByteView(six.s6_addr, kNetwork));
}

}  // namespace

Failures::Bucket Failures::bucket(std::string_view kind, std::string_view name) const {
  Bytes text = to_bytes(kind);
  text.insert(text.end(), name.begin(), name.end());
  Bytes hash(32);
  crypto::keyed_hash(key_.view(), text, hash);
  return (hash[0] << 8) | hash[1];
}

Failures::Bucket Failures::of_user(std::string_view name) const { return bucket("user ", to_lower_ascii(name)); }
Failures::Bucket Failures::of_address(std::string_view address) const { return kBuckets + bucket("address ", network_of(address)); }

std::chrono::seconds Failures::wait(Transaction& transaction, Bucket bucket, std::int64_t now) {
  Statement s = transaction.ask("SELECT count, latest FROM failures WHERE bucket = ?", bucket);
  if (!s.step()) return {};
  const std::int64_t count = s.integer(0), since = std::max<std::int64_t>(now - s.integer(1), 0);
  if (count < kFree || since >= kForgotten) return {};
  const std::int64_t doublings = std::min<std::int64_t>(count - kFree, 10);
  const std::int64_t whole = std::min(kFirstWait << doublings, kLongestWait);
  return std::chrono::seconds(std::max<std::int64_t>(whole - since, 0));
}

std::int64_t Failures::add(Transaction& change, Bucket bucket, std::int64_t now) {
  Statement s = change.ask(
      "INSERT INTO failures VALUES (?1, 1, ?2) ON CONFLICT (bucket) DO UPDATE SET count = iif(latest <= ?2 - ?3, 1, count + 1), latest = ?2 RETURNING count",
      bucket, now, kForgotten);
  return s.step() ? s.integer(0) : 0;
}

void Failures::take_back(Transaction& change, Bucket bucket) {
  change.run("UPDATE failures SET count = count - 1 WHERE bucket = ?", bucket);
  change.run("DELETE FROM failures WHERE bucket = ? AND count <= 0", bucket);
}

void Failures::forget(Transaction& change, Bucket bucket) { change.run("DELETE FROM failures WHERE bucket = ?", bucket); }

void Failures::forget_old(Transaction& change, std::int64_t now) { change.run("DELETE FROM failures WHERE latest <= ?", now - kForgotten); }

void Failures::no_later_than(Transaction& change, std::int64_t now) { change.run("UPDATE failures SET latest = ?1 WHERE latest > ?1", now); }

}  // namespace holdfast::service
