// Whoever started this program as a service (systemd): told how it stands. sd_notify(3) without its library.
#pragma once

#include <string_view>

#include "platform/environment.h"

namespace holdfast::platform {

// `state`: "READY=1", "STOPPING=1", "STATUS=…"; several with line breaks between them. Goes to the socket
// that NOTIFY_SOCKET names; without one nothing happens. False: it could not be told, which is no reason to
// stop. Does not block. Thread-safe.
bool tell_supervisor(const Environment& environment, std::string_view state);

}  // namespace holdfast::platform
