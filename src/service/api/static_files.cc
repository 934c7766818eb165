#include "service/api/static_files.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace holdfast::service {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
}};

constexpr std::string_view kIndex = "index.html",
                           kHashed = "assets/";  // Vite puts the hash of what is below assets/ into its name
constexpr std::string_view kWithoutConsole =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Holdfast</title><h1>Holdfast</h1>"
    "<p>This program was built without its console. The API is at /api/v1, described by "
    "/api/v1/openapi.json.</p></html>\n";

std::string_view type_of(std::string_view name) {
  for (const auto& [ending, type] : kTypes)
    if (name.ends_with(ending)) return type;
  return "application/octet-stream";
}

std::string tag_of(std::string_view bytes) {
  return "\"" + crypto::sha256(as_bytes(bytes)).hex().substr(0, 32) + "\"";
}

}  // namespace

std::string_view openapi_text() { return embedded_files().front().bytes; }

StaticFiles::StaticFiles(std::span<const EmbeddedFile> console) {
  for (const EmbeddedFile& f : console)
    files_[std::string(f.name)] = {f.bytes, std::string(type_of(f.name)), tag_of(f.bytes),
                                   f.name.starts_with(kHashed)};
  if (!files_.contains(kIndex))
    files_[std::string(kIndex)] = {kWithoutConsole, std::string(type_of(kIndex)), tag_of(kWithoutConsole),
                                   false};
}

http::Response StaticFiles::operator()(const http::Request& request) const {
  if (request.method != http::Method::get && request.method != http::Method::head)
    throw http::Refusal(405, "this can only be read", {{"Allow", "GET, HEAD"}});
  const std::string name = join(request.path, "/");
  auto file = files_.find(name);
  const bool page = request.path.empty() || request.path.back().find('.') == std::string::npos;
  if (file == files_.end() && page) file = files_.find(kIndex);
  if (file == files_.end())
    throw Error(Code::not_found, "there is nothing at /" + printable(name)).safe("nothing was changed");
  const File& f = file->second;
  http::Response response;
  response.headers = {{"Content-Type", f.type},
                      {"ETag", f.tag},
                      {"Cache-Control", f.lasting ? "public, max-age=31536000, immutable" : "no-cache"}};
  if (const auto known = request.header("If-None-Match");
      known && known->find(f.tag) != std::string_view::npos)
    response.status = 304;
  else
    response.body = f.bytes;
  return response;
}

}  // namespace holdfast::service
