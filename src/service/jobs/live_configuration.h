// holdfast.toml as the service goes by it: a person's editor and the console change the file, the service follows. A file that became
// wrong, or that is gone, leaves the last good one in force, and that is a finding. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/finding.h"
#include "item/adapter.h"
#include "platform/file_system.h"
#include "system/system.h"

namespace holdfast::service {

class LiveConfiguration {
 public:
  // Error(config) and those of reading a file: there is no good one to begin with. `adapters` outlive it.
  LiveConfiguration(platform::FileSystem& files, platform::Path file, const item::AdapterSet& adapters);

  // Reads the file, and takes it when it says something else than before. True: another configuration is in force now.
  bool refresh();
  // What is in force; stays as it is for whoever has it.
  std::shared_ptr<const system::System> now() const;
  // Finding configuration_wrong: the file is not what is in force.
  std::optional<Finding> wrong() const;

 private:
  platform::FileSystem& files_;
  const item::AdapterSet& adapters_;
  mutable std::mutex mutex_;
  std::shared_ptr<const system::System> now_;
  std::optional<std::string> seen_;   // the text that was looked at last, when it was right
  std::optional<Finding> wrong_;
};

}  // namespace holdfast::service
