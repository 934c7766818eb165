#include "repository/format/fields.h"

namespace holdfast::repository {

Bytes encode_time(Timestamp time) {
  Writer w;
  w.i64(time.seconds).u32(time.nanoseconds);
  return w.take();
}

Timestamp decode_time(ByteView value, std::string_view name) {
  Reader r(value, name);
  Timestamp time;
  time.seconds = r.i64();
  time.nanoseconds = r.u32();
  if (time.nanoseconds > 999'999'999) r.damaged("a time is impossible");
  r.expect_end();
  return time;
}

}  // namespace holdfast::repository
