// Text of "Windows Registry Editor Version 5.00" files (regedit exports), parsed and written.
//
// Not the live registry: a value here is what a file says about one. Public format; what regedit writes and
// accepts: UTF-16LE with BOM (UTF-8 is read too), `[KEY]`, `[-KEY]`, `"name"="text"`, `@=`, `dword:`, `hex:`,
// `hex(n):`, `=-`, lines continued with a backslash, `;` comments (not kept). Keys and names are looked up
// without regard to ASCII case and kept as written. Text is UTF-8; a lone surrogate of UTF-16 becomes its
// three bytes (WTF-8) and goes back unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace holdfast::item {

// REG_* numbers of winnt.h; a value may have any other number, which is kept.
enum class RegType : std::uint32_t {
  none = 0,
  sz = 1,
  expand_sz = 2,
  binary = 3,
  dword = 4,
  dword_big_endian = 5,
  link = 6,
  multi_sz = 7,
  qword = 11,
};

struct RegValue {
  std::string name;           // "" is the default value, written @
  bool deleted = false;       // `"name"=-`: says that the value goes; type and data mean nothing then
  RegType type = RegType::none;
  Bytes data;                 // as the registry holds it: texts are UTF-16LE with their terminating zero
  bool operator==(const RegValue&) const = default;
};

struct RegKey {
  std::string path;           // "HKEY_LOCAL_MACHINE\SOFTWARE\…"
  bool deleted = false;       // `[-KEY]`: the key and all below it go; has no values
  std::vector<RegValue> values;
  bool operator==(const RegKey&) const = default;
};

struct RegFile {
  std::vector<RegKey> keys;   // in the order of the file
  bool operator==(const RegFile&) const = default;

  // What the key would hold after the file was imported: a later line wins over an earlier one, deletions
  // count. nullptr: nothing. Valid while the file is unchanged.
  const RegValue* find(std::string_view key, std::string_view name) const;
  // Names of the keys directly below `key`, as first written, in the order of the file, each once.
  std::vector<std::string> subkeys(std::string_view key) const;
};

// The text of an sz or expand_sz value without its terminator; nullopt for other types and malformed data.
std::optional<std::string> reg_text(const RegValue& value);
// The texts of a multi_sz value.
std::optional<std::vector<std::string>> reg_texts(const RegValue& value);
// The number of a dword or qword value.
std::optional<std::uint64_t> reg_number(const RegValue& value);
// find() and reg_text() in one; nullopt when there is no such text.
std::optional<std::string> find_reg_text(const RegFile& file, std::string_view key, std::string_view name);

// "sz", "dword", "hex(c)": as a person would name the type.
std::string reg_type_name(RegType type);
// The value for people, at most about 200 characters: `"text"`, `10 (0x0000000a)`, `16 bytes: 00 01 …`.
std::string describe(const RegValue& value);

// Data of values, as the registry holds it.
Bytes reg_sz(std::string_view text);
Bytes reg_multi_sz(const std::vector<std::string>& texts);
Bytes reg_dword(std::uint32_t number);
Bytes reg_qword(std::uint64_t number);

// `what` names the file in errors. Error(damaged) with the number of the line on anything that regedit could
// not have written or read in full. Memory: a small multiple of bytes.size().
RegFile parse_reg_file(ByteView bytes, std::string_view what);
// UTF-16LE with BOM, CRLF. parse_reg_file(write_reg_file(f)) == f. Error(unsupported) for a path with a line
// break and a name with a zero character: the format cannot say them.
Bytes write_reg_file(const RegFile& file);

}  // namespace holdfast::item
