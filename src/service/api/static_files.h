// Files that are built into the program: the console's page and openapi.json. Served without a sign-in: they
// hold nothing of the server.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace holdfast::service {

struct EmbeddedFile {
  std::string_view name, bytes;
};  // "assets/index-3fa9.js"
// openapi.json first; the rest is the console, nothing when the program was built without it.
std::span<const EmbeddedFile> embedded_files();
std::string_view openapi_text();

// Answers GET for the console's files. Whatever is no file and has no '.' in its last part is a page of the
// console: index.html, which looks at the address itself. Immutable; any thread may call it.
class StaticFiles {
 public:
  explicit StaticFiles(std::span<const EmbeddedFile> console);
  // Error(not_found); Refusal(405).
  http::Response operator()(const http::Request& request) const;

 private:
  struct File {
    std::string_view bytes;
    std::string type, tag;
    bool lasting;
  };
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace holdfast::service
