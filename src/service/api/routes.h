// The routes of the API, by what they are about; api.cc puts them together. Their rights stand with them; a
// test holds every route against openapi.json.
#pragma once

#include "http/router.h"
#include "service/api/services.h"

namespace holdfast::service {

void add_session_routes(http::Router& router, Services& services);
void add_access_routes(http::Router& router, Services& services);  // users, tokens, audit
void add_job_routes(http::Router& router, Services& services);     // jobs, events
void add_schedule_routes(http::Router& router, Services& services);
void add_settings_routes(http::Router& router, Services& services);
void add_point_routes(http::Router& router, Services& services);   // points, retention
void add_status_routes(http::Router& router, Services& services);  // status, alerts, growth, system, review
void add_recovery_routes(http::Router& router,
                         Services& services);  // plan, recoveries, package, kit, restore/review, backup-file
void add_notification_routes(http::Router& router, Services& services);

}  // namespace holdfast::service
