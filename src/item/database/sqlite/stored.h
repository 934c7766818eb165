// What a SQLite database consists of, live or as it is stored.
#pragma once

#include <map>
#include <string>

#include "item/database/sqlite/connection.h"
#include "tree/streams.h"

namespace holdfast::item {

using RowCounts = std::map<std::string, std::uint64_t>;       // by table; SQLite's own tables left out
using Schema = std::map<std::string, std::string>;            // "table Item" -> its SQL

RowCounts row_counts(Connection& connection);

struct StoredTables { Schema schema; RowCounts rows; };
// Opens the stored file where it lies and counts. Errors: damaged.
StoredTables tables_of(const tree::NodePtr& file);

// The one file of a stored item. Error(damaged) when there is not exactly one regular file with a safe name.
tree::NodePtr stored_file(const tree::NodePtr& stored);

}  // namespace holdfast::item
