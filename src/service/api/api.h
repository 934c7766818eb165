// The API as one handler: routes behind the guard, the console's files, /healthz and /metrics.
// docs/service.md "API", openapi.json.
#pragma once

#include <map>
#include <set>
#include <string>

#include "http/router.h"
#include "service/api/routes.h"
#include "service/api/static_files.h"

namespace holdfast::service {

class Api {
 public:
  // `services` outlives it.
  explicit Api(Services& services);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  // For http::Server; any thread.
  http::Response operator()(http::Request& request) const;
  // The table, for tests.
  const http::Router& router() const { return router_; }

  // Of each operation that has some, as openapi.json describes them.
  using Parameters = std::map<std::string, std::set<std::string>, std::less<>>;

 private:
  void check_parameters(const http::Request& request, const http::Route& route) const;

  const Parameters parameters_;
  http::Router router_;
  StaticFiles files_;
};

}  // namespace holdfast::service
