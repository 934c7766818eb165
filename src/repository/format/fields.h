// Values that fields of several objects share: times, pairs of texts. docs/repository-format.md "Encoding".
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "base/wire.h"

namespace holdfast::repository {

Bytes encode_time(Timestamp time);
// damaged when it is no time; `name` is the object, for messages.
Timestamp decode_time(ByteView value, std::string_view name);
// The value of an identifier field; damaged when its size is another.
template <class Id>
Id decode_id(ByteView value, std::string_view name) {
  Reader r(value, name);
  Id id = r.id<Id>();
  r.expect_end();
  return id;
}

}  // namespace holdfast::repository
