#include "system/configuration_edit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <random>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "platform/testing.h"
#include "system/system_testing.h"
#include "system/toml_document.h"

namespace holdfast::system {
namespace {

using Kind = Change::Kind;
using Texts = std::vector<std::string>;

Change set(KeyPath path, Change::Value value) { return {Kind::set, std::move(path), std::move(value)}; }
Change take(KeyPath path) { return {Kind::remove, std::move(path), {}}; }
Change add(KeyPath path) { return {Kind::add_table, std::move(path), {}}; }

std::string edit(const std::string& text, std::vector<Change> changes) { return changed(text, "f.toml", changes); }

Code refused(const std::string& text, const Change& change) {
  try {
    ADD_FAILURE() << "became: " << edit(text, {change});
  } catch (const Error& e) {
    EXPECT_FALSE(e.safe().empty()) << e.message();
    return e.code();
  }
  return Code::defect;
}

TEST(ConfigurationEdit, AValueIsReplacedAndNothingElse) {
  const std::string text = "# top\r\n[schedule.a]   # why\r\n  enabled = false\t# until Monday\r\n\r\n  calendar='daily'#x\r\n# end";
  EXPECT_EQ(edit(text, {set({"schedule", "a", "enabled"}, true)}),
            "# top\r\n[schedule.a]   # why\r\n  enabled = true\t# until Monday\r\n\r\n  calendar='daily'#x\r\n# end");
  EXPECT_EQ(edit(text, {set({"schedule", "a", "calendar"}, "Mon \"02:30\" \\")}),
            "# top\r\n[schedule.a]   # why\r\n  enabled = false\t# until Monday\r\n\r\n  calendar=\"Mon \\\"02:30\\\" \\\\\"#x\r\n# end");
  EXPECT_EQ(edit(text, {set({"schedule", "a", "calendar"}, "daily")}), text) << "the same value keeps its spelling";
  EXPECT_EQ(edit(text, {}), text);
}

TEST(ConfigurationEdit, ANewKeyComesAfterTheLastOneOfItsTable) {
  EXPECT_EQ(edit("[a]\n  x = 1 # one\n\n# b\n[b]\n", {set({"a", "y"}, 2)}), "[a]\n  x = 1 # one\n  y = 2\n\n# b\n[b]\n");
  EXPECT_EQ(edit("[a]\n\n[b]\n", {set({"a", "y"}, 2)}), "[a]\ny = 2\n\n[b]\n");
  EXPECT_EQ(edit("[a]\r\nx = 1", {set({"a", "y"}, 2)}), "[a]\r\nx = 1\r\ny = 2\r\n");
  EXPECT_EQ(edit("[a]", {set({"a", "y"}, 2)}), "[a]\ny = 2\n");
  EXPECT_EQ(edit("a.x = 1 # one\nb = 2\n[c]\n", {set({"a", "the y"}, true)}), "a.x = 1 # one\na.\"the y\" = true\nb = 2\n[c]\n");
  EXPECT_EQ(edit("[s]\nn.run = \"copy\"\n[t]\n", {set({"s", "n", "on"}, true)}), "[s]\nn.run = \"copy\"\nn.on = true\n[t]\n");
  EXPECT_EQ(edit("a = { x = 1 } # one\n", {set({"a", "y"}, 2)}), "a = { x = 1, y = 2 } # one\n");
  EXPECT_EQ(edit("a = {}\n", {set({"a", "y"}, 2)}), "a = { y = 2 }\n");
  EXPECT_EQ(edit("a = { b = { x = 1 } }\n", {set({"a", "b", "y"}, 2), set({"a", "c", "z"}, 3)}), "a = { b = { x = 1, y = 2 }, c.z = 3 }\n");
  EXPECT_EQ(edit("\xEF\xBB\xBF# top\n[a]\n", {set({"y"}, 2)}), "\xEF\xBB\xBFy = 2\n# top\n[a]\n");
  EXPECT_EQ(edit("", {set({"y"}, 2)}), "y = 2\n");
}

TEST(ConfigurationEdit, ANewTableComesAfterThoseOfItsKind) {
  EXPECT_EQ(edit("[system]\nname = \"a\"\n", {set({"schedule", "a", "run"}, "copy"), set({"schedule", "a", "enabled"}, false)}),
            "[system]\nname = \"a\"\n\n[schedule.a]\nrun = \"copy\"\nenabled = false\n");
  EXPECT_EQ(edit("[schedule.a]\nrun = 1\n\n# the items\n[item.a]\n", {set({"schedule", "b", "run"}, 2)}),
            "[schedule.a]\nrun = 1\n\n[schedule.b]\nrun = 2\n\n# the items\n[item.a]\n");
  EXPECT_EQ(edit("[schedule]\n  [schedule.a]\n  run = 1\n[item.a]\n", {set({"schedule", "b", "run"}, 2)}),
            "[schedule]\n  [schedule.a]\n  run = 1\n[schedule.b]\nrun = 2\n[item.a]\n");
  EXPECT_EQ(edit("x = 1\n\n\n", {add({"a b"})}), "x = 1\n\n[\"a b\"]\n\n\n");
  EXPECT_EQ(edit("# only a word", {add({"a"})}), "# only a word\n\n[a]\n");
  EXPECT_EQ(edit("a = { x = 1 }\n", {add({"a", "b"})}), "a = { x = 1, b = {} }\n");
  EXPECT_EQ(refused("[a]\n", add({"a"})), Code::already_exists);
  EXPECT_EQ(refused("[a.b]\n", add({"a"})), Code::already_exists);
}

TEST(ConfigurationEdit, RemovingTakesTheLinesAndNoMore) {
  EXPECT_EQ(edit("[a]\nx = 1 # one\n# y?\ny = [\n  \"1\", # first\n]\n", {take({"a", "x"})}), "[a]\n# y?\ny = [\n  \"1\", # first\n]\n");
  EXPECT_EQ(edit("[a]\nx = 1 # one\n# y?\ny = [\n  \"1\", # first\n] # last\nz = 1", {take({"a", "y"})}), "[a]\nx = 1 # one\n# y?\nz = 1");
  EXPECT_EQ(edit("x = 1\n\n# about a\n[a]\ny = 1\n# inside\nz = 1\n\n[b]\n", {take({"a"})}), "x = 1\n\n# about a\n\n[b]\n");
  EXPECT_EQ(edit("x = 1\n\n[a]\ny = 1\n\n[a.b]\nz = 1\n\n[[a.c]]\n\n# of b\n[b]\n", {take({"a"})}), "x = 1\n\n# of b\n[b]\n");
  EXPECT_EQ(edit("a.x = 1\nb = 2\na.y.z = 3\n", {take({"a"})}), "b = 2\n");
  EXPECT_EQ(edit("a = { x = 1, y.u = 2, y.v = 3, z = '4' } # a\n", {take({"a", "y"})}), "a = { x = 1, z = '4' } # a\n");
  EXPECT_EQ(edit("a = {x = 1}\n", {take({"a", "x"})}), "a = {}\n");
  EXPECT_EQ(edit("a = {x = {y = 1, z = 2}}\n", {take({"a", "x", "y"})}), "a = {x = { z = 2 }}\n");
  EXPECT_EQ(refused("[a]\n", take({"a", "x"})), Code::not_found);
  EXPECT_EQ(refused("[a]\n", take({"b", "x"})), Code::not_found);
}

TEST(ConfigurationEdit, ListsOfSeveralLinesKeepTheCommentsOfWhatStays) {
  const std::string text = "[a]\nto = [   # who\n  'one',  # first\n  # about two\n  \"two\",\n  \"three\"  # third\n]  # end\n";
  EXPECT_EQ(edit(text, {set({"a", "to"}, Texts{"one", "three"})}), "[a]\nto = [   # who\n  'one',  # first\n  # about two\n  \"three\"  # third\n]  # end\n");
  EXPECT_EQ(edit(text, {set({"a", "to"}, Texts{"one", "two", "three", "four"})}),
            "[a]\nto = [   # who\n  'one',  # first\n  # about two\n  \"two\",\n  \"three\",  # third\n  \"four\",\n]  # end\n");
  EXPECT_EQ(edit(text, {set({"a", "to"}, Texts{"zero", "one", "two", "three"})}),
            "[a]\nto = [   # who\n  \"zero\",\n  'one',  # first\n  # about two\n  \"two\",\n  \"three\"  # third\n]  # end\n");
  EXPECT_EQ(edit(text, {set({"a", "to"}, Texts{})}), "[a]\nto = [   # who\n]  # end\n");
  EXPECT_EQ(edit("to = ['one', 'two']  # end\n", {set({"to"}, Texts{"two", "x"})}), "to = [\"two\", \"x\"]  # end\n");
  EXPECT_EQ(edit("to = [\n]\n", {set({"to"}, Texts{"x"})}), "to = [\"x\"]\n");
  EXPECT_EQ(refused(text, set({"a", "to"}, "one")), Code::unsupported) << "its comments would be lost";
  EXPECT_EQ(refused("to = ['one', # first\n 'two']\n", set({"to"}, Texts{"one"})), Code::unsupported);
}

TEST(ConfigurationEdit, WhatCannotBeChangedInItsPlaceIsRefusedAndSaysWhatToDo) {
  const std::string text = "v = 1\nl = [{ x = 1 }]\nt = { x = 1 }\n[[excluded]]\npath = \"x\"\n[a.b]\nc = 1\n";
  for (const Change& change : {set({"excluded", "path"}, "y"), set({"excluded"}, Texts{}), set({"l"}, Texts{"x"}), set({"l", "x"}, 2), take({"excluded"}),
                               take({"excluded", "path"}), set({"t"}, 1), set({"a"}, 1), set({"a", "b"}, 1), set({"v", "w"}, 1), add({"v", "w"}),
                               take({"v", "w"})})
    EXPECT_EQ(refused(text, change), Code::unsupported) << written_path(change.path);
  try {
    edit(text, {set({"excluded", "path"}, "y")});
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "cannot change 'excluded.path' in f.toml in its place: 'excluded' is a list of tables");
    EXPECT_NE(e.hint().find("editor"), std::string::npos);
  }
  EXPECT_EQ(refused("x = \n", set({"x"}, 1)), Code::config);
  EXPECT_EQ(refused("x = 1\n", set({"x"}, "\xff")), Code::usage);
  EXPECT_EQ(refused("x = 1\n", set({}, 1)), Code::usage);
}

TEST(ConfigurationEdit, AddingAndRemovingATableIsNothing) {
  for (const std::string text : {"", "# a\n", "[a]\nx = 1\n", "[a]\nx = 1\n\n", "[schedule.a]\nx = 1\n\n# next\n[b]\ny = 1\n", "[schedule.a]\n[b]\n", "x = 1\r\n\r\n[schedule.a]\r\n\r\n"}) {
    const std::string more = edit(text, {add({"schedule", "new"}), set({"schedule", "new", "run"}, "copy")});
    EXPECT_EQ(edit(more, {take({"schedule", "new"})}), text) << more;
  }
}

TEST(ConfigurationEdit, ChangedLinesAreThoseOfAReview) {
  auto shown = [](const std::string& before, const std::string& after) {
    std::string out;
    for (const LineChange& l : line_changes(before, after)) out += std::string(1, l.sign) + std::to_string(l.line) + l.text + ";";
    return out;
  };
  EXPECT_EQ(shown("a\nb\nc\n", "a\nb\nc\n"), "");
  EXPECT_EQ(shown("a\nb\nc\nd\n", "a\nB\nc\nD\n"), "-2b;+2B;-4d;+4D;");
  EXPECT_EQ(shown("a\r\nb\r\n", "a\r\nx\r\nb\r\n"), "+2x;");
  EXPECT_EQ(shown("", "a\n"), "+1a;");
  EXPECT_EQ(shown("a", ""), "-1a;");
  std::string many, others;
  for (int i = 0; i < 3000; ++i) many += "x" + std::to_string(i) + "\n", others += "y" + std::to_string(i) + "\n";
  EXPECT_EQ(line_changes(many, others).size(), 6000U);
}

// -- Random documents and random changes, against a model that knows values and lines only.

using Leaves = std::map<KeyPath, std::string>;

void flatten(const TomlValue& value, const KeyPath& path, Leaves& out) {
  auto below = [&](const std::string& key) {
    KeyPath longer = path;
    longer.push_back(key);
    return longer;
  };
  switch (value.kind) {
    case TomlValue::Kind::table:
      for (const TomlMember& m : value.members) flatten(m.value, below(m.key), out);
      break;
    case TomlValue::Kind::array:
      if (!value.elements.empty() && value.elements.front().kind == TomlValue::Kind::table) {
        for (std::size_t i = 0; i < value.elements.size(); ++i) flatten(value.elements[i], below("[" + std::to_string(i) + "]"), out);
      } else {
        out[path] = "list";
        for (const TomlValue& e : value.elements) out[path] += "|" + e.text;
      }
      break;
    case TomlValue::Kind::text: out[path] = "text " + value.text; break;
    case TomlValue::Kind::integer: out[path] = "number " + std::to_string(value.integer); break;
    case TomlValue::Kind::boolean: out[path] = value.boolean ? "true" : "false"; break;
    case TomlValue::Kind::other: ADD_FAILURE() << "the generator writes no dates and floats";
  }
}
Leaves leaves_of(const std::string& text) {
  Leaves out;
  flatten(parse_toml(text, "random"), {}, out);
  return out;
}
std::string leaf(const Change::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return "number " + std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return "text " + *text;
  std::string out = "list";
  for (const std::string& e : std::get<Texts>(value)) out += "|" + e;
  return out;
}

struct Lines { std::size_t first, last; };   // counted from 1

// A document in every way of writing that TOML has, with a comment or a number of its own in every line, so that lines differ.
class RandomDocument {
 public:
  explicit RandomDocument(std::mt19937_64& random) : random_(random), crlf_(chance(3)) {
    if (chance(10)) text = "\xEF\xBB\xBF";
    const int tops = 1 + below(6);
    std::vector<std::string> names;
    for (int i = 0; i < tops; ++i) names.push_back(name() + std::to_string(i));
    std::vector<int> forms;
    for (int i = 0; i < tops; ++i) forms.push_back(below(5));
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 0; i < names.size(); ++i)
        if ((forms[i] < 2) == (pass == 0)) top(names[i], forms[i]);
    filling();
    if (chance(6) && text.ends_with('\n')) text.erase(text.size() - (crlf_ ? 2 : 1));
  }

  std::string text;
  std::map<KeyPath, Lines> entries;       // where each key's value stands; of a key in an inline table: the line of the whole table
  std::map<KeyPath, Lines> sections;      // from the header to the last key
  std::set<KeyPath> tables, lists_with_comments, inline_tables;

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool chance(int n) { return below(n) == 0; }
  std::string name() {
    static const std::vector<std::string> names{"a", "b-c", "D_e", "7", "sp ace", "dot.ted", "q\"uote", "\xC3\xBC", "#"};
    return names[random_() % names.size()];
  }
  std::string some_text() {
    static const std::vector<std::string> texts{"", "plain", "with # sign", "a ] b", "\"quoted\"", "C:\\dir\\file", "it's", "a = b", "\xC3\xA4\xE2\x82\xAC", "}"};
    return texts[random_() % texts.size()] + std::to_string(++serial_);
  }
  Texts some_texts() {
    Texts all;
    for (int i = below(5); i > 0; --i) all.push_back(some_text());
    return all;
  }

 private:
  std::size_t line() const { return 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }
  std::string eol() const { return crlf_ ? "\r\n" : "\n"; }
  std::string blanks() { return chance(3) ? "" : chance(5) ? "\t" : " "; }
  std::string comment() { return "# c" + std::to_string(++serial_) + " [x] = \"'"; }
  void filling() {
    for (int i = below(3); i > 0; --i) text += (chance(2) ? std::string(chance(4) ? "  " : "") : blanks() + comment()) + eol();
  }
  std::string key(const std::string& text_of) {
    if (text_of.find_first_of("\"") == std::string::npos && chance(4)) return "\"" + text_of + "\"";
    if (text_of.find_first_of("'") == std::string::npos && chance(6)) return "'" + text_of + "'";
    return written_key(text_of);
  }
  std::string quoted(const std::string& t) { return t.find('\'') == std::string::npos && chance(2) ? "'" + t + "'" : written_text(t); }

  std::string value(bool one_line, const KeyPath& path) {
    switch (below(one_line ? 4 : 6)) {
      case 0: return chance(2) ? "true" : "false";
      case 1: return std::to_string(++serial_);
      case 2: return quoted(some_text());
      case 3: {
        std::string out = "[";
        const Texts texts = some_texts();
        for (std::size_t i = 0; i < texts.size(); ++i) out += (i ? "," + blanks() : blanks()) + quoted(texts[i]);
        return out + (texts.empty() || chance(2) ? "" : ",") + blanks() + "]";
      }
      case 4: {
        const std::string serial = std::to_string(++serial_);
        return "\"\"\"" + eol() + "line " + serial + " \\\"\"\" # no comment" + eol() + "[no.table" + serial + "]" + eol() + "\"\"\"";
      }
      default: return long_list(path);
    }
  }
  std::string long_list(const KeyPath& path) {
    bool comments = false;
    auto end = [&] {
      const bool here = chance(3);
      comments |= here;
      return (here ? blanks() + comment() : "") + eol();
    };
    std::string out = "[" + end();
    const Texts texts = some_texts();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (chance(5)) out += "  " + comment() + eol(), comments = true;
      out += "  " + quoted(texts[i]) + (i + 1 < texts.size() || chance(2) ? "," : "") + end();
    }
    if (comments) lists_with_comments.insert(path);
    return out + "]";
  }

  void entry(const KeyPath& table, const std::string& prefix) {
    KeyPath path = table;
    path.push_back(name() + std::to_string(++serial_));
    const std::size_t first = line();
    text += (chance(4) ? "  " : "") + prefix + key(path.back()) + blanks() + "=" + blanks() + value(false, path) + (chance(3) ? blanks() + comment() : "") + eol();
    entries[path] = {first, line() - 1};
  }

  std::string inline_table(const KeyPath& table, int depth) {
    tables.insert(table);
    inline_tables.insert(table);
    std::string out = "{" + blanks();
    for (int i = 0, n = below(4); i < n; ++i) {
      KeyPath path = table;
      path.push_back(name() + std::to_string(++serial_));
      out += (i ? "," + blanks() : "") + key(path.back()) + blanks();
      if (depth > 0 && chance(4)) {
        out += "= " + inline_table(path, depth - 1);
        continue;
      }
      if (chance(4)) {
        tables.insert(path);
        path.push_back(name());
        out += "." + key(path.back());
      }
      out += "= " + value(true, path);
      entries[path] = {line(), line()};
    }
    return out + blanks() + "}";
  }

  void body(const KeyPath& table) {
    for (int i = below(4); i > 0; --i) {
      filling();
      KeyPath sub = table;
      sub.push_back("sub" + std::to_string(++serial_));
      if (chance(5)) {
        const std::size_t at = line();
        text += key(sub.back()) + " = " + inline_table(sub, 1) + (chance(2) ? comment() : "") + eol();
        entries[sub] = {at, at};
      } else if (chance(5)) {
        tables.insert(sub);
        const std::string prefix = key(sub.back()) + blanks() + "." + blanks();
        for (int n = 1 + below(2); n > 0; --n) entry(sub, prefix);
      } else {
        entry(table, "");
      }
    }
  }

  void section(const KeyPath& table) {
    filling();
    const std::size_t first = line();
    std::string header;
    for (const std::string& part : table) header += (header.empty() ? "" : blanks() + "." + blanks()) + key(part);
    text += (chance(5) ? "  " : "") + ("[" + blanks() + header + blanks()) + "]" + (chance(3) ? blanks() + comment() : "") + eol();
    std::size_t last = line();
    for (KeyPath t = table; !t.empty(); t.pop_back()) tables.insert(t);
    body(table);
    for (const auto& [path, lines] : entries)
      if (lines.first > first) last = std::max(last, lines.last + 1);
    sections[table] = {first, last - 1};
  }

  void top(const std::string& top_name, int form) {
    const KeyPath table{top_name};
    filling();
    if (form == 0) {
      const std::size_t at = line();
      text += key(top_name) + blanks() + "=" + blanks() + inline_table(table, 2) + eol();
      entries[table] = {at, at};
    } else if (form == 1) {
      tables.insert(table);
      const std::string prefix = key(top_name) + ".";
      for (int i = 1 + below(3); i > 0; --i) entry(table, prefix);
    } else if (form == 4) {
      text += "[[" + key(top_name) + "]]" + eol() + "x = " + std::to_string(++serial_) + eol();
    } else {
      if (form == 2) section(table);
      for (int i = 1 + below(2); i > 0; --i) section({top_name, name() + std::to_string(++serial_)});
    }
  }

  std::mt19937_64& random_;
  bool crlf_;
  int serial_ = 0;
};

KeyPath pick(std::mt19937_64& random, const std::vector<KeyPath>& from) { return from[random() % from.size()]; }

struct Attempt {
  Change change;
  std::set<std::size_t> may_go;   // lines of the old text that may be other ones afterwards
  bool blank_may_go = false;
};

Attempt random_change(RandomDocument& d, const Leaves& leaves, std::mt19937_64& random) {
  std::vector<KeyPath> known, tables(d.tables.begin(), d.tables.end()), keys;
  for (const auto& [path, lines] : d.entries)
    if (leaves.contains(path)) keys.push_back(path);
  tables.push_back({});
  auto lines = [](Lines of, std::set<std::size_t>& into) { for (std::size_t l = of.first; l <= of.last; ++l) into.insert(l); };
  auto inline_line = [&](const KeyPath& table, std::set<std::size_t>& into) {   // what is put into an inline table changes its line
    for (const KeyPath& t : d.inline_tables)
      if (is_prefix(t, table))
        for (const auto& [path, at] : d.entries)
          if (path == t || (is_prefix(t, path) && t.size() < path.size()) || is_prefix(path, t)) lines(at, into);
  };
  auto a_value = [&]() -> Change::Value {
    switch (d.below(4)) {
      case 0: return d.chance(2);
      case 1: return static_cast<std::int64_t>(d.below(100'000)) - 50'000;
      case 2: return d.some_text();
      default: return d.some_texts();
    }
  };
  Attempt out;
  switch (keys.empty() ? 1 + d.below(2) : d.below(5)) {
    case 0: {   // another value; of a list often one that has much of the old one
      const KeyPath path = pick(random, keys);
      Change::Value value = a_value();
      if (leaves.at(path).starts_with("list") && !d.chance(4)) {
        Texts texts = split(leaves.at(path), '|');
        texts.erase(texts.begin());
        if (!texts.empty() && d.chance(2)) texts.erase(texts.begin() + d.below(static_cast<int>(texts.size())));
        if (d.chance(2)) texts.insert(texts.begin() + d.below(static_cast<int>(texts.size()) + 1), d.some_text());
        value = texts;
      }
      out.change = set(path, value);
      lines(d.entries.at(path), out.may_go);
      break;
    }
    case 1: {   // a new key, also in a table that is not there
      KeyPath path = pick(random, tables);
      if (d.chance(3)) path.push_back("new table");
      inline_line(path, out.may_go);
      path.push_back("new " + d.name());
      out.change = set(path, a_value());
      break;
    }
    case 2: {
      KeyPath path = pick(random, tables);
      inline_line(path, out.may_go);
      path.push_back("new-table");
      out.change = add(path);
      break;
    }
    case 3: {
      const KeyPath path = pick(random, keys);
      out.change = take(path);
      lines(d.entries.at(path), out.may_go);
      break;
    }
    default: {   // a whole table
      tables.pop_back();
      if (tables.empty()) return random_change(d, leaves, random);
      const KeyPath path = pick(random, tables);
      out.change = take(path);
      out.blank_may_go = true;
      inline_line(path, out.may_go);
      for (const auto& [other, at] : d.sections)
        if (is_prefix(path, other)) lines(at, out.may_go);
      for (const auto& [other, at] : d.entries)
        if (is_prefix(path, other)) lines(at, out.may_go);
    }
  }
  return out;
}

void apply(Leaves& leaves, const Change& change) {
  if (change.kind == Kind::set) leaves[change.path] = leaf(change.value);
  if (change.kind == Kind::remove) std::erase_if(leaves, [&](const auto& l) { return is_prefix(change.path, l.first); });
}

// What is behind the last '#' that begins a comment of the generator.
std::string comment_in(const std::string& line) {
  const std::size_t at = line.rfind("# c");
  return at == std::string::npos ? "" : line.substr(at);
}

TEST(ConfigurationEdit, RandomChangesOfRandomDocumentsChangeWhatTheyNameAndNothingElse) {
  const std::uint64_t seed = 20261123;
  std::cout << "seed " << seed << "\n";
  int changes = 0, by_hand = 0;
  for (int round = 0; round < 3000; ++round) {
    std::mt19937_64 random(seed + static_cast<std::uint64_t>(round));
    RandomDocument d(random);
    const std::string before = d.text;
    Leaves leaves = leaves_of(before);
    const Attempt attempt = random_change(d, leaves, random);
    SCOPED_TRACE("round " + std::to_string(round) + ", path " + written_path(attempt.change.path) + "\n" + before);
    std::string after;
    try {
      after = changed(before, "random", {&attempt.change, 1});
    } catch (const Error& e) {
      const bool comments = attempt.change.kind == Kind::set && d.lists_with_comments.contains(attempt.change.path);
      const bool empty_table_is_gone = e.code() == Code::not_found;
      ASSERT_TRUE((e.code() == Code::unsupported && comments) || empty_table_is_gone) << e.message();
      ++by_hand;
      continue;
    }
    ++changes;
    apply(leaves, attempt.change);
    ASSERT_EQ(leaves_of(after), leaves) << after;
    const bool crlf = before.find("\r\n") != std::string::npos;
    ASSERT_EQ(std::count(after.begin(), after.end(), '\r'), crlf ? std::count(after.begin(), after.end(), '\n') : 0) << after;
    const std::vector<std::string> old = split(before, '\n');
    std::set<std::string> come;
    for (const LineChange& l : line_changes(before, after))
      if (l.sign == '+') come.insert(comment_in(l.text));
    for (const LineChange& l : line_changes(before, after)) {
      if (l.sign != '-') continue;
      const bool blank = trim(l.text).empty();
      ASSERT_TRUE(attempt.may_go.contains(l.line) || (blank && attempt.blank_may_go)) << "line " << l.line << ": " << l.text << "\n" << after;
      const bool last_of_value = attempt.change.kind == Kind::set && !attempt.may_go.empty() && l.line == *attempt.may_go.rbegin();
      ASSERT_TRUE(!last_of_value || comment_in(l.text).empty() || come.contains(comment_in(l.text))) << "its comment is lost: " << l.text << "\n" << after;
    }
    std::string text = after;   // and on, many at a time: values only
    for (int more = 0; more < 5; ++more) {
      Leaves now = leaves_of(text);
      const KeyPath path = now.empty() || d.chance(3) ? KeyPath{"more", d.name()} : std::next(now.begin(), d.below(static_cast<int>(now.size())))->first;
      const Change change = d.chance(3) && now.contains(path) ? take(path) : set(path, d.some_text());
      try {
        text = changed(text, "random", {&change, 1});
      } catch (const Error& e) {
        ASSERT_EQ(e.code(), Code::unsupported) << e.message();
        continue;
      }
      apply(now, change);
      ASSERT_EQ(leaves_of(text), now) << text;
    }
  }
  std::cout << changes << " changes, " << by_hand << " left to a person\n";
  EXPECT_LT(by_hand, changes / 20);
}

// -- the file

const char* const kSmall =
    "[system]\nname = \"ns01\"\nid = \"0123456789abcdef0123456789abcdef\"\nprofile = \"itms\"\n\n"
    "[item.kms-keys]\nexcluded = \"none\"\n\n[schedule.keep]  # old points\nrun = \"retention\"\ncalendar = \"weekly\"\n";

class ConfigurationFile : public ::testing::Test {
 protected:
  ConfigurationFile() { real.files.replace(file, as_bytes(kSmall), 0640); }
  std::string content() { return holdfast::to_text(real.files.read_all(file)); }
  std::string on() { return edit(kSmall, {set({"schedule", "keep", "enabled"}, true)}); }
  Code code(const std::string& before, const std::string& after) {
    try {
      replace_configuration(real.files, file, before, after, adapters());
    } catch (const Error& e) {
      EXPECT_EQ(e.safe(), "nothing was changed") << e.message();
      return e.code();
    }
    return Code::defect;
  }

  platform::TemporaryFolder folder;
  platform::World real = platform::real_world();
  platform::Path file = folder.path() / "holdfast.toml";
};

TEST_F(ConfigurationFile, IsReplacedAtOnceAndStaysWhoseItWas) {
  ASSERT_EQ(::chown(file.c_str(), 1234, 2345), 0);
  replace_configuration(real.files, file, kSmall, on(), adapters());
  EXPECT_EQ(content(), on());
  struct stat s {};
  ASSERT_EQ(::stat(file.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0640U);
  EXPECT_EQ(s.st_uid, 1234U);
  EXPECT_EQ(s.st_gid, 2345U);
  EXPECT_EQ(real.files.list(folder.path()).size(), 1U) << "nothing is left beside it";
  EXPECT_TRUE(load_system(real.files, file, adapters()).settings.find_schedule("keep")->enabled);
}

TEST_F(ConfigurationFile, IsNotOverwrittenWhenSomebodyChangedIt) {
  const std::string other = std::string(kSmall) + "# by hand\n";
  real.files.replace(file, as_bytes(other));
  EXPECT_EQ(code(kSmall, on()), Code::busy);
  EXPECT_EQ(content(), other);
  real.files.remove(file);
  EXPECT_EQ(code(kSmall, on()), Code::busy);
  EXPECT_FALSE(real.files.exists(file));
}

TEST_F(ConfigurationFile, AWrongNewTextIsNotWritten) {
  EXPECT_EQ(code(kSmall, edit(kSmall, {set({"schedule", "keep", "calendar"}, "never")})), Code::config);
  EXPECT_EQ(code(kSmall, edit(kSmall, {take({"system"})})), Code::config);
  EXPECT_EQ(content(), kSmall);
}

// Whatever call of the file system fails: the file is as it was, or wholly new.
TEST_F(ConfigurationFile, AFaultAtAnyCallLeavesOneTextOrTheOther) {
  platform::FaultyFileSystem counting(real.files);
  replace_configuration(counting, file, kSmall, on(), adapters());
  const std::uint64_t calls = counting.calls();
  ASSERT_GT(calls, 5U);
  std::uint64_t runs = 0;
  for (std::uint64_t n = 1; n <= calls; ++n)
    for (const auto repeat : {platform::FaultyFileSystem::Repeat::once, platform::FaultyFileSystem::Repeat::from_then_on}) {
      real.files.replace(file, as_bytes(kSmall));
      platform::FaultyFileSystem faulty(real.files);
      faulty.fail(n, repeat, EIO);
      try {
        replace_configuration(faulty, file, kSmall, on(), adapters());
      } catch (const Error&) {
      }
      EXPECT_TRUE(content() == kSmall || content() == on()) << n;
      runs += repeat == platform::FaultyFileSystem::Repeat::once;
    }
  std::cout << "calls counted " << calls << ", runs " << runs << "\n";
  EXPECT_EQ(runs, calls);
}

}  // namespace
}  // namespace holdfast::system
