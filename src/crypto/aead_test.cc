#include "crypto/aead.h"

#include <algorithm>
#include <random>

#include "crypto/openssl.h"
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

Bytes sealed_by_openssl(ByteView key, const Nonce& nonce, ByteView associated, ByteView plain) {
  Bytes out(plain.size() + kAeadTagSize);
  start_openssl();
  Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  int n = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), nullptr, &n, associated.data(), static_cast<int>(associated.size())), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &n, plain.data(), static_cast<int>(plain.size())), 1);
  EXPECT_EQ(EVP_EncryptFinal_ex(context.get(), out.data() + plain.size(), &n), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, out.data() + plain.size()), 1);
  return out;
}

// Sizes around every width in which blocks are worked on together, memory at every offset, and frames of a pack.
TEST(Aead, SealsAsAnotherLibraryDoes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto some = [&](std::size_t size) {
    Bytes bytes(size);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random()); });
    return bytes;
  };
  std::vector<std::size_t> sizes{1'000'003, std::size_t{4} << 20};
  for (std::size_t i = 0; i < 1100; ++i) sizes.push_back(i);
  for (std::size_t size : sizes) {
    const Bytes key = some(32), associated = some(random() % 130), memory = some(size + 64);
    const ByteView plain = ByteView(memory).subspan(random() % 64, size);
    Nonce nonce;
    std::generate(nonce.begin(), nonce.end(), [&] { return static_cast<std::uint8_t>(random()); });
    Aead aead(key);
    const Bytes ours = sealed(aead, nonce, associated, plain);
    ASSERT_EQ(ours, sealed_by_openssl(key, nonce, associated, plain)) << size;
    Bytes back(size);
    ASSERT_TRUE(aead.open(nonce, associated, ours, back)) << size;
    ASSERT_TRUE(std::equal(back.begin(), back.end(), plain.begin())) << size;
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
