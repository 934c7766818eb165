// Where each table, key and value stands in a TOML text, byte by byte: for changing one of them and leaving the rest alone.
//
// Not a parser: what the text means is toml_document.h's to say, which has accepted it before. (The parser's own positions count code
// points and do not tell [a] with b.c = 1 from [a.b] with c = 1.) A text that the two read differently is Error(unsupported).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::system {

using KeyPath = std::vector<std::string>;   // from the top of the document: {"schedule", "nightly", "enabled"}

struct TomlRange { std::size_t begin = 0, end = 0; };   // bytes of the text

struct TomlEntry;

struct TomlSpot {
  enum class Kind { scalar, list, inline_table };
  Kind kind = Kind::scalar;
  TomlRange at;
  std::vector<TomlRange> elements;    // of a list
  bool has_comments = false;          // of a list
  std::vector<TomlEntry> members;     // of an inline table
};

struct TomlEntry { KeyPath path; std::size_t begin; TomlSpot value; };   // key = value; begin: first byte of the key

struct TomlSection {
  KeyPath path;
  TomlRange header;                   // "[a.b]"
  std::vector<TomlEntry> entries;
  std::size_t end() const { return entries.empty() ? header.end : entries.back().value.at.end; }
};

// The first section is what stands before any header; its header is empty and stands behind a byte order mark.
std::vector<TomlSection> layout_of(std::string_view text, const std::string& file);

bool is_prefix(const KeyPath& prefix, const KeyPath& path);   // also of itself
std::string written_key(const std::string& key);              // bare, or in quotes
std::string written_path(const KeyPath& path, std::size_t from = 0);   // "schedule.nightly.enabled"
std::string written_text(std::string_view text);              // in quotes, escaped

}  // namespace holdfast::system
