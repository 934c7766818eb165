#include "base/error.h"

#include <array>
#include <cerrno>
#include <system_error>

namespace holdfast {
namespace {

constexpr std::array<CodeInfo, 18> kCodes{{
    {Code::failed, "failed", 1, 500, false, "The operation itself failed.",
     "Read the message: it names the object. Earlier recovery points are not touched by a failed run."},
    {Code::usage, "usage", 2, 400, false, "The command line is wrong, or a question had to be asked and nobody could answer.",
     "See 'holdfast VERB --help'. Without a terminal give --yes for reviews and --password-file for the password."},
    {Code::config, "config", 2, 400, false, "The configuration file or profile has a mistake.",
     "The message names file, line and column, and what is expected there."},
    {Code::unknown_name, "unknown_name", 2, 400, false,
     "A name (verb, option, item, section) does not exist on the command line or in the configuration.",
     "The message offers the nearest valid name."},
    {Code::not_found, "not_found", 10, 404, false, "Looked up and not found.",
     "Check the spelling; 'holdfast points' lists the recovery points."},
    {Code::already_exists, "already_exists", 11, 409, false, "The thing to be made exists already.",
     "Choose another place, or use what is there."},
    {Code::wrong_key, "wrong_key", 12, 401, false, "No way into the repository opens with this password or key.",
     "'holdfast key list' needs no password and shows which ways in exist."},
    {Code::permission, "permission", 13, 403, false, "The operating system does not allow it.",
     "Run as a user who may read or write the named object."},
    {Code::busy, "busy", 14, 409, true, "Something else is using the object.", "Try again when it is free."},
    {Code::unavailable, "unavailable", 15, 503, true, "The place cannot be reached now.", "Try again later."},
    {Code::no_space, "no_space", 17, 507, false, "There is no room left.",
     "Free some space and run the same command again. Earlier recovery points are whole."},
    {Code::precondition, "precondition", 18, 412, false,
     "This machine, product or version is not what the recovery point needs.",
     "The message lists each difference. Nothing was changed."},
    {Code::unsupported, "unsupported", 19, 501, false,
     "A newer format, an unknown required feature, or a verb that is not built yet.",
     "Use a newer Holdfast."},
    {Code::damaged, "damaged", 20, 500, false, "Stored bytes are not what was written.",
     "Run 'holdfast check': it names every damaged object. A copy may still hold it whole."},
    {Code::outside, "outside", 20, 500, false, "A backup names a path outside the target of the restore.",
     "The entry was refused; treat the backup as hostile."},
    {Code::io, "io", 1, 500, true, "The operating system reported an error on a read or write.",
     "Look at the disk or network behind the named object."},
    {Code::defect, "defect", 70, 500, false, "A bug in Holdfast.",
     "Please report it with the message. Earlier recovery points are not touched."},
    {Code::interrupted, "interrupted", 130, 499, true, "Stopped by a person or signal.",
     "Run the same command again. Earlier recovery points are whole."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kCodes.size(); ++i)
    if (static_cast<std::size_t>(kCodes[i].code) != i) return false;
  return true;
}
static_assert(in_order(), "kCodes is indexed by the enum");

}  // namespace

std::span<const CodeInfo> all_codes() { return kCodes; }
const CodeInfo& info(Code code) { return kCodes.at(static_cast<std::size_t>(code)); }

const CodeInfo* find_code(std::string_view name) {
  for (const CodeInfo& c : kCodes)
    if (c.name == name) return &c;
  return nullptr;
}

Error::Error(Code code, std::string message) : code_(code), message_(std::move(message)) { rebuild(); }

void Error::rebuild() {
  what_ = message_;
  if (os_error_ != 0) what_ += ": " + std::generic_category().message(os_error_);
}

Error& Error::safe(std::string text) & { safe_ = std::move(text); return *this; }
Error& Error::hint(std::string text) & { hint_ = std::move(text); return *this; }
Error& Error::os(int error_number) & { os_error_ = error_number; rebuild(); return *this; }
Error&& Error::safe(std::string text) && { safe_ = std::move(text); return std::move(*this); }
Error&& Error::hint(std::string text) && { hint_ = std::move(text); return std::move(*this); }
Error&& Error::os(int error_number) && { os_error_ = error_number; rebuild(); return std::move(*this); }

Code code_of_errno(int e) {
  switch (e) {
    case EACCES: case EPERM: case EROFS: return Code::permission;
    case ENOSPC: case EDQUOT: return Code::no_space;
    case ENOENT: case ENOTDIR: return Code::not_found;
    case EEXIST: case ENOTEMPTY: return Code::already_exists;
    case EBUSY: case ETXTBSY: return Code::busy;
    case EINTR: return Code::interrupted;
    // A mounted place whose server is gone.
    case ESTALE: case ENOTCONN: case ETIMEDOUT: case EHOSTDOWN: case EHOSTUNREACH: case ENETDOWN: case ENETUNREACH: return Code::unavailable;
    default: return Code::io;
  }
}

Error os_error(std::string message, int error_number) {
  return Error(code_of_errno(error_number), std::move(message)).os(error_number);
}

}  // namespace holdfast
