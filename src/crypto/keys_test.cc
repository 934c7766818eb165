#include "crypto/keys.h"

#include <sys/resource.h>

#include <fstream>

#include "crypto/testing.h"

namespace holdfast::crypto {
namespace {

const ByteView kSalt = as_bytes("0123456789abcdef");

// Values from the reference implementation of Argon2 (libargon2, version 0x13, one lane).
TEST(Argon2, AgreesWithTheReferenceImplementation) {
  const auto key = [](std::string_view password, std::uint32_t kib, std::uint32_t passes, std::size_t size) {
    return to_hex(argon2id(as_bytes(password), kSalt, {kib, passes}, size).view());
  };
  EXPECT_EQ(key("password", 8, 1, 32), "771338d819573c67116b39e1788ae8e04b0eb0cf9dfbbfe2e6d746cf3e464fc7");
  EXPECT_EQ(key("password", 1024, 3, 64),
            "9c71fba5e8e6bbe15b2a333c0303653d90b6d6af4f2b670b4139b91904e2716f"
            "0d2dc731559dd84a40419e266cdba794451bdf63d6456599e28367b787c17fbe");
  EXPECT_EQ(key("", 64, 2, 32), "e1a1e80697e94526198b5ccb4aa516a57bb43fd6e2fa177c30f9bf7a9d1dd5ed");
  EXPECT_EQ(key(std::string_view("p\xc3\xa4ss\0word", 10), 100, 2, 32),
            "972d456c01a1880f85e5ad4389cbf710869714545dbe7ee3a01dfb6bdc4ccb94");
}

TEST(Argon2, ChecksLimitsBeforeAllocating) {
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  for (const Argon2Cost cost : {Argon2Cost{7, 1}, Argon2Cost{0, 1}, Argon2Cost{1024 * 1024 + 1, 1},
                                Argon2Cost{0xffffffff, 1}, Argon2Cost{1024, 0}, Argon2Cost{1024 * 1024, 11}})
    EXPECT_EQ(code_of([&] { argon2id(as_bytes("x"), kSalt, cost); }), Code::unsupported)
        << cost.memory_kib << " KiB, " << cost.passes << " passes";
  EXPECT_LT(peak_kib() - before, 4096);
  EXPECT_EQ(code_of([&] { argon2id(as_bytes("x"), kSalt.first(15), {8, 1}); }), Code::defect);
}

TEST(Argon2, GivesItsMemoryBack) {
  const auto pages_mapped = [] {
    std::ifstream file("/proc/self/statm");
    long total = 0;
    file >> total;
    return total;
  };
  argon2id(as_bytes("x"), kSalt, {8, 1});
  const long before = pages_mapped();
  argon2id(as_bytes("x"), kSalt, {64 * 1024, 1});
  EXPECT_LT(pages_mapped() - before, 256) << "of 16,384 pages";
}

TEST(SealedBox, OpensOnlyWithItsKey) {
  const SealKeyPair key = seal_key_pair(counting(32)), other = seal_key_pair(Bytes(32, 1));
  const Bytes plain = counting(32);
  const Bytes sealed = seal(key.public_key, plain);
  EXPECT_EQ(sealed.size(), plain.size() + kSealOverhead);
  EXPECT_NE(sealed, seal(key.public_key, plain)) << "two boxes must not be linkable";
  EXPECT_TRUE(equal(open_sealed(key, sealed).view(), plain));
  EXPECT_TRUE(open_sealed(other, sealed).empty());
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_TRUE(open_sealed(key, bad).empty()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_TRUE(open_sealed(key, ByteView(sealed).first(size)).empty()) << "cut to " << size;
}

// The secret key is the first half of SHA-512(seed); the public key was computed from it with `openssl pkey
// -pubout`.
TEST(SealedBox, KeyPairFollowsFromTheSeed) {
  const SealKeyPair key =
      seal_key_pair(unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
  EXPECT_EQ(to_hex(key.secret_key.view()),
            "3d94eea49c580aef816935762be049559d6d1440dede12e6a125f1841fff8e6f");
  EXPECT_EQ(key.public_key.hex(), "4701d08488451f545a409fb58ae3e58581ca40ac3f7f114698cd71deac73ca01");
}

TEST(SealedBox, RefusesAKeyThatHidesNothingAndAnEmptySecret) {
  EXPECT_EQ(code_of([] { seal(SealPublicKey{}, as_bytes("x")); }), Code::damaged);
  EXPECT_EQ(code_of([] { seal(seal_key_pair(Bytes(32)).public_key, {}); }), Code::defect);
  EXPECT_EQ(code_of([] { seal_key_pair(Bytes(31)); }), Code::defect);
}

TEST(Signature, GivesThePublishedValues) {  // RFC 8032, 7.1, tests 1 and 3
  const SigningKey first =
      signing_key(unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  EXPECT_EQ(first.verify_key.hex(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(sign(first, {}).hex(),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b");
  const SigningKey third =
      signing_key(unhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  EXPECT_EQ(third.verify_key.hex(), "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  EXPECT_EQ(sign(third, unhex("af82")).hex(),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a");
}

TEST(Signature, EveryFlippedBitRefuses) {
  const SigningKey key = signing_key(counting(32));
  const Bytes message = to_bytes("holdfast v1 object");
  const Signature good = sign(key, message);
  EXPECT_TRUE(verify(key.verify_key, message, good));
  const auto flipped = [](auto bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    return bytes;
  };
  for (std::size_t bit = 0; bit < Signature::kSize * 8; ++bit)
    EXPECT_FALSE(verify(key.verify_key, message, Signature{flipped(good.bytes, bit)}))
        << "signature bit " << bit;
  for (std::size_t bit = 0; bit < VerifyKey::kSize * 8; ++bit)
    EXPECT_FALSE(verify(VerifyKey{flipped(key.verify_key.bytes, bit)}, message, good)) << "key bit " << bit;
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit)
    EXPECT_FALSE(verify(key.verify_key, flipped(message, bit), good)) << "message bit " << bit;
  EXPECT_FALSE(verify(VerifyKey{}, message, good));
}

}  // namespace
}  // namespace holdfast::crypto
