// UTF-16LE to UTF-8 and back, without loss: lone surrogates become their three bytes (WTF-8) and go back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::item {

// Precondition: bytes.size() is even.
std::string from_utf16(ByteView bytes);
// Input that is not WTF-8 gives nullopt.
std::optional<Bytes> to_utf16(std::string_view text);

}  // namespace holdfast::item
