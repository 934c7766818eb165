// The gate before the parser: which request heads are read at all. Beast's parser takes more than one reading
// of a head (folded lines, several equal lengths, unknown transfer codings, a bare line feed); where a proxy
// in front reads it another way, one request becomes two. What passes here has one reading.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::http {

// `head` is from the first byte to its empty line, "\r\n\r\n" included. Throws Refusal:
// 400  a line that does not end in CR LF; control characters or NUL; a request line that is not "METHOD
// target HTTP/1.0|1" with single
//      blanks; a folded line; a field without a name of RFC 9110's characters directly before its colon; no
//      Host or more than one (HTTP/1.1); two of Content-Length and Transfer-Encoding, or one of them twice; a
//      length that is not 1 to 18 digits
// 417  an Expect other than 100-continue
// 431  more than `most_fields` fields
// 501  a transfer coding other than "chunked", any in HTTP/1.0; a method that is not one of Method
// 505  another version of HTTP
void check_head(std::string_view head, std::size_t most_fields);

}  // namespace holdfast::http
