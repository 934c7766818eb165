// Copies a real folder into the sample, whole and unchanged, with every attribute the file systems know.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/finding.h"
#include "base/progress.h"
#include "platform/contained_tree.h"

namespace holdfast::sample {

// Makes the folder `to` of `target` equal to `from`, itself included: owner, mode, times, extended
// attributes, ACLs, hard links (also to names outside `from`: then as files), sparse files, symbolic links,
// FIFOs and, for root, devices. Findings: socket_skipped, vanished, changed_while_read, not_copied (a device,
// without being root), attribute_not_kept.
void copy_library(const platform::Path& from, platform::ContainedTree& target, const std::string& to,
                  platform::ApplyOptions options, ProgressSink& progress, const Cancel& cancel,
                  const FindingSink& finding);

}  // namespace holdfast::sample
