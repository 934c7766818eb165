#include "http/router.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::http {
namespace {

bool is_name(std::string_view part) { return part.starts_with('{'); }

std::vector<std::string> parts_of(std::string_view pattern) {
  auto malformed = [&](const char* why) {
    return Error(Code::defect, "cannot add the route " + std::string(pattern) + ": " + why);
  };
  if (!pattern.starts_with('/')) throw malformed("it does not begin with /");
  if (pattern == "/") return {};
  std::vector<std::string> parts = split(pattern.substr(1), '/'), names;
  for (const std::string& part : parts) {
    if (part.empty()) throw malformed("a part is empty");
    if (part.find_first_of("{}") == std::string::npos) continue;
    if (part.size() < 3 || part.front() != '{' || part.find_first_of("{}", 1) != part.size() - 1)
      throw malformed("a part is neither a word nor {name}");
    if (std::find(names.begin(), names.end(), part) != names.end())
      throw malformed("a {name} is there twice");
    names.push_back(part);
  }
  return parts;
}

// The same paths match both.
bool same_shape(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const std::string& x, const std::string& y) {
    return is_name(x) ? is_name(y) : x == y;
  });
}

bool matches(const std::vector<std::string>& parts, const std::vector<std::string>& path) {
  return std::equal(parts.begin(), parts.end(), path.begin(), path.end(),
                    [](const std::string& part, const std::string& given) {
                      return is_name(part) ? !given.empty() : part == given;
                    });
}

// Of two patterns that match one path: a comes first.
bool more_exact(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (is_name(a[i]) != is_name(b[i])) return is_name(b[i]);
  return false;
}

std::string allowed(const std::vector<const Route*>& routes) {
  std::string text = "OPTIONS";
  for (const Route* route : routes)
    text += (route->method == Method::get ? ", GET, HEAD" : ", " + std::string(to_text(route->method)));
  return text;
}

}  // namespace

void Router::add(Method method, std::string_view pattern, std::string right, Handler handler) {
  std::vector<std::string> parts = parts_of(pattern);
  if (method == Method::head || method == Method::options)
    throw Error(Code::defect, "cannot add the route " + std::string(pattern) +
                                  ": HEAD and OPTIONS are answered by the router");
  auto path =
      std::find_if(paths_.begin(), paths_.end(), [&](const Path& p) { return same_shape(p.parts, parts); });
  if (path == paths_.end()) {
    path = paths_.insert(paths_.end(), Path{parts, {}});
  } else if (path->parts != parts) {
    throw Error(Code::defect,
                "cannot add the route " + std::string(pattern) + ": another one gives its parts other names");
  }
  for (const Route* route : path->routes)
    if (route->method == method)
      throw Error(Code::defect, "cannot add the route " + std::string(pattern) + ": it is there already");
  routes_.push_back({method, std::string(pattern), std::move(right), std::move(handler)});
  path->routes.push_back(&routes_.back());
}

const Router::Path* Router::find(const std::vector<std::string>& path) const {
  const Path* found = nullptr;
  for (const Path& candidate : paths_)
    if (matches(candidate.parts, path) && (!found || more_exact(candidate.parts, found->parts)))
      found = &candidate;
  return found;
}

Response Router::operator()(Request& request) const {
  const Path* path = find(request.path);
  if (!path)
    throw Error(Code::not_found, "cannot answer " +
                                     printable(request.target.substr(0, request.target.find('?'))) +
                                     ": there is nothing at this address");
  if (request.method == Method::options) return {204, {{"Allow", allowed(path->routes)}}, {}};
  Method wanted = request.method == Method::head ? Method::get : request.method;
  auto route = std::find_if(path->routes.begin(), path->routes.end(),
                            [&](const Route* r) { return r->method == wanted; });
  if (route == path->routes.end())
    throw Refusal(405, "cannot answer " + std::string(to_text(request.method)) + " at this address",
                  {{"Allow", allowed(path->routes)}});
  request.named.clear();
  for (std::size_t i = 0; i < path->parts.size(); ++i)
    if (const std::string& part = path->parts[i]; is_name(part))
      request.named.push_back({part.substr(1, part.size() - 2), request.path[i]});
  guard_(request, **route);
  return (*route)->handler(request);
}

}  // namespace holdfast::http
