#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/damage.h"
#include "cli/describe.h"
#include "cli/verbs.h"

namespace holdfast::cli {
namespace {

using repository::Level;

// False when the repository is too damaged to be opened: then it is checked without the key.
bool opens(Context& c) {
  try {
    c.repository();
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::damaged) throw;
    c.output.say("The repository cannot be opened, so it is checked without the password: " + printable(e.message()));
    return false;
  }
}

// Says "no repository there"; a damaged one is what the check tells about.
void expect_repository(store::ObjectStore& store) {
  try {
    repository::inspect(store);
  } catch (const Error& e) {
    if (e.code() != Code::damaged) throw;
  }
}

int run(const Arguments& a, Context& c) {
  repository::CheckOptions options;
  options.run = {&c.output, &c.cancel, 0};
  options.level = a.has("--read-data") ? Level::bytes : Level::exists;
  if (!a.value("--read-data").empty()) options.share = share_of("--read-data", a.value("--read-data"));
  options.affected = [&](const repository::AffectedFile& file) { tell(c.output, file); };
  // With a key the packs are decoded as well; without one their bytes are compared with their names.
  bool key = c.has_secret_source(c.password_source()) || !c.options.key_file.empty();
  repository::CheckReport report;
  expect_repository(c.store());
  if (key && opens(c)) {
    if (options.level == Level::bytes) options.level = Level::content;
    report = c.repository().check(options);
  } else {
    report = repository::check_objects(c.store(), options);
  }
  c.output.end();
  c.output.answer("repository " + c.repository_location() + ": " + describe(report));
  if (!report.damaged.empty()) {
    if (!report.files_known) c.output.answer("Which files are affected can be told with the password (--password-file).");
    tell(c.output, report);
    const auto& d = report.damaged.front();
    throw Error(Code::damaged, counted(report.damaged.size(), "object") + " of repository " + c.repository_location() +
                                   " damaged or missing, first " + printable(d.name) + ": " + printable(d.what))
        .safe("recovery points that are not named above are whole")
        .hint("'holdfast repair --dry-run' shows what can be put right: from a copy (--from FOLDER), from the repository itself, "
              "and from what is unchanged on the server; the next 'holdfast backup' relies on nothing that is known to be damaged");
  }
  Json result{{"level", repository::to_text(options.level)}, {"share", options.share}};
  result.update(to_json(report));
  c.output.result(result);
  return 0;
}

}  // namespace

Verb check_verb() {
  Verb v;
  v.name = "check";
  v.summary = "check the repository itself";
  v.options = {{"--read-data", "[=SHARE]", "read every object, or that share of the packs (5%); needs no password (with one, everything is decoded as well)"}};
  v.details = "Without --read-data: is everything there that the points need, and has it the right size? Names each damaged object and the points that it "
              "affects; with a password the files, too. Leftovers of stopped runs are information, not an error.";
  v.examples = {{"holdfast check", "quick, needs no password"}, {"holdfast check --read-data=5%", "a sample"},
                {"holdfast check --read-data --password-file /root/pw", "everything, and which files damage costs"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
