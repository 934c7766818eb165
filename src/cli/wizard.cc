#include "cli/wizard.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "cli/describe.h"
#include "cli/source.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using platform::Path;

constexpr int kTries = 5;   // of a password, before the dialogue ends with the error

std::string ask(Context& c, const std::string& question) {
  c.cancel.check();
  return std::string(trim(c.ask(question, "")));
}

void page(Context& c, const std::string& title) { c.output.answer("\n-- " + title + " --"); }

enum class Act { back_up, restore };

Act ask_act(Context& c, Act usual) {
  page(c, "What to do");
  c.output.answer("  1  back up\n  2  restore");
  while (true) {
    std::string answer = to_lower_ascii(ask(c, std::string("1 or 2? [") + (usual == Act::back_up ? "1" : "2") + "] "));
    if (answer.empty()) return usual;
    if (answer == "1" || answer == "back up" || answer == "backup") return Act::back_up;
    if (answer == "2" || answer == "restore") return Act::restore;
    c.output.answer("Answer 1 to back up or 2 to restore.");
  }
}

// A context for another repository, with everything else as it was.
std::unique_ptr<Context> context_for(Context& c, const std::string& repository) {
  GlobalOptions options = c.options;
  if (!repository.empty()) options.repository = repository;
  return std::make_unique<Context>(c.world, c.adapters, c.cancel, c.output, options, c.password_source());
}

std::string usual_location(Context& c) {
  if (!c.options.repository.empty()) return c.options.repository;
  if (!c.configuration_file()) return "";
  return c.load_system().repository;
}

struct Location { std::unique_ptr<Context> context; std::string file; };   // file: a backup file, "" = a repository

Location ask_location(Context& c, bool files_too) {
  page(c, files_too ? "Where the backup is" : "Where to back up to");
  std::string usual = usual_location(c);
  std::string question = files_too ? "Repository or backup file" : "Repository";
  while (true) {
    std::string typed = ask(c, question + (usual.empty() ? ": " : " [" + printable(usual) + "]: "));
    if (typed.empty()) typed = usual;
    if (typed.empty()) continue;
    try {
      auto found = c.world.files.info(typed);
      if (files_too && found && found->kind == platform::FileInfo::Kind::file) return {context_for(c, ""), typed};
      Location there{context_for(c, typed), ""};
      repository::inspect(there.context->store());
      return there;
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      c.output.answer(printable(e.what()) + (e.code() == Code::not_found ? "\nA repository is made with 'holdfast init'." : ""));
    }
  }
}

// Opens with the password that is typed; a wrong one is asked for again, one from a file or command is not.
OpenedSource ask_password(const Location& where) {
  Context& c = *where.context;
  page(c, "Password");
  Arguments arguments;
  if (!where.file.empty()) arguments.options["--from"] = {where.file};
  bool asked = !where.file.empty() || (!c.has_secret_source(c.password_source()) && c.options.key_file.empty());
  for (int tries = 1;; ++tries) {
    try {
      return open_source(arguments, c);
    } catch (const Error& e) {
      if (e.code() != Code::wrong_key || !asked || tries == kTries) throw;
      c.output.answer("That does not open it: " + printable(e.what()));
    }
  }
}

struct Choice { std::string name; std::vector<std::string> columns; bool ticked = true; };

std::string ticked_table(const std::vector<Choice>& choices) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    std::string number = std::to_string(i + 1);
    rows.push_back({choices[i].ticked ? "[x]" : "[ ]", std::string(number.size() < 2 ? 1 : 0, ' ') + number, choices[i].name});
    rows.back().insert(rows.back().end(), choices[i].columns.begin(), choices[i].columns.end());
  }
  return table(rows);
}

// "3 5-7" -> positions from 0; nullopt when it is something else.
std::optional<std::vector<std::size_t>> numbers(const std::string& text, std::size_t count) {
  std::vector<std::size_t> out;
  std::string plain = text;
  std::replace(plain.begin(), plain.end(), ',', ' ');
  for (const std::string& word : split(plain, ' ')) {
    if (word.empty()) continue;
    std::size_t first = 0, last = 0;
    auto read = [](std::string_view t, std::size_t& n) {
      auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
      return error == std::errc{} && end == t.data() + t.size();
    };
    std::size_t dash = word.find('-');
    if (!read(std::string_view(word).substr(0, dash), first)) return std::nullopt;
    last = first;
    if (dash != std::string::npos && !read(std::string_view(word).substr(dash + 1), last)) return std::nullopt;
    if (first < 1 || last > count || first > last) return std::nullopt;
    for (std::size_t n = first; n <= last; ++n) out.push_back(n - 1);
  }
  return out;
}

void tick(Context& c, std::vector<Choice>& choices) {
  while (true) {
    c.output.answer(ticked_table(choices));
    std::string answer = to_lower_ascii(ask(c, "Numbers to tick or untick (2 5-7), a = all, n = none, Enter = go on: "));
    if (answer.empty()) {
      if (std::any_of(choices.begin(), choices.end(), [](const Choice& x) { return x.ticked; })) return;
      c.output.answer("Nothing is ticked.");
    } else if (answer == "a" || answer == "n") {
      for (Choice& x : choices) x.ticked = answer == "a";
    } else if (auto chosen = numbers(answer, choices.size())) {
      for (std::size_t n : *chosen) choices[n].ticked = !choices[n].ticked;
    } else {
      c.output.answer("'" + printable(answer) + "' is not understood: give numbers from 1 to " + std::to_string(choices.size()) + ", a, n, or just Enter.");
    }
  }
}

std::vector<std::string> ticked(const std::vector<Choice>& choices) {
  std::vector<std::string> names;
  for (const Choice& x : choices)
    if (x.ticked) names.push_back(x.name);
  return names.size() == choices.size() ? std::vector<std::string>{} : names;   // all: no selection
}

repository::PointId ask_point(Context& c, repository::Repository& from) {
  page(c, "Which recovery point");
  auto points = from.points();
  if (points.empty()) throw Error(Code::not_found, "there is no recovery point in it").safe("nothing was changed");
  std::vector<std::vector<std::string>> rows;
  std::optional<std::size_t> usual;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& p = points[i];
    if (!usual && p.status != repository::PointStatus::incomplete) usual = i;
    rows.push_back({std::to_string(i + 1), short_id(p.id), when(p.finished), printable(p.system_name), std::string(repository::to_text(p.status)),
                    counted(p.items.size(), "item"), printable(p.label)});
  }
  c.output.answer(table(rows));
  while (true) {
    std::string answer = ask(c, "Number or first digits of the id" + (usual ? " [" + std::to_string(*usual + 1) + "]: " : std::string(": ")));
    if (answer.empty() && usual) return points[*usual].id;
    auto chosen = answer.size() < 4 ? numbers(answer, points.size()) : std::nullopt;
    if (chosen && chosen->size() == 1) return points[chosen->front()].id;
    try {
      return from.resolve(answer);
    } catch (const Error& e) {
      if (e.code() != Code::not_found && e.code() != Code::usage) throw;
      c.output.answer(printable(e.what()));
    }
  }
}

std::vector<std::string> ask_stored_items(Context& c, const repository::Point& point) {
  page(c, "What is in it");
  std::vector<Choice> choices;
  std::string failed;
  for (const auto& i : point.items) {
    if (!i.root) {
      failed += "  " + printable(i.name) + " failed when this point was made\n";
      continue;
    }
    choices.push_back({i.name, {i.criticality, human_bytes(i.bytes), std::string(repository::to_text(i.status))}, true});
  }
  if (choices.empty()) throw Error(Code::not_found, "every item of this recovery point failed").safe("nothing was changed").hint("choose another point");
  if (!failed.empty()) c.output.answer("Not in it:\n" + failed);
  tick(c, choices);
  return ticked(choices);
}

std::optional<Path> ask_target(Context& c) {
  page(c, "Where to restore to");
  c.output.answer("  1  a folder: nothing on this server changes\n  2  this server: each item to its own place");
  while (true) {
    std::string answer = ask(c, "1 or 2? [1] ");
    if (answer == "2") return std::nullopt;
    if (answer.empty() || answer == "1") break;
    c.output.answer("Answer 1 for a folder or 2 for this server.");
  }
  while (true) {
    std::string folder = ask(c, "Folder: ");
    if (folder.empty()) continue;
    Path path = std::filesystem::absolute(folder).lexically_normal();
    auto there = c.world.files.info(path);
    if (!there || there->kind == platform::FileInfo::Kind::directory) return path;
    c.output.answer(printable(path.string()) + " is a file.");
  }
}

int restore_pages(Context& c) {
  Location where = ask_location(c, true);
  OpenedSource source = ask_password(where);
  Context& there = *where.context;
  repository::Point point = source.repository->load(ask_point(there, *source.repository));
  recovery::RestoreRequest request;
  request.items = ask_stored_items(there, point);
  request.to = ask_target(there);
  page(there, "Review");
  return restore_reviewed(there, *source.repository, point, request, false);
}

int backup_pages(Context& c) {
  system::System system = c.load_system();
  Location where = ask_location(c, false);
  ask_password(where);
  Context& there = *where.context;
  page(there, "What to back up");
  backup::Review all = backup::review(system, {}, c.adapters, c.world);
  std::vector<Choice> choices;
  for (const auto& l : all.chosen)
    choices.push_back({l.item->name, {std::string(item::to_text(l.item->criticality)), l.bytes == 0 ? "" : human_bytes(l.bytes), l.item->title}, true});
  tick(there, choices);
  backup::Request request;
  request.selection.items = ticked(choices);
  request.label = ask(there, "A remark to keep with it (Enter = none): ");
  page(there, "Review");
  return backup_reviewed(there, system, request, backup::review(system, request.selection, c.adapters, c.world));
}

int wizard(Context& c, Act usual) {
  c.output.answer("Holdfast asks its way through. Ctrl-C leaves at any time,\nand nothing is changed before the last question.");
  return ask_act(c, usual) == Act::back_up ? backup_pages(c) : restore_pages(c);
}

}  // namespace

int backup_wizard(Context& c) { return wizard(c, Act::back_up); }
int restore_wizard(Context& c) { return wizard(c, Act::restore); }

}  // namespace holdfast::cli
