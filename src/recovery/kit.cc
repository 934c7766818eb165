#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "recovery/parts.h"
#include "recovery/recover.h"

namespace holdfast::recovery {
namespace {

using platform::Path;

constexpr std::string_view kFirstLine = "HOLDFAST RECOVERY KIT";

void check_folder(platform::FileSystem& files, const Path& folder) {
  if (!files.exists(folder)) return;
  auto inside = files.list(folder);
  if (inside.empty()) return;
  Path readme = folder / "README.txt";
  if (files.exists(readme) && as_text(files.read_all(readme)).starts_with(kFirstLine)) return;
  throw Error(Code::already_exists, folder.string() + " is not empty and is no recovery kit").safe("nothing was changed").hint("choose an empty or new folder");
}

std::string readme(const Source& source, const repository::Point& point, const std::vector<std::string>& addresses, const crypto::Sha256& program) {
  std::string text = std::string(kFirstLine) + "\n" + printable(point.system_name) + ", written " + format_utc(source.world.clock.now()) + "\n\n";
  text += "What is here\n  holdfast    the program; runs on any 64-bit Linux for PCs and needs nothing else\n  PLAN.txt    the recovery plan, to print and tick off\n"
          "  SHA256SUMS  checks both: sha256sum -c SHA256SUMS\n\n";
  text += "SHA-256 of the program\n  " + program.hex() + "\n\nWhere the backups are\n";
  for (const std::string& a : addresses) text += "  " + printable(a) + "\n";
  text += "\nHead code (a repository that does not contain it was rolled back)\n  " + source.repository.head_code() + "\n";
  text += "\nWhat is NOT here and must be at hand: the password, or the recovery key, or a backup file with its own password.\nWithout one of them nobody can open the backups.\n";
  text += "\nOn the worst day, on the new server\n  ./holdfast recover --repository FOLDER --dry-run --expect-head CODE\n  ./holdfast recover --repository FOLDER --expect-head CODE\n";
  return text;
}

}  // namespace

KitReport write_kit(const Source& source, const repository::Point& point, const Path& folder, const Path& program, const std::vector<std::string>& addresses) {
  platform::FileSystem& files = source.world.files;
  check_folder(files, folder);
  files.make_directories(folder);
  Bytes binary = files.read_all(program);
  crypto::Sha256 hash = crypto::sha256(binary);
  std::string plan = printable_plan(make_plan(source, point, std::nullopt, true));
  std::string sums = hash.hex() + "  holdfast\n" + crypto::sha256(as_bytes(plan)).hex() + "  PLAN.txt\n";
  files.replace(folder / "holdfast", binary, 0755);
  files.replace(folder / "PLAN.txt", as_bytes(plan), 0644);
  files.replace(folder / "SHA256SUMS", as_bytes(sums), 0644);
  files.replace(folder / "README.txt", as_bytes(readme(source, point, addresses, hash)), 0644);
  return {{"README.txt", "PLAN.txt", "holdfast", "SHA256SUMS"}};
}

}  // namespace holdfast::recovery
