#include "system/toml_layout.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "system/toml_document.h"

namespace holdfast::system {
namespace {

// Ours have three parts. Each entry keeps its whole path, so a hostile one must not be long.
constexpr std::size_t kLongestPath = 32;

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::vector<TomlSection> scan() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    sections_.push_back({{}, {at_, at_}, {}});
    for (skip_filling(); at_ < text_.size(); skip_filling()) {
      if (text_[at_] == '[') header();
      else sections_.back().entries.push_back(entry(sections_.back().path));
    }
    return std::move(sections_);
  }

 private:
  [[noreturn]] void lost() const {
    const auto line = std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n') + 1;
    throw Error(Code::unsupported, "cannot change " + printable(file_) + " in its place: what stands in line " + std::to_string(line) + " is not understood")
        .safe("nothing was changed")
        .hint("change the file with an editor");
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void expect(char c) {
    if (peek() != c) lost();
    ++at_;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  // Blanks, line breaks and comments; true: there was a comment.
  bool skip_filling() {
    bool comment = false;
    for (;; ++at_) {
      const char c = peek();
      if (c == '#') {
        comment = true;
        at_ = std::min(text_.find('\n', at_), text_.size());
        if (at_ == text_.size()) return true;
      } else if (at_ >= text_.size() || (c != ' ' && c != '\t' && c != '\r' && c != '\n')) {
        return comment;
      }
    }
  }

  void header() {
    TomlSection section;
    section.header.begin = at_;
    const bool list = text_.substr(at_, 2) == "[[";
    at_ += list ? 2 : 1;
    key(section.path);
    for (int i = list ? 2 : 1; i > 0; --i) expect(']');
    section.header.end = at_;
    sections_.push_back(std::move(section));
  }

  TomlEntry entry(const KeyPath& table) {
    TomlEntry out{table, at_, {}};
    key(out.path);
    expect('=');
    skip_blanks();
    out.value = value(out.path);
    return out;
  }

  // Appends the parts of a dotted key.
  void key(KeyPath& path) {
    do {
      skip_blanks();
      const std::size_t begin = at_;
      const char quote = peek();
      if (quote == '"' || quote == '\'') {
        skip_text();
        path.push_back(unquoted(text_.substr(begin, at_ - begin)));
      } else {
        while (is_bare(peek())) ++at_;
        if (at_ == begin) lost();
        path.emplace_back(text_.substr(begin, at_ - begin));
      }
      skip_blanks();
      if (path.size() > kLongestPath) lost();
    } while (peek() == '.' && ++at_);
  }

  std::string unquoted(std::string_view quoted) const {
    if (quoted.front() == '\'' || quoted.find('\\') == std::string_view::npos) return std::string(quoted.substr(1, quoted.size() - 2));
    return parse_toml(std::string(quoted) + " = 0", file_).members.at(0).key;
  }

  TomlSpot value(const KeyPath& path) {
    TomlSpot out;
    out.at.begin = at_;
    const char first = peek();
    if (first == '[') list(out);
    else if (first == '{') inline_table(out, path);
    else if (first == '"' || first == '\'') skip_text();
    else skip_bare_value();
    if (at_ == out.at.begin) lost();
    out.at.end = at_;
    return out;
  }

  // A number, a date (which may have a space inside), true or false.
  void skip_bare_value() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(",]}#\r\n", at_), text_.size());
    while (at_ > begin && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t')) --at_;
  }

  void skip_text() {
    const char quote = peek();
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool several_lines = text_.substr(at_, 3) == three;
    at_ += several_lines ? 3 : 1;
    for (; at_ < text_.size(); ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
      } else if (!several_lines && text_[at_] == quote) {
        ++at_;
        return;
      } else if (several_lines && text_.substr(at_, 3) == three) {
        at_ += 3;
        for (int more = 0; more < 2 && peek() == quote; ++more) ++at_;   // one or two may stand before the end: """a"""""
        return;
      }
    }
    lost();
  }

  void list(TomlSpot& out) {
    out.kind = TomlSpot::Kind::list;
    expect('[');
    out.has_comments |= skip_filling();
    while (peek() != ']') {
      out.elements.push_back(value({}).at);
      out.has_comments |= skip_filling();
      if (peek() == ',') ++at_;
      else if (peek() != ']') lost();
      out.has_comments |= skip_filling();
    }
    ++at_;
  }

  void inline_table(TomlSpot& out, const KeyPath& path) {
    out.kind = TomlSpot::Kind::inline_table;
    expect('{');
    skip_filling();
    while (peek() != '}') {
      out.members.push_back(entry(path));
      skip_filling();
      if (peek() == ',') ++at_;
      else if (peek() != '}') lost();
      skip_filling();
    }
    ++at_;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::vector<TomlSection> sections_;
};

}  // namespace

std::vector<TomlSection> layout_of(std::string_view text, const std::string& file) { return Scanner(text, file).scan(); }

bool is_prefix(const KeyPath& prefix, const KeyPath& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

std::string written_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      constexpr char kHex[] = "0123456789abcdef";
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string written_key(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), is_bare) ? key : written_text(key);
}

std::string written_path(const KeyPath& path, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < path.size(); ++i) out += (i == from ? "" : ".") + written_key(path[i]);
  return out;
}

}  // namespace holdfast::system
