// `holdfast serve`: scheduler, API and console in one process, from binding its socket to its clean end.
// docs/service.md, "Order of failure".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "item/adapter.h"
#include "platform/world.h"
#include "repository/keys/keys.h"

namespace holdfast::service {

struct ServeSetup {
  platform::Path configuration, state, program;  // absolute; `program`: holdfast itself, for jobs
  std::string listen;                            // "ADDRESS:PORT"; "": as [service] says. Port 0: a free one
  platform::Path key_file;                       // of the machine, for jobs; "": what the environment names
  std::function<repository::SlotSecret()> way_in;  // asked whenever the repository is opened
  std::string version;
  std::function<void(const std::string&)> say;  // a line of the service's log; any thread
  // Called once, when the API answers: with the port and the SHA-256 of the certificate.
  std::function<void(std::uint16_t port, const std::string& certificate)> ready;
};

// What serve() would do, in sentences. Looks at the configuration, the address and the certificate; changes and binds nothing.
// Errors as those of serve() about them.
std::vector<std::string> serve_plan(const ServeSetup& setup, platform::World& world, const item::AdapterSet& adapters);

// Blocks until `cancel` is raised, then ends cleanly: no new jobs, the running one is asked to stop and
// waited for (JobRunner::kGrace). Errors: config: a mistake in the configuration; busy: the address, or
// another service has the state; those of opening the state file.
void serve(const ServeSetup& setup, platform::World& world, const item::AdapterSet& adapters,
           const Cancel& cancel);

}  // namespace holdfast::service
