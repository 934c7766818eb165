#include "item/vendor_backup/vendor_backup.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace holdfast::item {
namespace {

constexpr std::int64_t kStaleDays = 30;

// The hash of the captured bytes; of a file too large to be kept in memory it is read once more.
crypto::Sha256 hash_of(const LiveFile& file, CaptureContext& context) {
  if (file.kept) return crypto::sha256(file.content);
  crypto::Sha256Stream hash;
  const auto open = context.world.files.open(file.path);
  Bytes buffer(1 << 20);
  for (std::uint64_t at = 0; std::size_t n = open->read_at(at, buffer); at += n) {
    context.cancel.check();
    hash.update(ByteView(buffer).first(n));
  }
  return hash.digest_so_far();
}

void report_password(const ItemSpec& spec, const std::vector<LiveFile>& files, CaptureContext& context) {
  const std::string option = spec.text("password_file");
  const bool kept = !option.empty() && std::any_of(files.begin(), files.end(), [&](const LiveFile& f) {
    return f.name == Path(option).filename() && f.entry.size != 0;
  });
  if (!kept)
    context.finding(
        {"password_not_kept", spec.name, "the password of the vendor's backup file is not kept with it",
         "put it into a file that only its owner can read and name that file as 'password_file'"});
}

}  // namespace

std::vector<OptionSpec> VendorBackupAdapter::options() const {
  return {{"path", OptionSpec::Type::path, true, "The backup file that the vendor's own tool wrote.", {}},
          {"password_file",
           OptionSpec::Type::path,
           false,
           "A file with the password of that backup file; it is sealed in the repository together with it.",
           {}}};
}

FileSet VendorBackupAdapter::file_set(const ItemSpec& spec) const {
  FileSet set{{spec.text("path")}, std::nullopt};
  if (!spec.text("password_file").empty()) set.files.emplace_back(spec.text("password_file"));
  return set;
}

void VendorBackupAdapter::capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const {
  const std::vector<LiveFile> files = capture_files(file_set(spec), sink, context);
  const auto backup = std::find_if(files.begin(), files.end(), [&](const LiveFile& f) {
    return f.name == Path(spec.text("path")).filename();
  });
  if (backup == files.end())
    throw Error(Code::not_found, "cannot capture " + spec.name + ": " + spec.text("path") + " is not there")
        .hint("let the vendor's tool write a backup, or say excluded = \"reason\"");
  if (backup->entry.size == 0)
    throw Error(Code::damaged, "cannot capture " + spec.name + ": " + spec.text("path") + " is empty")
        .hint("let the vendor's tool write a new backup");
  const Timestamp made = backup->entry.modified;
  context.facts.emplace_back("sha256", hash_of(*backup, context).hex());
  context.facts.emplace_back("date", format_utc(made));
  report_password(spec, files, context);
  if (made.seconds + kStaleDays * 24 * 60 * 60 < context.world.clock.now().seconds)
    context.finding({"vendor_backup_stale", spec.name,
                     "the vendor's backup file is from " + format_utc(made) + ", more than " +
                         std::to_string(kStaleDays) + " days ago",
                     "let the vendor's tool write a new backup"});
}

}  // namespace holdfast::item
