// Everything outside the program, in one place to hand to main's body: a test gives its own.
#pragma once

#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/environment.h"
#include "platform/file_system.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/terminal.h"

namespace holdfast::platform {

struct World {
  FileSystem& files;
  Clock& clock;
  Entropy& entropy;
  Host& host;
  ProcessRunner& processes;
  Terminal& terminal;
  Environment environment;
};

World real_world();

}  // namespace holdfast::platform
