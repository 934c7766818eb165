// The content of a captured file that an adapter must understand.
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "item/files/files.h"

namespace holdfast::item {

// Error(unsupported) when the file was too large to be kept in memory: then nothing can be said about it.
inline const Bytes& whole_content(const LiveFile& file) {
  if (!file.kept)
    throw Error(Code::unsupported, "cannot understand " + printable(file.path.string()) +
                                       ": it is larger than " + human_bytes(kKeptInMemory));
  return file.content;
}

}  // namespace holdfast::item
