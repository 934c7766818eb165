#include "system/configuration_edit.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/text.h"
#include "system/system.h"
#include "system/toml_document.h"

namespace holdfast::system {
namespace {

constexpr std::chrono::seconds kPatience{5};   // for another process that writes the file: that takes milliseconds
constexpr std::size_t kMostComparisons = 1'000'000;   // of lines in a review; a review of more is of no use to a person

struct Edit { TomlRange at; std::string text; };

// -- what the document means: the values before and after, without regard to where they stand

const TomlValue* member_of(const TomlValue& table, const std::string& key) {
  auto it = std::find_if(table.members.begin(), table.members.end(), [&](const TomlMember& m) { return m.key == key; });
  return it == table.members.end() ? nullptr : &it->value;
}

TomlValue to_toml(const Change::Value& value) {
  TomlValue out;
  if (const auto* flag = std::get_if<bool>(&value)) {
    out.kind = TomlValue::Kind::boolean;
    out.boolean = *flag;
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out.kind = TomlValue::Kind::integer;
    out.integer = *number;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out.kind = TomlValue::Kind::text;
    out.text = *text;
  } else {
    out.kind = TomlValue::Kind::array;
    for (const std::string& element : std::get<std::vector<std::string>>(value)) out.elements.push_back(to_toml(element));
  }
  return out;
}

void put(TomlValue& table, const KeyPath& path, TomlValue value) {
  TomlValue* at = &table;
  for (const std::string& key : path) {
    auto* found = const_cast<TomlValue*>(member_of(*at, key));
    if (!found) {
      at->members.push_back({key, {}, {}});
      found = &at->members.back().value;
    }
    at = found;
  }
  *at = std::move(value);
}

void take_away(TomlValue& table, const KeyPath& path) {
  TomlValue* at = &table;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) at = const_cast<TomlValue*>(member_of(*at, path[i]));
  std::erase_if(at->members, [&](const TomlMember& m) { return m.key == path.back(); });
}

// Members by name, without tables that hold nothing: [a.b] makes a table a by the way, and it goes with it.
void normalize(TomlValue& value) {
  for (TomlValue& element : value.elements) normalize(element);
  for (TomlMember& member : value.members) normalize(member.value);
  std::erase_if(value.members, [](const TomlMember& m) { return m.value.kind == TomlValue::Kind::table && m.value.members.empty(); });
  std::sort(value.members.begin(), value.members.end(), [](const TomlMember& a, const TomlMember& b) { return a.key < b.key; });
}

bool same(const TomlValue& a, const TomlValue& b) {
  return a.kind == b.kind && a.text == b.text && a.integer == b.integer && a.boolean == b.boolean &&
         std::equal(a.elements.begin(), a.elements.end(), b.elements.begin(), b.elements.end(), same) &&
         std::equal(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                    [](const TomlMember& x, const TomlMember& y) { return x.key == y.key && same(x.value, y.value); });
}

std::string written(const Change::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return written_text(*text);
  std::vector<std::string> texts;
  for (const std::string& element : std::get<std::vector<std::string>>(value)) texts.push_back(written_text(element));
  return "[" + join(texts, ", ") + "]";
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// One change of one text.
class Editor {
 public:
  Editor(const std::string& text, const TomlValue& document, const std::string& file, const Change& change)
      : text_(text), document_(document), file_(file), change_(change), path_(change.path), layout_(layout_of(text, file)),
        line_break_(text.find("\r\n") < text.find('\n') ? "\r\n" : "\n") {}

  std::string edited() {
    switch (change_.kind) {
      case Change::Kind::set: set(); break;
      case Change::Kind::remove: remove(); break;
      case Change::Kind::add_table: add_table(); break;
    }
    std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.at.begin < b.at.begin; });
    std::string out;
    std::size_t done = 0;
    for (const Edit& edit : edits_) {
      out += text_.substr(done, edit.at.begin - done) + edit.text;
      done = edit.at.end;
    }
    return out + text_.substr(done);
  }

  [[noreturn]] void by_hand(const std::string& why) const {
    throw Error(Code::unsupported, "cannot change '" + printable(written_path(path_)) + "' in " + printable(file_) + " in its place: " + why)
        .safe("nothing was changed")
        .hint("change it with an editor; the next command checks the whole file");
  }

 private:
  // The value at the path; nullptr: nothing there.
  const TomlValue* present() const {
    const TomlValue* at = &document_;
    for (std::size_t i = 0; i < path_.size() && at; ++i) {
      const std::string table = printable(written_path({path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(i)}));
      if (at->kind == TomlValue::Kind::array) by_hand("'" + table + "' is a list of tables");
      if (at->kind != TomlValue::Kind::table) by_hand("'" + table + "' is a value, not a table");
      at = member_of(*at, path_[i]);
    }
    return at;
  }

  // -- lines
  std::size_t line_begin(std::size_t at) const {
    const std::size_t before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    return before == std::string::npos ? layout_.front().header.begin : before + 1;   // behind a byte order mark
  }
  std::size_t line_end(std::size_t at) const {
    const std::size_t end = text_.find('\n', at);
    return end == std::string::npos ? text_.size() : end + 1;
  }
  std::string_view between(std::size_t begin, std::size_t end) const { return std::string_view(text_).substr(begin, end - begin); }
  bool blank_line_at(std::size_t at) const { return is_blank(between(at, line_end(at))); }
  // The blanks before what begins its line.
  std::string indent_of(std::size_t at) const {
    const std::string_view before = between(line_begin(at), at);
    return is_blank(before) ? std::string(before) : "";
  }

  // -- set
  void set() {
    const TomlValue* old = present();
    if (!old) return insert(written(change_.value));
    const TomlValue wanted = to_toml(change_.value);
    if (old->kind == wanted.kind && same(*old, wanted)) return;
    const TomlEntry* entry = find_entry();
    if (old->kind == TomlValue::Kind::table) by_hand("it is a table");
    if (!entry) by_hand("it is a list of tables");
    const bool list = old->kind == TomlValue::Kind::array;
    if (list && std::any_of(old->elements.begin(), old->elements.end(), [](const TomlValue& e) { return e.kind != TomlValue::Kind::text; }))
      by_hand("it is a list of something else than texts");
    if (list && wanted.kind == TomlValue::Kind::array && has_a_line_each(entry->value)) return change_list(entry->value, *old, wanted);
    if (list && entry->value.has_comments) by_hand("comments stand between the elements of the list");
    edits_.push_back({entry->value.at, written(change_.value)});
  }

  const TomlEntry* find_entry() const {
    for (const TomlSection& section : layout_)
      if (const TomlEntry* found = find_entry(section.entries)) return found;
    return nullptr;
  }
  const TomlEntry* find_entry(const std::vector<TomlEntry>& entries) const {
    for (const TomlEntry& entry : entries) {
      if (entry.path == path_) return &entry;
      if (!is_prefix(entry.path, path_)) continue;
      if (const TomlEntry* found = find_entry(entry.value.members)) return found;
    }
    return nullptr;
  }

  bool has_a_line_each(const TomlSpot& list) const {
    std::size_t free_from = list.at.begin + 1;
    for (const TomlRange& element : list.elements) {
      if (line_begin(element.begin) < free_from || !is_blank(between(line_begin(element.begin), element.begin))) return false;
      free_from = element.end;
    }
    return !list.elements.empty() && line_begin(list.at.end - 1) >= free_from;
  }

  // The elements before and after the part that differs stay as they are.
  void change_list(const TomlSpot& list, const TomlValue& old, const TomlValue& wanted) {
    const auto& from = old.elements;
    const auto& to = wanted.elements;
    std::size_t head = 0, tail = 0;
    while (head < from.size() && head < to.size() && from[head].text == to[head].text) ++head;
    while (tail + head < from.size() && tail + head < to.size() && from[from.size() - 1 - tail].text == to[to.size() - 1 - tail].text) ++tail;
    const std::size_t last = from.size() - tail;   // of the old ones [head, last) go
    std::string lines;
    const std::string indent = indent_of(list.elements.front().begin);
    for (std::size_t i = head; i < to.size() - tail; ++i) lines += indent + written_text(to[i].text) + "," + line_break_;
    if (head == from.size() && !has_comma(list, from.size() - 1))
      edits_.push_back({{list.elements.back().end, list.elements.back().end}, ","});
    const std::size_t begin = head < from.size() ? line_begin(list.elements[head].begin) : line_end(list.elements.back().end);
    const std::size_t end = last > head ? line_end(list.elements[last - 1].end) : begin;
    edits_.push_back({{begin, end}, lines});
  }
  bool has_comma(const TomlSpot& list, std::size_t element) const {
    std::size_t at = list.elements[element].end;
    while (at < list.at.end && text_[at] != ',' && text_[at] != ']') at = text_[at] == '#' ? line_end(at) : at + 1;
    return text_[at] == ',';
  }

  // -- a key that is not there yet
  void insert(const std::string& value) {
    const KeyPath table(path_.begin(), path_.end() - 1);
    if (const TomlEntry* home = inline_home(table)) return insert_inline(*home, value);
    for (const TomlSection& section : layout_)
      if (section.path == table) return insert_line(section, section.end(), value);
    for (auto section = layout_.rbegin(); section != layout_.rend(); ++section)   // nightly.run = … in [schedule]
      for (auto entry = section->entries.rbegin(); entry != section->entries.rend(); ++entry)
        if (section->path.size() < table.size() && is_prefix(table, entry->path)) return insert_line(*section, entry->value.at.end, value);
    add_section(table, written_key(path_.back()) + " = " + value + line_break_);
  }

  // The innermost inline table that the table is, or stands in.
  const TomlEntry* inline_home(const KeyPath& table) const {
    const TomlEntry* home = nullptr;
    for (const TomlSection& section : layout_) {
      const std::vector<TomlEntry>* entries = &section.entries;
      while (entries) {
        auto it = std::find_if(entries->begin(), entries->end(), [&](const TomlEntry& e) {
          return e.value.kind == TomlSpot::Kind::inline_table && is_prefix(e.path, table);
        });
        entries = it == entries->end() ? nullptr : &it->value.members;
        if (entries) home = &*it;
      }
    }
    return home;
  }

  void insert_inline(const TomlEntry& home, const std::string& value) {
    const std::string entry = written_path(path_, home.path.size()) + " = " + value;
    const TomlSpot& spot = home.value;
    if (spot.members.empty()) edits_.push_back({spot.at, "{ " + entry + " }"});
    else edits_.push_back({{spot.members.back().value.at.end, spot.members.back().value.at.end}, ", " + entry});
  }

  void insert_line(const TomlSection& section, std::size_t after, const std::string& value) {
    const bool at_the_top = section.path.empty() && section.entries.empty();
    const std::size_t at = at_the_top ? section.header.end : line_end(after);
    const std::string indent = section.entries.empty() ? "" : indent_of(section.entries.back().begin);
    insert_lines(at, indent + written_path(path_, section.path.size()) + " = " + value + line_break_);
  }

  void insert_lines(std::size_t at, const std::string& lines) {
    const bool open_line = at > layout_.front().header.end && text_[at - 1] != '\n';
    edits_.push_back({{at, at}, (open_line ? line_break_ : "") + lines});
  }

  void add_section(const KeyPath& table, const std::string& lines) {
    std::size_t at = layout_.front().header.end;
    if (const std::size_t last = text_.find_last_not_of(" \t\r\n"); last != std::string::npos && last >= at) at = line_end(last);
    const KeyPath parent(table.begin(), table.end() - 1);
    for (const TomlSection& section : layout_)
      if (!parent.empty() && section.path.size() > parent.size() && is_prefix(parent, section.path)) at = line_end(section.end());
    // Tables are set apart as those around are.
    const bool blank = at > layout_.front().header.end && (at == text_.size() || blank_line_at(at));
    insert_lines(at, (blank ? line_break_ : "") + "[" + written_path(table) + "]" + line_break_ + lines);
  }

  void add_table() {
    if (present())
      throw Error(Code::already_exists, printable(file_) + " has a table [" + printable(written_path(path_)) + "] already").safe("nothing was changed").hint("choose another name");
    if (const TomlEntry* home = inline_home({path_.begin(), path_.end() - 1})) return insert_inline(*home, "{}");
    add_section(path_, "");
  }

  // -- remove
  void remove() {
    const TomlValue* old = present();
    if (!old)
      throw Error(Code::not_found, printable(file_) + " has no '" + printable(written_path(path_)) + "'").safe("nothing was changed").hint("it may be gone already");
    if (old->kind == TomlValue::Kind::array && !find_entry()) by_hand("it is a list of tables");
    for (const TomlSection& section : layout_) {
      if (!section.path.empty() && is_prefix(path_, section.path)) {
        remove_section(section);
        continue;
      }
      for (const TomlEntry& entry : section.entries) {
        if (is_prefix(path_, entry.path)) edits_.push_back({{line_begin(entry.begin), line_end(entry.value.at.end)}, ""});
        else if (is_prefix(entry.path, path_)) remove_inline(entry.value);
      }
    }
  }

  void remove_section(const TomlSection& section) {
    TomlRange block{line_begin(section.header.begin), line_end(section.end())};
    const std::size_t before = line_begin(block.begin == 0 ? 0 : block.begin - 1);
    const bool blank_before = before < block.begin && blank_line_at(before);
    if (blank_before && (block.end == text_.size() || blank_line_at(block.end))) block.begin = before;   // one blank line is enough
    edits_.push_back({block, ""});
  }

  void remove_inline(const TomlSpot& table) {
    std::vector<std::string> kept;
    for (const TomlEntry& member : table.members) {
      if (!is_prefix(path_, member.path)) kept.emplace_back(between(member.begin, member.value.at.end));
      if (!is_prefix(path_, member.path) && is_prefix(member.path, path_)) return remove_inline(member.value);
    }
    if (kept.size() != table.members.size()) edits_.push_back({table.at, kept.empty() ? "{}" : "{ " + join(kept, ", ") + " }"});
  }

  const std::string& text_;
  const TomlValue& document_;
  const std::string& file_;
  const Change& change_;
  const KeyPath& path_;
  const std::vector<TomlSection> layout_;
  const std::string line_break_;
  std::vector<Edit> edits_;
};

void check(const Change& change) {
  auto refuse = [](const std::string& text) {
    if (!is_utf8(text)) throw Error(Code::usage, "'" + printable(text) + "' cannot stand in a configuration file: it is not UTF-8").safe("nothing was changed");
  };
  if (change.path.empty()) throw Error(Code::usage, "a change names no key").safe("nothing was changed");
  for (const std::string& key : change.path) refuse(key);
  if (const auto* text = std::get_if<std::string>(&change.value)) refuse(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&change.value))
    for (const std::string& text : *list) refuse(text);
}

// What the document must say after the change.
TomlValue expected(TomlValue document, const Change& change) {
  if (change.kind == Change::Kind::remove) take_away(document, change.path);
  else put(document, change.path, change.kind == Change::Kind::set ? to_toml(change.value) : TomlValue{});
  normalize(document);
  return document;
}

std::vector<std::string> lines_of(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);   // a byte order mark stays at the front whatever line follows it
  std::vector<std::string> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (std::string& line : lines)
    if (line.ends_with('\r')) line.pop_back();
  return lines;
}

}  // namespace

std::string changed(std::string_view text, const std::string& file, std::span<const Change> changes) {
  std::string now(text);
  TomlValue document = parse_toml(now, file);
  for (const Change& change : changes) {
    check(change);
    Editor editor(now, document, file, change);
    std::string next = editor.edited();
    TomlValue wanted = expected(document, change);
    std::string broken;
    try {
      document = parse_toml(next, file);
    } catch (const Error& e) {
      broken = e.message();
    }
    TomlValue made = document;
    normalize(made);
    if (!broken.empty() || !same(made, wanted)) editor.by_hand("the file around it is written in a way that does not allow it");
    now = std::move(next);
  }
  return now;
}

std::vector<LineChange> line_changes(std::string_view before, std::string_view after) {
  const std::vector<std::string> old = lines_of(before), now = lines_of(after);
  std::size_t head = 0, tail = 0;
  while (head < old.size() && head < now.size() && old[head] == now[head]) ++head;
  while (tail + head < old.size() && tail + head < now.size() && old[old.size() - 1 - tail] == now[now.size() - 1 - tail]) ++tail;
  const std::size_t rows = old.size() - head - tail, columns = now.size() - head - tail;
  const bool compare = rows == 0 || columns <= kMostComparisons / rows;
  // common[r][c]: how many lines the rests from r and c have in common, in order.
  std::vector<std::vector<std::size_t>> common(compare ? rows + 1 : 0, std::vector<std::size_t>(compare ? columns + 1 : 0));
  for (std::size_t r = compare ? rows : 0; r-- > 0;)
    for (std::size_t c = columns; c-- > 0;)
      common[r][c] = old[head + r] == now[head + c] ? common[r + 1][c + 1] + 1 : std::max(common[r + 1][c], common[r][c + 1]);
  std::vector<LineChange> out;
  for (std::size_t r = 0, c = 0; r < rows || c < columns;) {
    if (compare && r < rows && c < columns && old[head + r] == now[head + c]) {
      ++r;
      ++c;
    } else if (r < rows && (!compare || c == columns || common[r + 1][c] >= common[r][c + 1])) {
      out.push_back({'-', head + r + 1, old[head + r]});
      ++r;
    } else {
      out.push_back({'+', head + c + 1, now[head + c]});
      ++c;
    }
  }
  return out;
}

void replace_configuration(platform::FileSystem& files, const platform::Path& file, std::string_view before, std::string_view after,
                           const item::AdapterSet& adapters) {
  parse_system(after, file.string(), file.parent_path(), adapters);
  auto meanwhile = [&](const std::string& what) {
    return Error(Code::busy, "cannot change " + printable(file.string()) + ": " + what).safe("nothing was changed").hint("look at it and make the change again");
  };
  if (!files.exists(file)) throw meanwhile("it is gone");
  const auto lock = files.lock(file, kPatience);   // of this very file: who waited for it finds another one at its name
  const Bytes now = files.read_all(file, kLargestDocument);
  if (as_text(now) != before) throw meanwhile("somebody changed it meanwhile");
  if (before != after) files.rewrite(file, as_bytes(after));
}

}  // namespace holdfast::system
