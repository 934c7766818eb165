// The API as one handler: routes behind the guard, the console's files, /healthz and /metrics.
// docs/service.md "API", openapi.json.
#pragma once

#include "http/router.h"
#include "service/api/routes.h"
#include "service/api/static_files.h"

namespace holdfast::service {

class Api {
 public:
  // `services` outlives it.
  explicit Api(Services& services);
  // For http::Server; any thread.
  http::Response operator()(http::Request& request) const;
  // The table, for tests.
  const http::Router& router() const { return router_; }

 private:
  http::Router router_;
  StaticFiles files_;
};

}  // namespace holdfast::service
