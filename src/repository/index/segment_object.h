// An index segment as an object of the store: sealed and signed. docs/repository-format.md "Index segment"; index.h has its body.
#pragma once

#include <span>
#include <vector>

#include "repository/data/data.h"
#include "repository/index/index.h"

namespace holdfast::repository {

// The decrypted body, for decode_segment(). damaged, not_found.
Bytes open_segment(const DataContext& context, const crypto::Sha256& hash);
// Under the current epoch. The object that was put.
NeededObject put_segment(const DataContext& context, const WriterId& writer, const crypto::SigningKey& key,
                         const std::vector<crypto::Sha256>& superseded, std::span<const SegmentPack> packs);

}  // namespace holdfast::repository
