#include "service/jobs/live_configuration.h"

#include "base/error.h"
#include "system/toml_document.h"

namespace holdfast::service {

LiveConfiguration::LiveConfiguration(platform::FileSystem& files, platform::Path file, const item::AdapterSet& adapters)
    : files_(files), adapters_(adapters), now_(std::make_shared<const system::System>(system::load_system(files, file, adapters))), seen_(now_->source) {}

bool LiveConfiguration::refresh() {
  std::lock_guard lock(mutex_);
  const platform::Path file = now_->file;
  try {
    std::string text = to_text(files_.read_all(file, system::kLargestDocument));
    if (text == seen_) return false;
    system::System read = system::parse_system(text, file.string(), file.parent_path(), adapters_);
    read.file = file;
    seen_ = std::move(text);
    wrong_.reset();
    if (seen_ == now_->source) return false;   // it was wrong meanwhile
    now_ = std::make_shared<const system::System>(std::move(read));
    return true;
  } catch (const Error& e) {
    seen_.reset();
    wrong_ = Finding{"configuration_wrong", file.string(), e.message() + "; the service goes on with what the file said before", e.hint()};
    return false;
  }
}

std::shared_ptr<const system::System> LiveConfiguration::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

std::optional<Finding> LiveConfiguration::wrong() const {
  std::lock_guard lock(mutex_);
  return wrong_;
}

}  // namespace holdfast::service
