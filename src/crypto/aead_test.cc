#include "crypto/aead.h"

#include <algorithm>
#include <random>

#include "crypto/testing.h"

namespace holdfast::crypto {
namespace {

Nonce nonce_of(std::string_view hex) {
  Nonce nonce;
  EXPECT_TRUE(from_hex(hex, nonce));
  return nonce;
}

Bytes sealed(Aead& aead, const Nonce& nonce, ByteView associated, ByteView plain) {
  Bytes out(plain.size() + kAeadTagSize);
  aead.seal(nonce, associated, plain, out);
  return out;
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16 (the ones of NIST's
// submission).
TEST(Aead, GivesThePublishedCiphertexts) {
  Aead zero(Bytes(32, 0));
  EXPECT_EQ(to_hex(sealed(zero, Nonce{}, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(to_hex(sealed(zero, Nonce{}, {}, Bytes(16, 0))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  Aead aead(unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const Bytes plain = unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
      "b16aedf5aa0de657ba637b39");
  EXPECT_EQ(to_hex(sealed(aead, nonce_of("cafebabefacedbaddecaf888"),
                          unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), plain)),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
            "c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
}

TEST(Aead, CounterNonceIsLittleEndianThenZeros) {
  EXPECT_EQ(to_hex(counter_nonce(0x0102030405060708)), "080706050403020100000000");
  EXPECT_EQ(counter_nonce(0), Nonce{});
}

TEST(Aead, OpensWhatItSealedInAnyOrderAndSize) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Aead writer(Bytes(32, 9)), reader(Bytes(32, 9));
  for (std::uint64_t i = 0; i < 200; ++i) {
    Bytes plain(random() % 5000), associated(random() % 100);
    std::generate(plain.begin(), plain.end(), [&] { return static_cast<std::uint8_t>(random()); });
    std::generate(associated.begin(), associated.end(), [&] { return static_cast<std::uint8_t>(random()); });
    const Bytes cipher = sealed(writer, counter_nonce(i), associated, plain);
    Bytes back(plain.size());
    ASSERT_TRUE(reader.open(counter_nonce(i), associated, cipher, back));
    ASSERT_EQ(back, plain);
    ASSERT_FALSE(reader.open(counter_nonce(i + 1), associated, cipher, back)) << "opened at another place";
  }
}

TEST(Aead, EveryFlippedBitAndEveryCutRefusesAndWipes) {
  Aead aead(Bytes(32, 3));
  const Bytes plain = to_bytes("the root key of a repository, say"), associated = to_bytes("header");
  const Bytes cipher = sealed(aead, counter_nonce(5), associated, plain);
  const Bytes zeros(plain.size(), 0);
  for (std::size_t bit = 0; bit < cipher.size() * 8; ++bit) {
    Bytes bad = cipher, out(plain.size(), 0xaa);
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(aead.open(counter_nonce(5), associated, bad, out)) << "bit " << bit;
    EXPECT_EQ(out, zeros) << "plaintext of a forged message was handed out, bit " << bit;
  }
  for (std::size_t bit = 0; bit < associated.size() * 8; ++bit) {
    Bytes bad = associated, out(plain.size());
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(aead.open(counter_nonce(5), bad, cipher, out)) << "bit " << bit << " of the associated data";
  }
  for (std::size_t size = 0; size < cipher.size(); ++size) {
    Bytes out(size < kAeadTagSize ? 0 : size - kAeadTagSize);
    EXPECT_FALSE(aead.open(counter_nonce(5), associated, ByteView(cipher).first(size), out))
        << "cut to " << size;
  }
  Bytes out(plain.size());
  EXPECT_TRUE(aead.open(counter_nonce(5), associated, cipher, out)) << "a forgery spoilt the context";
  EXPECT_EQ(out, plain);
}

TEST(Aead, RefusesWrongSizesOfTheCaller) {
  Aead aead(Bytes(32, 0));
  Bytes out(10);
  EXPECT_EQ(code_of([&] { Aead bad(Bytes(16)); }), Code::defect);
  EXPECT_EQ(code_of([&] { aead.seal(Nonce{}, {}, Bytes(10), out); }), Code::defect);
  EXPECT_EQ(code_of([&] { static_cast<void>(aead.open(Nonce{}, {}, Bytes(20), out)); }), Code::defect);
}

}  // namespace
}  // namespace holdfast::crypto
