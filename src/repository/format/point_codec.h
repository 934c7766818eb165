// Points and their summaries as bytes. docs/repository-format.md "Point".
#pragma once

#include "repository/point.h"

namespace holdfast::repository {

// The plaintext of a point object's sealed body.
Bytes encode_point(const PointDraft& draft);
// Error(damaged); `name` is for messages. Unknown fields are kept.
PointDraft decode_point(ByteView plain, std::string_view name);

// The summary that the point's record holds.
Bytes encode_summary(const PointSummary& summary);
PointSummary decode_summary(ByteView plain, std::string_view name);
PointSummary summary_of(const PointDraft& draft);   // without id, writer and number

}  // namespace holdfast::repository
