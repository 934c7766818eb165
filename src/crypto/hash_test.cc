#include "crypto/hash.h"

#include <utility>

#include "crypto/testing.h"

namespace holdfast::crypto {
namespace {

TEST(Sha256, GivesThePublishedDigests) {  // FIPS 180-2, appendix B
  EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(as_bytes("abc")).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(Bytes(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, StreamAgreesWithOneCallAtEveryCut) {
  const Bytes all = counting(300);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Sha256Stream stream;
    stream.update(ByteView(all).first(cut));
    EXPECT_EQ(stream.digest_so_far(), sha256(ByteView(all).first(cut)));
    stream.update(ByteView(all).subspan(cut));
    EXPECT_EQ(stream.digest_so_far(), sha256(all)) << "cut at " << cut;
    EXPECT_EQ(stream.digest_so_far(), sha256(all)) << "asking changed the state";
  }
}

TEST(KeyedHash, GivesThePublishedValues) {  // BLAKE3 1.x test_vectors.json, keyed_hash, first 32 bytes
  const std::pair<std::size_t, std::string_view> cases[] = {
      {0, "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"},
      {1, "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b"},
      {1024, "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4"},
      {1025, "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69"},
      {6145, "9ac301e9e39e45e3250a7e3b3df701aa0fb6889fbd80eeecf28dbc6300fbc539"}};
  const ByteView key = as_bytes("whats the Elvish word for friend");
  for (const auto& [size, expected] : cases) {
    Bytes out(32);
    keyed_hash(key, counting(size), out);
    EXPECT_EQ(to_hex(out), expected) << size;
  }
}

TEST(KeyedHash, DependsOnTheKeyAndRefusesOtherSizes) {
  Bytes a(32), b(32), key(32, 1);
  keyed_hash(key, as_bytes("same"), a);
  key[31] ^= 1;
  keyed_hash(key, as_bytes("same"), b);
  EXPECT_NE(a, b);
  EXPECT_EQ(code_of([&] { keyed_hash(Bytes(31), {}, a); }), Code::defect);
  EXPECT_EQ(code_of([&] { keyed_hash(key, {}, MutableBytes(a).first(16)); }), Code::defect);
}

TEST(Derive, GivesThePublishedValueOfHkdf) {  // RFC 5869, A.3: no salt, no info
  EXPECT_EQ(to_hex(derive(Bytes(22, 0x0b), "", 42).view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Derive, InfoMayHoldAnyBytesAndSeparatesUses) {
  const Bytes key(32, 7);
  // `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:0707... -kdfopt info:"holdfast v1 keyring"
  // HKDF`
  EXPECT_EQ(to_hex(derive(key, "holdfast v1 keyring").view()),
            "27dc37aaf0ad27649c4464f0124c3c1091a7dbb8e2f47af969ae7096be87546f");
  const std::string with_nul("body\0\1", 6);
  EXPECT_FALSE(equal(derive(key, with_nul).view(), derive(key, with_nul.substr(0, 4)).view()));
  EXPECT_FALSE(equal(derive(key, "a").view(), derive(key, "b").view()));
  EXPECT_TRUE(equal(derive(key, "a", 16).view(), derive(key, "a", 64).view().first(16)));
  EXPECT_EQ(code_of([&] { derive(key, "a", 255 * 32 + 1); }), Code::defect);
}

}  // namespace
}  // namespace holdfast::crypto
