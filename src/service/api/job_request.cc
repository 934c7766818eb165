#include "service/api/job_request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/span.h"
#include "base/text.h"
#include "system/settings.h"

namespace holdfast::service {
namespace {

using Arguments = std::vector<std::string>;

constexpr std::size_t kLongestName = 64, kLongestText = 1000, kMostItems = 100, kLongestPassword = 1024;
constexpr std::size_t kLongestPath = 4096;  // PATH_MAX
constexpr std::array<std::string_view, 4> kLevels{"exists", "bytes", "content", "restore"};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::usage, what).safe("nothing was started");
}

// Control characters in an argument would end up in logs and reviews.
std::string plain(const std::string& name, std::string text) {
  if (printable(text) != text) refuse("'" + name + "' holds control characters");
  return text;
}

crypto::Secret secret(Body& p, std::string_view name) {
  std::string text = p.text_or(name, "", kLongestPassword);
  crypto::Secret out = crypto::Secret::copy_of(as_bytes(text));
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return out;
}

void add_items(Body& p, Arguments& out) {
  for (const std::string& item : p.texts("items", kMostItems, kLongestName))
    out.push_back("--item=" + plain("items", item));
}

void add_text(Body& p, std::string_view name, std::string_view option, Arguments& out,
              std::size_t longest = kLongestText) {
  if (p.has(name)) out.push_back(std::string(option) + "=" + plain(std::string(name), p.text(name, longest)));
}

std::string point_of(Body& p) {
  std::string text = p.text("point", kLongestName);
  check_point(text);
  return text;
}

std::optional<std::string> share_of(Body& p) {
  const auto share = p.number("share", 0, 1);
  if (!share) return std::nullopt;
  if (*share <= 0) refuse("'share' goes from above 0 to 1");
  return system::percent(*share);
}

JobRequest backup(Body& p) {
  Arguments a;
  add_items(p, a);
  add_text(p, "section", "--section", a, kLongestName);
  add_text(p, "label", "--label", a);
  return {{"backup", a, {}, {}}, {}};
}

JobRequest verify(Body& p) {
  Arguments a;
  if (p.has("point")) a.push_back(point_of(p));
  if (p.flag_or("all", false)) a.push_back("--all");
  if (p.has("level")) a.push_back("--level=" + p.one_of("level", kLevels));
  if (p.has("older_than")) {
    const std::string age = p.text("older_than", kLongestName);
    if (!parse_span(age)) refuse("'older_than' takes a whole number and h, d, w, m or y, like 30d");
    a.push_back("--older-than=" + age);
  }
  if (const auto share = share_of(p)) a.push_back("--share=" + *share);
  return {{"verify", a, {}, {}}, {}};
}

JobRequest check(Body& p) {
  const bool data = p.flag_or("read_data", false);
  const auto share = share_of(p);
  if (share) return {{"check", {"--read-data=" + *share}, {}, {}}, {}};
  return {{"check", data ? Arguments{"--read-data"} : Arguments{}, {}, {}}, {}};
}

// A name of [copy.NAME] and no folder: a folder would be written to wherever the client likes.
JobRequest copy(Body& p) {
  if (!p.has("copy")) return {{"copy", {}, {}, {}}, {}};
  const std::string name = plain("copy", p.text("copy", kLongestName));
  if (name.empty() || name.starts_with('-') || name.find('/') != std::string::npos)
    refuse("'copy' is the name of a [copy.NAME] of the configuration");
  return {{"copy", {name}, {}, {}}, {}};
}

JobRequest export_point(Body& p) {
  JobRequest out{{"export", {point_of(p)}, {}, {}}, {}};
  add_items(p, out.job.arguments);
  if (p.has("file") == p.has("folder"))
    refuse("an export takes either 'file' with 'file_password', or 'folder'");
  if (p.has("folder")) {
    out.job.arguments.push_back("--folder=" + absolute_path(p, "folder"));
    return out;
  }
  out.job.arguments.push_back("--file=" + absolute_path(p, "file"));
  out.secrets.file_password = secret(p, "file_password");
  if (out.secrets.file_password.empty())
    refuse("'file_password' is missing: a backup file has a password of its own");
  return out;
}

JobRequest restore(Body& p) {
  RestoreParameters r = restore_parameters(p);
  JobRequest out{{"restore", {r.point}, {}, {}}, {}};
  Arguments& a = out.job.arguments;
  for (const std::string& item : r.request.items) a.push_back("--item=" + item);
  if (!r.from.empty()) a.push_back("--from=" + r.from);
  a.push_back(r.request.to ? "--to=" + r.request.to->string() : "--in-place");
  if (r.request.privileged) a.push_back("--privileged");
  out.secrets.file_password = std::move(r.file_password);
  return out;
}

JobRequest recover(Body& p) {
  Arguments a;
  if (p.has("point")) a.push_back(point_of(p));
  if (p.flag_or("resume", false)) a.push_back("--resume");
  add_text(p, "only", "--only", a, kLongestName);
  Body skip = p.object("skip");
  for (const std::string& step : skip.names()) {
    a.push_back("--skip=" + plain("skip", step));
    a.push_back("--reason=" + plain("skip", skip.text(step, kLongestText)));
  }
  for (const std::string& step : p.texts("acknowledge", kMostItems, kLongestName))
    a.push_back("--acknowledge=" + plain("acknowledge", step));
  add_text(p, "expect_head", "--expect-head", a, kLongestName);
  return {{"recover", a, {}, {}}, {}};
}

JobRequest kit(Body& p) { return {{"kit", {absolute_path(p, "folder")}, {}, {}}, {}}; }

JobRequest retention(Body&) { return {{"retention", {}, {}, {}}, {}}; }
JobRequest prune(Body&) { return {{"prune", {}, {}, {}}, {}}; }

constexpr std::array<std::pair<std::string_view, JobRequest (*)(Body&)>, 10> kKinds{{
    {"backup", backup},
    {"verify", verify},
    {"check", check},
    {"copy", copy},
    {"retention", retention},
    {"prune", prune},
    {"export", export_point},
    {"restore", restore},
    {"recover", recover},
    {"kit", kit},
}};

}  // namespace

void check_point(const std::string& text) {
  const bool hex = text.size() >= 4 && text.size() <= 64 &&
                   text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hex && text != "latest")
    refuse("'" + printable(text) + "' is no point: at least four digits of its id, or latest");
}

std::string absolute_path(Body& body, std::string_view name) {
  std::string path = plain(std::string(name), body.text(name, kLongestPath));
  if (!path.starts_with('/')) refuse("'" + std::string(name) + "' must be an absolute path on the server");
  return path;
}

RestoreParameters restore_parameters(Body& p) {
  RestoreParameters r;
  r.point = point_of(p);
  for (const std::string& item : p.texts("items", kMostItems, kLongestName))
    r.request.items.push_back(plain("items", item));
  if (p.has("from")) {
    r.from = absolute_path(p, "from");
    r.file_password = secret(p, "file_password");
    if (r.file_password.empty())
      refuse("'file_password' is missing: a backup file has a password of its own");
  }
  const bool in_place = p.flag_or("in_place", false);
  if (in_place == p.has("to")) refuse("a restore takes either 'to' or 'in_place'");
  if (!in_place) r.request.to = absolute_path(p, "to");
  r.request.privileged = p.flag_or("privileged", false);
  return r;
}

JobRequest job_request(Body& body) {
  const std::string kind = body.text("kind", kLongestName);
  Body parameters = body.object("parameters");
  body.finish();
  const auto found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& k) { return k.first == kind; });
  if (found == kKinds.end())
    throw Error(Code::unknown_name, "there is no kind of job '" + printable(kind) + "'")
        .safe("nothing was started");
  JobRequest request = found->second(parameters);
  parameters.finish();
  return request;
}

}  // namespace holdfast::service
