// A consistent view of a live SQLite database, and its pages as a stream. docs/decisions/0004-sqlite-capture.md.
#pragma once

#include <functional>

#include "item/database/sqlite/connection.h"

namespace holdfast::item {

// Runs `use` inside one read transaction on the database at `path`, while others go on writing. Reading leaves no trace:
// no byte of the file changes, and a quiet database gets no -wal and -shm file beside it.
//
// A database that nobody has open is read without locks; when it changed meanwhile, `use` runs a second time with locks:
// it must be able to start again. Errors: not_found, damaged, busy, permission, io, and what `use` throws.
void with_snapshot(const platform::Path& path, const std::function<void(Connection&)>& use);

// The pages of the database as one stream, in order: a file that SQLite opens, in the state that the read transaction of
// `source` sees. The pages are those of the source but for three counters of the header (change counter, schema cookie,
// version-valid-for), which depend on the content alone: equal states give equal streams. Returns the bytes.
std::uint64_t stream_pages(Connection& source, const Cancel& cancel, const std::function<void(ByteView)>& consume);

// Error(damaged) naming the first faults that PRAGMA integrity_check finds.
void require_integrity(Connection& connection);

}  // namespace holdfast::item
