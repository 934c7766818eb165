#include "item/encryption_keys/kms.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "item/files/files.h"

namespace holdfast::item {
namespace {

constexpr std::string_view kMagic = "HOLDFAST SAMPLE KMS KEY 1";
constexpr std::size_t kKeySize = 32, kCheckSize = 8, kMaxName = 256;
constexpr std::size_t kMaxFile = 1024;        // six lines of the public format
constexpr std::uint64_t kMaxKeyFile = UINT64_C(64) << 20;   // of any format

// One `label: value` line after another.
class Lines {
 public:
  Lines(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  [[noreturn]] void damaged(const std::string& why) const {
    throw Error(Code::damaged, "encryption key file " + printable(file_) + " is damaged: line " +
                                   std::to_string(number_) + ": " + why)
        .hint("export the key again with the product, or take the file from an older recovery point");
  }
  std::string_view next() {
    ++number_;
    std::size_t end = text_.find('\n');
    if (end == std::string_view::npos) damaged("the file ends too early");
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }
  std::string_view next(std::string_view label) {
    std::string_view line = next();
    if (!line.starts_with(label) || !line.substr(label.size()).starts_with(": "))
      damaged("expected '" + std::string(label) + ": …'");
    return line.substr(label.size() + 2);
  }
  void hex(std::string_view label, MutableBytes out) {
    std::string_view digits = next(label);
    if (!from_hex(digits, out) ||
        std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'A' && c <= 'F'; }))
      damaged("'" + std::string(label) + "' is not " + std::to_string(out.size() * 2) +
              " lower-case hex digits");
  }
  void expect_end() {
    ++number_;
    if (!text_.empty()) damaged("more than the format has");
  }

 private:
  std::string_view text_;
  const std::string& file_;
  int number_ = 0;
};

// Was it surely the public format once? Then it is damaged, not somebody else's.
bool resembles_public_format(std::string_view text) {
  return text.starts_with("HOLDFAST") || (text.find("\nkey: ") != std::string_view::npos &&
                                          text.find("\ncheck: ") != std::string_view::npos);
}

void refuse(const std::string& file, const std::string& why) {
  throw Error(Code::damaged, "encryption key file " + printable(file) + " is damaged: " + why)
      .hint("export the key again with the product, or take the file from an older recovery point");
}

}  // namespace

bool is_kms_file(std::string_view name) { return to_lower_ascii(name).ends_with(".kms"); }

std::optional<KmsKey> parse_kms_key(ByteView content, const std::string& file) {
  if (!as_text(content).starts_with(kMagic)) {
    if (resembles_public_format(as_text(content)))
      refuse(file, "line 1: expected '" + std::string(kMagic) + "'");
    return std::nullopt;
  }
  Lines lines(as_text(content), file);
  if (content.size() > kMaxFile) lines.damaged("the file is larger than the format allows");
  if (lines.next() != kMagic) lines.damaged("expected '" + std::string(kMagic) + "'");
  KmsKey key;
  key.file = file;
  key.name = lines.next("name");
  if (key.name.empty() || key.name.size() > kMaxName || !is_utf8(key.name))
    lines.damaged("'name' is not a name");
  lines.hex("id", key.id.bytes);
  auto created = parse_utc(lines.next("created"));
  if (!created) lines.damaged("'created' is not a time");
  key.created = *created;
  key.key = crypto::Secret(kKeySize);
  lines.hex("key", key.key.bytes());
  std::array<std::uint8_t, kCheckSize> check{};
  lines.hex("check", check);
  if (!crypto::equal(check, crypto::sha256(key.key.view()).view().first(kCheckSize)))
    lines.damaged("the check value does not fit the key");
  lines.expect_end();
  return key;
}

KmsKeys parse_kms_keys(const std::vector<std::pair<std::string, Bytes>>& files) {
  KmsKeys all;
  for (const auto& [name, content] : files) {
    if (std::all_of(content.begin(), content.end(), [](std::uint8_t b) { return b == 0; }))
      refuse(name, content.empty() ? "it is empty" : "it holds nothing but zeros");
    if (auto key = parse_kms_key(content, name)) {
      for (const KmsKey& other : all.keys)
        if (other.id == key->id && !crypto::equal(other.key.view(), key->key.view()))
          refuse(name, "it has the id of " + printable(other.file) + " and another key");
      all.keys.push_back(*std::move(key));
    } else {
      all.not_provable.push_back(name);
    }
  }
  if (!all.keys.empty() && !all.not_provable.empty())
    refuse(all.not_provable.front(), "line 1: not a key file, unlike the other files of the folder");
  return all;
}

std::vector<KmsKey> load_keys(const tree::NodePtr& stored) {
  std::vector<std::pair<std::string, Bytes>> files;
  for (const StoredFile& file : stored_files(stored))
    if (is_kms_file(file.name)) files.emplace_back(file.name, stored_content(file));
  return parse_kms_keys(files).keys;
}

std::vector<KmsKey> load_keys(platform::FileSystem& file_system, const platform::Path& folder) {
  std::vector<std::pair<std::string, Bytes>> files;
  for (const auto& child : file_system.list(folder))
    if (child.info.kind == platform::FileInfo::Kind::file && is_kms_file(child.name))
      files.emplace_back(child.name, file_system.read_all(folder / child.name, kMaxKeyFile));
  return parse_kms_keys(files).keys;
}

Opens opens(const std::vector<KmsKey>& keys, ByteView column, std::string_view associated) {
  constexpr std::size_t kHead = 1 + KmsKeyId::kSize + crypto::kAeadNonceSize;
  if (column.size() < kHead + crypto::kAeadTagSize || column[0] != 1) return Opens::wrong;
  const auto id = KmsKeyId::from(column.subspan(1, KmsKeyId::kSize));
  crypto::Nonce nonce{};
  std::copy_n(column.begin() + 1 + KmsKeyId::kSize, nonce.size(), nonce.begin());
  ByteView cipher = column.subspan(kHead);
  auto key = std::find_if(keys.begin(), keys.end(), [&](const KmsKey& k) { return k.id == id; });
  if (key == keys.end()) return Opens::no_key;
  crypto::Secret plain(cipher.size() - crypto::kAeadTagSize);
  return crypto::Aead(key->key.view()).open(nonce, as_bytes(associated), cipher, plain.bytes()) ? Opens::yes
                                                                                               : Opens::wrong;
}

}  // namespace holdfast::item
