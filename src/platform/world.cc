#include "platform/world.h"

namespace holdfast::platform {

World real_world() {
  return {real_file_system(),    real_clock(),    real_entropy(),    real_host(),
          real_process_runner(), real_terminal(), real_environment()};
}

}  // namespace holdfast::platform
