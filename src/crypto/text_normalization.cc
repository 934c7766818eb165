#include "crypto/text_normalization.h"

#include <utf8proc.h>

#include "base/error.h"
#include "crypto/secret.h"

namespace holdfast::crypto {

std::string nfc(std::string_view utf8) {
  const auto* in = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
  const auto in_size = static_cast<utf8proc_ssize_t>(utf8.size());
  constexpr auto kForm = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  // Decomposed code points first: a Secret is wiped, the library's own buffer would not be.
  const utf8proc_ssize_t count = utf8proc_decompose(in, in_size, nullptr, 0, kForm);
  if (count < 0) throw Error(Code::damaged, "cannot normalize text: it is not UTF-8");
  // One more: the library ends its result with a NUL.
  Secret room((static_cast<std::size_t>(count) + 1) * sizeof(utf8proc_int32_t));
  auto* points = reinterpret_cast<utf8proc_int32_t*>(room.bytes().data());
  const utf8proc_ssize_t same = utf8proc_decompose(in, in_size, points, count, kForm);
  const utf8proc_ssize_t size =
      same == count ? utf8proc_reencode(points, count, kForm) : UTF8PROC_ERROR_OVERFLOW;
  if (size < 0) throw Error(Code::damaged, "cannot normalize text: it is not UTF-8");
  return std::string(reinterpret_cast<const char*>(points), static_cast<std::size_t>(size));
}

}  // namespace holdfast::crypto
