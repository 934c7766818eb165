// Which handler answers which address: exact paths with {name} parts. The table can be walked, so that a test
// can hold every route against the description of the API and against who may use it.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace holdfast::http {

struct Route {
  Method method;
  std::string pattern;  // "/points/{id}/items/{item}"
  std::string
      right;  // the caller's word for who may; this room passes it to the guard and does not look at it
  Handler handler;
};

// Filled once, then only read: afterwards any thread may call it.
class Router {
 public:
  // Comes before every handler, none can be reached without it. It throws what refuses the request, and may
  // leave in Request::caller what it learned.
  using Guard = std::function<void(Request&, const Route&)>;
  explicit Router(Guard guard) : guard_(std::move(guard)) {}

  // Error(defect): the pattern is malformed, a {name} is there twice, or another route answers the same
  // method and paths. HEAD and OPTIONS are answered here and cannot be added.
  void add(Method method, std::string_view pattern, std::string right, Handler handler);
  const std::deque<Route>& routes() const { return routes_; }

  // Where several patterns match, the one with an exact word in the leftmost place where they differ; its
  // methods are the path's. HEAD goes to GET's handler (the server leaves the body out), OPTIONS is answered
  // with the methods; a {name} never takes an empty part. Error(not_found): no pattern matches. Refusal(405)
  // with Allow: not with this method.
  Response operator()(Request& request) const;

 private:
  struct Path {
    std::vector<std::string> parts;  // "{" first: a name
    std::vector<const Route*> routes;
  };
  const Path* find(const std::vector<std::string>& path) const;
  Guard guard_;
  std::deque<Route> routes_;  // addresses stay
  std::vector<Path> paths_;
};

}  // namespace holdfast::http
