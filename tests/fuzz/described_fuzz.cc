// Small descriptions that items are made of: KMS key files, share descriptions, installation packages, identity cards.
#include "crypto/hash.h"
#include "fuzz.h"
#include "item/encryption_keys/kms.h"
#include "item/install_package/install_package.h"
#include "item/share/share.h"
#include "system/system.h"

using namespace holdfast;
using namespace holdfast::fuzz;

namespace {

enum Part : std::uint8_t { kKms, kKmsFolder, kShare, kPackage, kIdentity };

void read_kms(ByteView bytes) {
  accepted({Code::damaged}, [&] {
    if (auto key = item::parse_kms_key(bytes, "a.kms")) require(key->key.size() == 32, "a key has 32 bytes");
  });
}

void read_kms_folder(Input& in) {
  std::vector<std::pair<std::string, Bytes>> files;
  while (!in.at_end() && files.size() < 8) {
    ByteView file = in.part();
    files.emplace_back("k" + std::to_string(files.size()) + ".kms", Bytes(file.begin(), file.end()));
  }
  Bytes column = files.empty() ? Bytes{} : files.back().second;
  accepted({Code::damaged}, [&] { item::opens(item::parse_kms_keys(files).keys, column, "associated"); });
}

void read_identity(Input& in) {
  item::Facts facts;
  while (!in.at_end() && facts.size() < 64) {
    std::string key = to_text(in.part());
    facts.emplace_back(std::move(key), to_text(in.part()));
  }
  system::IdentityCard card = system::IdentityCard::from_facts(facts);
  system::compare(card, system::IdentityCard::from_facts(card.to_facts()));
  for (const std::string& text : {system::products_text(card), system::identity_text(card)})
    for (char c : text) require(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t', "a card cannot steer a terminal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  switch (in.u8() % 5) {
    case kKms: read_kms(in.rest()); break;
    case kKmsFolder: read_kms_folder(in); break;
    case kShare: accepted({Code::damaged}, [&] { item::parse_share(to_text(in.rest()), "share.toml"); }); break;
    case kPackage: accepted({Code::damaged}, [&] { item::parse_package(in.rest(), "package.toml"); }); break;
    default: read_identity(in);
  }
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  auto add = [&](Part part, std::string_view text) { seeds.push_back(Parts().u8(part).rest(as_bytes(text))); };
  const Bytes key(32, 0x5a);
  const std::string kms = "HOLDFAST SAMPLE KMS KEY 1\nname: NS.WebServiceCredentials\nid: 00112233445566778899aabbccddeeff\n"
                          "created: 2026-01-05T08:00:00Z\nkey: " + to_hex(key) + "\ncheck: " + crypto::sha256(key).hex().substr(0, 16) + "\n";
  add(kKms, kms);
  seeds.push_back(Parts().u8(kKmsFolder).part(as_bytes(kms)).part(as_bytes("another format")));
  add(kShare,
      "[share]\nname = \"SoftwareLibrary\"\nunc = '\\\\ns01\\SoftwareLibrary'\npath = 'D:\\Library'\ncomment = \"x\"\n\n[[permission]]\n"
      "account = 'EXAMPLE\\admins'\naccess = \"full\"\ntype = \"allow\"\n");
  add(kPackage,
      "[package]\nmade = \"2026-01-01\"\nplatform_version = \"8.5\"\n\n[[product]]\nname = \"Platform\"\nid = \"{1}\"\nversion = \"8.5.1\"\n");
  Parts card;
  card.u8(kIdentity);
  for (std::string_view text : {"host_name", "ns01", "domain", "example.test", "product.{1}", "Platform 8.5.1", "install_path", "C:\\x"})
    card.part(as_bytes(text));
  seeds.push_back(card);
  return seeds;
}
