#include "crypto/secret.h"

#include <sys/mman.h>

#include <fstream>
#include <string>
#include <vector>

#include "crypto/testing.h"

namespace holdfast::crypto {
namespace {

long locked_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmLck:")) return std::stol(line.substr(6));
  ADD_FAILURE() << "the system does not tell how much memory is locked";
  return -1;
}

// By how much one locked page shows: 4 KiB, but 0 in programs built with a sanitizer, which turns mlock into
// nothing.
long shown_per_page() {
  alignas(4096) static char page[4096];
  const long before = locked_kib();
  EXPECT_EQ(mlock(page, sizeof page), 0) << "this system refuses to lock a single page";
  const long shown = locked_kib() - before;
  munlock(page, sizeof page);
  return shown;
}

TEST(Secret, HoldsMovesAndClones) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret(0).empty());
  EXPECT_EQ(to_hex(Secret(3).view()), "000000");
  Secret a = Secret::copy_of(as_bytes("key"));
  Secret b = a.clone();
  b.bytes()[0] = 'K';
  EXPECT_EQ(as_text(a.view()), "key");
  EXPECT_EQ(as_text(b.view()), "Key");
  a = std::move(b);
  EXPECT_EQ(as_text(a.view()), "Key");
  EXPECT_TRUE(b.empty());  // NOLINT: a moved-from secret is empty by contract
  const Secret c(std::move(a));
  EXPECT_EQ(as_text(c.view()), "Key");
  EXPECT_EQ(Secret::copy_of(counting(100'000)).view().size(), 100'000U);
}

TEST(Secret, IsLockedAndUnlockedAlone) {
  const long before = locked_kib(), page = shown_per_page();
  std::vector<Secret> secrets;
  for (int i = 0; i < 8; ++i) secrets.emplace_back(32);
  for (long left = 8; left > 0; --left) {
    EXPECT_EQ(locked_kib(), before + page * left) << "freeing one secret must not unlock another";
    secrets.pop_back();
  }
  EXPECT_EQ(locked_kib(), before);
}

TEST(Secret, ComparesAndWipes) {
  EXPECT_TRUE(equal(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(equal(as_bytes("same"), as_bytes("samf")));
  EXPECT_FALSE(equal(as_bytes("same"), as_bytes("sam")));
  EXPECT_TRUE(equal({}, {}));
  Bytes bytes = to_bytes("password");
  wipe(bytes);
  EXPECT_EQ(bytes, Bytes(8, 0));
}

}  // namespace
}  // namespace holdfast::crypto
