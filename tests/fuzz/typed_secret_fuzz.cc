// Secrets as people and machines give them: passwords and their normal form, recovery keys, machine key files.
#include "base/text.h"
#include "crypto/text_normalization.h"
#include "fuzz.h"
#include "repository/keys/keys.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

enum Part : std::uint8_t { kPassword, kRecoveryKey, kMachineKey };

void read_password(ByteView typed) {
  accepted({Code::wrong_key}, [&] {
    SlotSecret secret = password_secret(typed);
    require(!secret.bytes.empty(), "an empty password is refused");
    require(as_text(secret.bytes.view()).find('\n') == std::string_view::npos, "a password ends with its line");
    if (looks_like_recovery_key(as_text(typed))) return;   // a file with its lines is the key, a line alone may be a password
    // Composed or not, with a line end or without: one password.
    Bytes again(secret.bytes.view().begin(), secret.bytes.view().end());
    again.insert(again.end(), {'\r', '\n'});
    require(crypto::equal(password_secret(again).bytes.view(), secret.bytes.view()), "a normal form is its own normal form");
  });
  if (is_utf8(as_text(typed))) {
    std::string normal = crypto::nfc(as_text(typed));
    require(is_utf8(normal) && crypto::nfc(normal) == normal, "normalizing is done once");
  }
}

void read_recovery_key(std::string_view text) {
  bool looks = looks_like_recovery_key(text);
  accepted({Code::wrong_key}, [&] {
    RecoveryKey key = parse_recovery_key(text);
    require(looks, "a recovery key looks like one");
    require(crypto::equal(parse_recovery_key(key.text()).bytes.view(), key.bytes.view()), "a recovery key comes back as it was");
  });
}

void read_machine_key(ByteView file) {
  accepted([&] {
    SlotSecret secret = parse_machine_key(file);
    require(crypto::equal(parse_machine_key(as_bytes(machine_key_file(secret.bytes.view()))).bytes.view(), secret.bytes.view()),
            "a machine key comes back as it was");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  switch (in.u8() % 3) {
    case kPassword: read_password(in.rest()); break;
    case kRecoveryKey: read_recovery_key(as_text(in.rest())); break;
    default: read_machine_key(in.rest());
  }
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  auto add = [&](Part part, std::string_view text) { seeds.push_back(Parts().u8(part).rest(as_bytes(text))); };
  for (std::string_view text : {"correct horse", "gru\xcc\x88n\r\nrest", "\xc3\xbc", "\xff\xfe no text", "a", "\xea\xb0\x80\xe1\x86\xa8"}) add(kPassword, text);
  std::string key = RecoveryKey{crypto::Secret::copy_of(Bytes(32, 0x5a))}.text(), bare;
  for (char c : key)
    if (c != '-' && c != '\n') bare += c;
  add(kRecoveryKey, key);
  add(kRecoveryKey, to_lower_ascii(key));
  add(kRecoveryKey, bare);
  add(kMachineKey, machine_key_file(Bytes(32, 0x5a)));
  return seeds;
}
