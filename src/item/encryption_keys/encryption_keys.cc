#include "item/encryption_keys/encryption_keys.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "item/encryption_keys/kms.h"
#include "item/settings/diff_by_key.h"
#include "item/settings/whole_content.h"

namespace holdfast::item {
namespace {

KmsKeys keys_of(const std::vector<LiveFile>& files) {
  std::vector<std::pair<std::string, Bytes>> key_files;
  for (const LiveFile& file : files)
    if (is_kms_file(file.name)) key_files.emplace_back(file.name, whole_content(file));
  return parse_kms_keys(key_files);
}

Finding not_provable(const ItemSpec& spec, const KmsKeys& keys) {
  return {"keys_not_provable", spec.name,
          std::to_string(keys.not_provable.size()) +
              " key files are in the vendor's own format: not provable by Holdfast, "
              "only the vendor's own export restores them",
          "export the keys with the vendor's tool and back the export up as an item of kind vendor_backup"};
}

Keyed by_id(const tree::NodePtr& stored) {
  Keyed all;
  for (const KmsKey& key : load_keys(stored))
    all["key " + key.id.hex()] = {
        key.name + "\n" + format_utc(key.created) + "\n" + crypto::sha256(key.key.view()).hex(),
        printable(key.name) + ", created " + format_utc(key.created)};
  return all;
}

}  // namespace

std::vector<OptionSpec> EncryptionKeysAdapter::options() const {
  return {{"path", OptionSpec::Type::path, true, "The folder with the key files (*.kms).", {}}};
}

FileSet EncryptionKeysAdapter::file_set(const ItemSpec& spec) const { return {{}, Path(spec.text("path"))}; }

std::optional<Bytes> EncryptionKeysAdapter::live_digest(const ItemSpec& spec, platform::World&) const {
  return digest_files(file_set(spec));
}

void EncryptionKeysAdapter::understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                                       CaptureContext& context) const {
  const KmsKeys all = keys_of(files);
  if (all.keys.empty() && all.not_provable.empty())
    throw Error(Code::not_found,
                "cannot capture " + spec.name + ": no encryption key (*.kms) in " + spec.text("path"))
        .hint(
            "without its keys the encrypted columns of the database are lost: find out where the product "
            "keeps them");
  context.facts.emplace_back("keys", std::to_string(all.keys.size() + all.not_provable.size()));
  if (!all.keys.empty()) {
    std::vector<std::string> ids;
    Timestamp newest = all.keys.front().created;
    for (const KmsKey& key : all.keys) {
      ids.push_back(key.id.hex());
      newest = std::max(newest, key.created);
    }
    std::sort(ids.begin(), ids.end());
    context.facts.emplace_back("ids", join(ids, ", "));
    context.facts.emplace_back("newest_created", format_utc(newest));
  }
  if (!all.not_provable.empty()) context.finding(not_provable(spec, all));
}

std::vector<Change> EncryptionKeysAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  return diff_by_key(before, after, by_id);
}

std::vector<CheckResult> EncryptionKeysAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                                      CaptureContext& context) const {
  std::vector<CheckResult> results = FileSetAdapter::check(spec, stored, context);
  CheckResult whole{"keys are whole", false, ""};
  try {
    const KmsKeys live = keys_of(read_files(file_set(spec), context.finding));
    if (!live.not_provable.empty()) {
      context.finding(not_provable(spec, live));
      return results;
    }
    whole.passed = !live.keys.empty();
    whole.detail = std::to_string(live.keys.size()) + " keys fit their check values";
  } catch (const Error& e) {
    whole.detail = e.message();
  }
  results.push_back(std::move(whole));
  return results;
}

}  // namespace holdfast::item
