#include "item/registry/reg_file.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "item/registry/utf16.h"

namespace holdfast::item {
namespace {

constexpr std::string_view kHeader = "Windows Registry Editor Version 5.00";
// Windows limits ("Registry element size limits"): 16,383 characters a value name, 255 a key name, 512
// levels. UTF-8 takes at most 3 bytes a UTF-16 unit.
constexpr std::size_t kMaxNameBytes = 16383 * 3;
constexpr std::size_t kMaxPathBytes = 512 * 256 * 3;
constexpr std::size_t kLineWidth = 78;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && to_lower_ascii(a) == to_lower_ascii(b);
}
// Is `path` the key `key` or below it?
bool at_or_below(std::string_view path, std::string_view key) {
  return same(path.substr(0, key.size()), key) && (path.size() == key.size() || path[key.size()] == '\\');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  RegFile run() {
    if (trim(rest_of_line()) != kHeader) damaged("the first line is not '" + std::string(kHeader) + "'");
    next_line();
    RegFile file;
    while (skip_blank_lines()) {
      if (peek() == '[') {
        file.keys.push_back(key());
      } else if (file.keys.empty() || file.keys.back().deleted) {
        damaged("a value that belongs to no key");
      } else {
        file.keys.back().values.push_back(value());
      }
    }
    return file;
  }

 private:
  [[noreturn]] void damaged(const std::string& why, std::size_t at) const {
    auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    throw Error(Code::damaged, "cannot read registry file " + printable(what_) + ": line " +
                                   std::to_string(line) + ": " + why);
  }
  [[noreturn]] void damaged(const std::string& why) const { damaged(why, pos_); }

  bool at_end() const { return pos_ == text_.size(); }
  char peek() const { return at_end() ? '\n' : text_[pos_]; }
  std::string_view rest_of_line() const { return text_.substr(pos_, text_.find('\n', pos_) - pos_); }
  void next_line() {
    std::size_t end = text_.find('\n', pos_);
    pos_ = end == std::string_view::npos ? text_.size() : end + 1;
  }
  void skip_spaces() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\r')) ++pos_;
  }
  // Moves to the first character of the next line that says something; false at the end.
  bool skip_blank_lines() {
    while (!at_end()) {
      skip_spaces();
      if (at_end()) return false;
      if (peek() != '\n' && peek() != ';') return true;
      next_line();
    }
    return false;
  }
  void end_of_line() {
    skip_spaces();
    if (at_end()) return;
    if (peek() != '\n' && peek() != ';') damaged("text after the value");
    next_line();
  }

  // `[path]` or `[-path]`. A key's name may hold a bracket: the last one of the line closes, as in regedit.
  RegKey key() {
    std::string_view line = rest_of_line();
    std::size_t close = line.rfind(']');
    if (close == std::string_view::npos) damaged("a key without its closing bracket");
    RegKey k;
    std::string_view path = line.substr(1, close - 1);
    if (!path.empty() && path.front() == '-') {
      k.deleted = true;
      path.remove_prefix(1);
    }
    if (path.size() > kMaxPathBytes) damaged("a key's path is too long");
    if (!same(path.substr(0, 5), "HKEY_")) damaged("a key that does not start with HKEY_");
    if (path.back() == '\\' || path.find("\\\\") != std::string_view::npos)
      damaged("a key with an empty name");
    if (path.find('\0') != std::string_view::npos) damaged("a zero character");
    k.path = path;
    pos_ += close + 1;
    end_of_line();
    return k;
  }

  RegValue value() {
    RegValue v;
    if (peek() == '@') {
      ++pos_;
    } else if (peek() == '"') {
      v.name = quoted();
      if (v.name.size() > kMaxNameBytes) damaged("a value's name is too long");
    } else {
      damaged("neither a key, a value nor a comment");
    }
    skip_spaces();
    if (peek() != '=') damaged("a value without '='");
    ++pos_;
    skip_spaces();
    if (peek() == '-') {
      ++pos_;
      v.deleted = true;
    } else if (peek() == '"') {
      v.type = RegType::sz;
      v.data = reg_sz(quoted());
    } else if (take("dword:")) {
      v.type = RegType::dword;
      v.data = reg_dword(hex_number());
    } else if (take("hex")) {
      hex_value(v);
    } else {
      damaged("a value of unknown form");
    }
    end_of_line();
    return v;
  }

  bool take(std::string_view word) {
    if (!same(text_.substr(pos_, word.size()), word)) return false;
    pos_ += word.size();
    return true;
  }

  // From the opening quote past the closing one. A line break inside belongs to the text, as regedit writes
  // it.
  std::string quoted() {
    const std::size_t start = pos_++;
    std::string out;
    for (;; ++pos_) {
      if (at_end()) damaged("a quote that is never closed", start);
      char c = text_[pos_];
      if (c == '"') break;
      if (c == '\0') damaged("a zero character");
      if (c == '\\') {
        ++pos_;
        if (at_end() || (text_[pos_] != '\\' && text_[pos_] != '"'))
          damaged("a backslash that escapes nothing");
        c = text_[pos_];
      }
      out += c;
    }
    ++pos_;
    return out;
  }

  // 1 to 8 hex digits.
  std::uint32_t hex_number() {
    std::uint32_t n = 0;
    int digits = 0;
    for (; !at_end() && hex_digit(peek()) >= 0; ++pos_, ++digits) {
      if (digits == 8) damaged("a number of more than 8 digits");
      n = n << 4 | static_cast<std::uint32_t>(hex_digit(peek()));
    }
    if (digits == 0) damaged("a number without digits");
    return n;
  }

  void hex_value(RegValue& v) {
    v.type = RegType::binary;
    if (peek() == '(') {
      ++pos_;
      v.type = static_cast<RegType>(hex_number());
      if (peek() != ')') damaged("a type without its closing bracket");
      ++pos_;
    }
    if (peek() != ':') damaged("a value of unknown form");
    ++pos_;
    bool comma = false;   // a byte must follow it
    for (;;) {
      skip_spaces_and_continuations();
      if (hex_digit(peek()) < 0) break;
      int high = hex_digit(text_[pos_++]), low = at_end() ? -1 : hex_digit(peek());
      if (low >= 0) ++pos_;
      v.data.push_back(static_cast<std::uint8_t>(low < 0 ? high : high << 4 | low));
      skip_spaces_and_continuations();
      comma = peek() == ',';
      if (!comma) break;
      ++pos_;
    }
    if (comma) damaged("a list of bytes that ends with a comma");
  }

  void skip_spaces_and_continuations() {
    for (skip_spaces(); !at_end() && peek() == '\\'; skip_spaces()) {
      ++pos_;
      skip_spaces();
      if (at_end()) damaged("a continued line without its continuation");
      if (peek() != '\n') damaged("text after the backslash that continues a line");
      ++pos_;
    }
  }

  std::string_view text_, what_;
  std::size_t pos_ = 0;
};

// The file's text as UTF-8, without BOM.
std::string decode(ByteView bytes, std::string_view what) {
  auto damaged = [&](const std::string& why) {
    return Error(Code::damaged, "cannot read registry file " + printable(what) + ": line 1: " + why);
  };
  auto starts = [&](std::initializer_list<std::uint8_t> bom) {
    return bytes.size() >= bom.size() && std::equal(bom.begin(), bom.end(), bytes.begin());
  };
  bool wide = starts({0xFF, 0xFE});
  if (wide) bytes = bytes.subspan(2);
  else if (starts({0xEF, 0xBB, 0xBF})) bytes = bytes.subspan(3);
  else if (bytes.size() >= 2 && bytes[1] == 0) wide = true;
  if (bytes.empty()) throw damaged("the file is empty");
  if (wide) {
    if (bytes.size() % 2 != 0) throw damaged("half a UTF-16 character at the end: the file is cut off");
    return from_utf16(bytes);
  }
  if (!is_utf8(as_text(bytes))) throw damaged("the text is neither UTF-16 nor UTF-8");
  return to_text(bytes);
}

std::string escape(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// Can the data be said as "text"? Else it is written as hex(1).
std::optional<std::string> plain_text(const RegValue& v) {
  if (v.type != RegType::sz || v.data.size() < 2) return std::nullopt;
  auto text = reg_text(v);
  if (!text || reg_sz(*text) != v.data) return std::nullopt;
  if (text->find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos) return std::nullopt;
  return text;
}

void append_hex(std::string& out, std::string line, ByteView data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    line += to_hex(data.subspan(i, 1));
    if (i + 1 == data.size()) break;
    line += ',';
    if (line.size() >= kLineWidth - 2) {
      out += line + "\\\r\n";
      line = "  ";
    }
  }
  out += line;
}

void append_value(std::string& out, const RegValue& v) {
  if (v.name.find('\0') != std::string::npos)
    throw Error(Code::unsupported,
                "cannot write registry value " + printable(v.name) + ": its name holds a zero character");
  std::string start = (v.name.empty() ? "@" : escape(v.name)) + "=";
  if (v.deleted) {
    out += start + "-";
  } else if (auto text = plain_text(v)) {
    out += start + escape(*text);
  } else if (v.type == RegType::dword && v.data.size() == 4) {
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", static_cast<unsigned>(*reg_number(v)));
    out += start + "dword:" + digits.data();
  } else if (v.type == RegType::binary) {
    append_hex(out, start + "hex:", v.data);
  } else {
    std::array<char, 24> type{};
    std::snprintf(type.data(), type.size(), "hex(%x):", static_cast<unsigned>(v.type));
    append_hex(out, start + type.data(), v.data);
  }
  out += "\r\n";
}

}  // namespace

const RegValue* RegFile::find(std::string_view key, std::string_view name) const {
  const RegValue* found = nullptr;
  for (const RegKey& k : keys) {
    if (k.deleted && at_or_below(key, k.path)) found = nullptr;
    if (k.deleted || !same(k.path, key)) continue;
    for (const RegValue& v : k.values)
      if (same(v.name, name)) found = v.deleted ? nullptr : &v;
  }
  return found;
}

std::vector<std::string> RegFile::subkeys(std::string_view key) const {
  std::vector<std::string> names;
  for (const RegKey& k : keys) {
    if (k.deleted) {
      std::erase_if(names,
                    [&](const std::string& n) { return at_or_below(std::string(key) + "\\" + n, k.path); });
      continue;
    }
    if (!at_or_below(k.path, key) || k.path.size() == key.size()) continue;
    std::string_view name = std::string_view(k.path).substr(key.size() + 1);
    name = name.substr(0, name.find('\\'));
    if (std::none_of(names.begin(), names.end(), [&](const std::string& n) { return same(n, name); }))
      names.emplace_back(name);
  }
  return names;
}

std::optional<std::string> reg_text(const RegValue& v) {
  if (v.deleted || (v.type != RegType::sz && v.type != RegType::expand_sz) || v.data.size() % 2 != 0)
    return std::nullopt;
  ByteView data = v.data;
  if (data.size() >= 2 && data[data.size() - 1] == 0 && data[data.size() - 2] == 0)
    data = data.first(data.size() - 2);
  return from_utf16(data);
}

std::optional<std::vector<std::string>> reg_texts(const RegValue& v) {
  if (v.deleted || v.type != RegType::multi_sz || v.data.size() % 2 != 0) return std::nullopt;
  std::string all = from_utf16(v.data);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size() && all[at] != '\0';) {
    std::size_t end = std::min(all.find('\0', at), all.size());
    texts.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return texts;
}

std::optional<std::uint64_t> reg_number(const RegValue& v) {
  std::size_t size = v.type == RegType::dword ? 4 : v.type == RegType::qword ? 8 : 0;
  if (v.deleted || size == 0 || v.data.size() != size) return std::nullopt;
  std::uint64_t n = 0;
  for (std::size_t i = size; i-- > 0;) n = n << 8 | v.data[i];
  return n;
}

std::optional<std::string> find_reg_text(const RegFile& file, std::string_view key, std::string_view name) {
  const RegValue* v = file.find(key, name);
  return v ? reg_text(*v) : std::nullopt;
}

std::string reg_type_name(RegType type) {
  switch (type) {
    case RegType::none: return "none";
    case RegType::sz: return "sz";
    case RegType::expand_sz: return "expand_sz";
    case RegType::binary: return "binary";
    case RegType::dword: return "dword";
    case RegType::dword_big_endian: return "dword_big_endian";
    case RegType::link: return "link";
    case RegType::multi_sz: return "multi_sz";
    case RegType::qword: return "qword";
  }
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "hex(%x)", static_cast<unsigned>(type));
  return text.data();
}

std::string describe(const RegValue& v) {
  constexpr std::size_t kMaxText = 200, kMaxBytes = 16;
  auto shorten = [](std::string text) {
    return text.size() > kMaxText ? printable(text.substr(0, kMaxText)) + "…" : printable(text);
  };
  if (v.deleted) return "(deleted)";
  if (auto text = reg_text(v)) return "\"" + shorten(*text) + "\"";
  if (auto texts = reg_texts(v)) return "[" + shorten(join(*texts, ", ")) + "]";
  if (auto number = reg_number(v)) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%llu (0x%0*llx)", static_cast<unsigned long long>(*number),
                  v.type == RegType::dword ? 8 : 16, static_cast<unsigned long long>(*number));
    return text.data();
  }
  std::string out = std::to_string(v.data.size()) + (v.data.size() == 1 ? " byte" : " bytes");
  for (std::size_t i = 0; i < std::min(v.data.size(), kMaxBytes); ++i)
    out += (i == 0 ? ": " : " ") + to_hex(ByteView(v.data).subspan(i, 1));
  return v.data.size() > kMaxBytes ? out + " …" : out;
}

Bytes reg_sz(std::string_view text) {
  auto wide = to_utf16(text);
  if (!wide) throw Error(Code::unsupported, "registry text " + printable(text) + " is not valid text");
  wide->insert(wide->end(), 2, 0);
  return *std::move(wide);
}

Bytes reg_multi_sz(const std::vector<std::string>& texts) {
  Bytes all;
  for (const std::string& text : texts) {
    Bytes one = reg_sz(text);
    all.insert(all.end(), one.begin(), one.end());
  }
  all.insert(all.end(), 2, 0);
  return all;
}

Bytes reg_dword(std::uint32_t n) {
  Bytes out(4);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(n >> 8 * i);
  return out;
}

Bytes reg_qword(std::uint64_t n) {
  Bytes out(8);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(n >> 8 * i);
  return out;
}

RegFile parse_reg_file(ByteView bytes, std::string_view what) {
  std::string text = decode(bytes, what);
  return Parser(text, what).run();
}

Bytes write_reg_file(const RegFile& file) {
  std::string text = std::string(kHeader) + "\r\n\r\n";
  for (const RegKey& k : file.keys) {
    if (k.path.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
      throw Error(Code::unsupported,
                  "cannot write registry key " + printable(k.path) + ": its path holds a line break");
    text += (k.deleted ? "[-" : "[") + k.path + "]\r\n";
    for (const RegValue& v : k.values) append_value(text, v);
    text += "\r\n";
  }
  auto wide = to_utf16(text);
  if (!wide) throw Error(Code::unsupported, "cannot write the registry file: a name is not valid text");
  wide->insert(wide->begin(), {0xFF, 0xFE});
  return *std::move(wide);
}

}  // namespace holdfast::item
