#include "item/encryption_keys/encryption_keys.h"

#include "base/wire.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "item/encryption_keys/kms.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

Bytes key_bytes(std::uint8_t seed) { return Bytes(32, seed); }
KmsKeyId key_id(std::uint8_t seed) {
  KmsKeyId id;
  id.bytes.fill(seed);
  return id;
}

std::string key_file(std::uint8_t seed, const std::string& name = "NS.WebServiceCredentials") {
  const Bytes key = key_bytes(seed);
  return "HOLDFAST SAMPLE KMS KEY 1\nname: " + name + "\nid: " + key_id(seed).hex() + "\ncreated: 2026-01-0" +
         std::to_string(seed % 9 + 1) + "T08:00:00Z\nkey: " + to_hex(key) + "\ncheck: " +
         crypto::sha256(key).hex().substr(0, 16) + "\n";
}

Bytes column(std::uint8_t seed, const std::string& associated, const std::string& plain) {
  crypto::Nonce nonce{};
  nonce.fill(9);
  Bytes sealed(plain.size() + crypto::kAeadTagSize);
  crypto::Aead(key_bytes(seed)).seal(nonce, as_bytes(associated), as_bytes(plain), sealed);
  return Writer().u8(1).raw(key_id(seed).view()).raw(nonce).raw(sealed).take();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string damage(const std::string& content) {
  try {
    return parse_kms_key(as_bytes(content), "a.kms") ? "a key" : "another format";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged);
    EXPECT_TRUE(e.message().starts_with("encryption key file a.kms is damaged: ")) << e.message();
    EXPECT_EQ(e.message().find(to_hex(key_bytes(7))), std::string::npos) << "the key is in the message";
    return e.message().substr(38);
  }
}

TEST(KmsKey, IsRead) {
  const auto key = parse_kms_key(as_bytes(key_file(7)), "a.kms");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name, "NS.WebServiceCredentials");
  EXPECT_EQ(key->id, key_id(7));
  EXPECT_EQ(format_utc(key->created), "2026-01-08T08:00:00Z");
  EXPECT_TRUE(crypto::equal(key->key.view(), key_bytes(7)));
}

TEST(KmsKey, DamageNamesTheLine) {
  const std::string good = key_file(7);
  EXPECT_EQ(damage(replaced(good, "KEY 1", "KEY 2")), "line 1: expected 'HOLDFAST SAMPLE KMS KEY 1'");
  EXPECT_EQ(damage(replaced(good, "HOLDFAST", "XXLDFAST")), "line 1: expected 'HOLDFAST SAMPLE KMS KEY 1'");
  EXPECT_EQ(damage(replaced(good, "name: NS", "nom: NS")), "line 2: expected 'name: …'");
  EXPECT_EQ(damage(replaced(good, "id: 0", "id: X")), "line 3: 'id' is not 32 lower-case hex digits");
  EXPECT_EQ(damage(replaced(good, "T08", " 08")), "line 4: 'created' is not a time");
  EXPECT_EQ(damage(replaced(good, "key: 07", "key: 0F")), "line 5: 'key' is not 64 lower-case hex digits");
  EXPECT_EQ(damage(replaced(good, "key: 07", "key: 08")), "line 6: the check value does not fit the key");
  EXPECT_EQ(damage(replaced(good, "check: ", "check: 0")), "line 6: 'check' is not 16 lower-case hex digits");
  EXPECT_EQ(damage(good + "x"), "line 7: more than the format has");
  EXPECT_EQ(damage(key_file(7, std::string(2000, 'n'))), "line 0: the file is larger than the format allows");
  EXPECT_EQ(damage("\x01\x02vendor"), "another format");
  for (std::size_t size = 8; size < good.size(); ++size)
    ASSERT_NE(damage(good.substr(0, size)), "a key") << size;
}

TEST(KmsKey, OpensItsColumnsAndNoOthers) {
  const std::string row = "RunAsAccount.EncryptedPassword:{1}";
  KmsKeys all = parse_kms_keys({{"a.kms", to_bytes(key_file(1))}, {"b.kms", to_bytes(key_file(2))}});
  EXPECT_EQ(opens(all.keys, column(1, row, "secret"), row), Opens::yes);
  EXPECT_EQ(opens(all.keys, column(2, row, ""), row), Opens::yes);
  EXPECT_EQ(opens(all.keys, column(3, row, "secret"), row), Opens::no_key);
  EXPECT_EQ(opens(all.keys, column(1, row, "secret"), "RunAsAccount.EncryptedPassword:{2}"), Opens::wrong);
  const Bytes good = column(1, row, "secret");
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x10;
    EXPECT_NE(opens(all.keys, bad, row), Opens::yes) << i;
    EXPECT_NE(opens(all.keys, ByteView(good).first(i), row), Opens::yes) << i;
  }
}

class EncryptionKeys : public testing::ItemTest {
 protected:
  void SetUp() override {
    write("KMS/a.kms", key_file(1), 0600);
    write("KMS/b.KMS", key_file(2, "Hierarchy"), 0600);
    write("KMS/c.kms", key_file(3), 0600);
  }
  EncryptionKeysAdapter adapter;
  ItemSpec spec =
      testing::spec_of("kms-keys", "encryption_keys", {{"path", (folder.path() / "KMS").string()}});
};

TEST_F(EncryptionKeys, ComeBackAsTheyWere) {
  const auto stored = expect_round_trip(
      adapter, spec, {folder.path() / "KMS/a.kms", folder.path() / "KMS/b.KMS", folder.path() / "KMS/c.kms"});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("keys"), "3");
  EXPECT_EQ(fact("ids"), key_id(1).hex() + ", " + key_id(2).hex() + ", " + key_id(3).hex());
  EXPECT_EQ(fact("newest_created"), "2026-01-04T08:00:00Z");
  EXPECT_EQ(everything_said().find(to_hex(key_bytes(1))), std::string::npos);
  EXPECT_EQ(load_keys(stored).size(), 3U);
  EXPECT_EQ(load_keys(world.files, folder.path() / "KMS").size(), 3U);
  EXPECT_EQ(load_keys(stored)[1].name, "Hierarchy");
}

TEST_F(EncryptionKeys, OneDamagedKeyFailsTheItemAndIsNamed) {
  for (const std::string& bad :
       {replaced(key_file(2), "key: 02", "key: 03"), std::string(), std::string(64, '\0'),
        std::string("\x01vendor"), key_file(2).substr(0, 60)}) {
    write("KMS/b.KMS", bad);
    const Error e = error_of([&] { capture(adapter, spec); });
    EXPECT_EQ(e.code(), Code::damaged);
    EXPECT_NE(e.message().find("b.KMS"), std::string::npos) << e.message();
  }
  write("KMS/b.KMS", replaced(replaced(key_file(2), key_id(2).hex(), key_id(1).hex()), "\nname", "\nname"));
  EXPECT_NE(error_of([&] { capture(adapter, spec); }).message().find("has the id of a.kms"),
            std::string::npos);
}

TEST_F(EncryptionKeys, NoKeyIsAFailure) {
  for (const char* name : {"a.kms", "b.KMS", "c.kms"}) std::filesystem::remove(folder.path() / "KMS" / name);
  write("KMS/readme.txt", "no key");
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
  std::filesystem::remove_all(folder.path() / "KMS");
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
}

TEST_F(EncryptionKeys, TheVendorsOwnAreKeptAndNotProvable) {
  for (const char* name : {"KMS/a.kms", "KMS/b.KMS", "KMS/c.kms"})
    write(name, "\x01\x02 vendor " + std::string(name), 0600);
  expect_round_trip(adapter, spec,
                    {folder.path() / "KMS/a.kms", folder.path() / "KMS/b.KMS", folder.path() / "KMS/c.kms"});
  EXPECT_TRUE(found("keys_not_provable")) << codes();
  EXPECT_EQ(fact("ids"), "(none)");
}

TEST_F(EncryptionKeys, AnyChangeChangesTheDigest) {
  const auto before = adapter.live_digest(spec, world);
  ASSERT_TRUE(before);
  EXPECT_EQ(adapter.live_digest(spec, world), before);
  write("KMS/d.kms", key_file(4));
  const auto added = adapter.live_digest(spec, world);
  EXPECT_NE(added, before);
  std::filesystem::rename(folder.path() / "KMS/d.kms", folder.path() / "KMS/e.kms");
  EXPECT_NE(adapter.live_digest(spec, world), added);
}

TEST_F(EncryptionKeys, DifferenceIsByKeyAndShowsNoKey) {
  const auto before = capture(adapter, spec);
  std::filesystem::rename(folder.path() / "KMS/c.kms", folder.path() / "KMS/z.kms");   // same key, other file
  write("KMS/a.kms", replaced(key_file(1), "NS.Web", "XX.Web"));
  write("KMS/d.kms", key_file(4));
  const std::string said = testing::text_of(adapter.diff(before, capture(adapter, spec)));
  EXPECT_NE(said.find("~ key " + key_id(1).hex() + " | NS.WebServiceCredentials, created"), std::string::npos)
      << said;
  EXPECT_NE(said.find("+ key " + key_id(4).hex()), std::string::npos) << said;
  EXPECT_EQ(said.find("key " + key_id(3).hex()), std::string::npos) << said;
  EXPECT_EQ(said.find(to_hex(key_bytes(4))), std::string::npos);
}

}  // namespace
}  // namespace holdfast::item
