// Brings one notification to one [notify.NAME]: a mail, a POST of JSON, or the call of a dead man's switch. No memory of what went before: that is
// notifications.h. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "platform/file_system.h"
#include "service/notify/notification_text.h"
#include "service/notify/smtp.h"
#include "system/settings.h"

namespace holdfast::service {

class Delivery {
 public:
  // `limit`: one try takes no longer, whatever the server does.
  Delivery(platform::FileSystem& files, Sender sender, std::chrono::milliseconds limit = std::chrono::seconds(60))
      : files_(files), sender_(std::move(sender)), limit_(limit) {}

  // Blocks. Returns when the server took it; of a mail with several recipients, those whom it would not take it for. With n.missing only
  // those who lack it and still stand in the settings are written to. Errors: those of smtp.h and web_request.h; of the password file (file_system.h);
  // config: a password file that is empty or holds control characters. None holds the secret.
  std::vector<RefusedRecipient> deliver(const system::NotifySettings& target, const Notification& n, const Cancel& stop);

 private:
  crypto::Secret secret_of(const system::NotifySettings& target);
  std::vector<RefusedRecipient> mail(const system::NotifySettings& target, const Notification& n, const crypto::Secret& password, platform::Patience patience);

  platform::FileSystem& files_;
  const Sender sender_;
  const std::chrono::milliseconds limit_;
};

}  // namespace holdfast::service
