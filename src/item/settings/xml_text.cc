#include "item/settings/xml_text.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "item/registry/utf16.h"

namespace holdfast::item {

void xml_damaged(std::string_view what, std::string_view text, std::size_t offset, const std::string& why) {
  std::string_view before = text.substr(0, offset);
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  throw Error(Code::damaged,
              "cannot read " + printable(what) + ": line " + std::to_string(line) + ": " + why);
}

std::string xml_text(ByteView bytes, std::string_view what) {
  std::string text;
  if (bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE) {
    if (bytes.size() % 2 != 0)
      xml_damaged(what, "", 0, "half a UTF-16 character at the end: the file is cut off");
    text = from_utf16(bytes.subspan(2));
  } else {
    if (bytes.size() >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF)
      bytes = bytes.subspan(3);
    text = to_text(bytes);
  }
  if (text.empty()) xml_damaged(what, text, 0, "the file is empty");
  if (std::size_t zero = text.find('\0'); zero != std::string::npos)
    xml_damaged(what, text, zero, "a zero character");
  return text;
}

}  // namespace holdfast::item
