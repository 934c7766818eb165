#include "item/database/sqlite/stored.h"

#include "base/text.h"
#include "item/database/sqlite/virtual_file.h"

namespace holdfast::item {

RowCounts row_counts(Connection& connection) {
  std::vector<std::string> tables;
  connection.read("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                  [&](const Connection::Row& row) { tables.push_back(row.front()); });
  RowCounts counts;
  for (const std::string& table : tables) counts[table] = connection.number("SELECT count(*) FROM " + quote_identifier(table));
  return counts;
}

StoredTables tables_of(const tree::NodePtr& file) {
  StoredTables tables;
  ReadOnlyDatabase database(file, printable(file->entry().name) + " of the recovery point");
  database.with([&](Connection& connection) {
    connection.read("SELECT type || ' ' || name, ifnull(sql, '') FROM sqlite_schema",
                    [&](const Connection::Row& row) { tables.schema[row[0]] = row[1]; });
    tables.rows = row_counts(connection);
  });
  return tables;
}

tree::NodePtr stored_file(const tree::NodePtr& stored) {
  tree::NodePtr file;
  bool strange = !stored || stored->entry().kind != tree::Kind::directory;
  if (!strange) {
    stored->children([&](tree::NodePtr child) {
      strange = file != nullptr || child->entry().kind != tree::Kind::file || !tree::is_safe_name(child->entry().name);
      file = child;
      return !strange;
    });
  }
  if (strange || !file)
    throw Error(Code::damaged, "cannot read a stored database: the item does not hold exactly one database file");
  return file;
}

}  // namespace holdfast::item
