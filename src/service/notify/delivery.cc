#include "service/notify/delivery.h"

#include <algorithm>

#include "base/text.h"
#include "service/notify/web_request.h"
#include "system/web_address.h"

namespace holdfast::service {
namespace {

using system::NotifySettings;

constexpr std::uint64_t kLongestSecret = 64 * 1024;   // of its file: tokens have some KiB

}  // namespace

// The first line. A secret with control characters could end a header and begin another one.
crypto::Secret Delivery::secret_of(const NotifySettings& target) {
  if (target.password_file.empty()) return {};
  const auto unusable = [&](const std::string& why) {
    return Error(Code::config, "cannot use password_file " + printable(target.password_file.native()) + " of [notify." + target.name + "]: " + why)
        .hint("the first line of the file is the password or token");
  };
  // A pipe that nobody writes to would be waited for without end.
  if (const auto info = files_.info(target.password_file); info && info->kind != platform::FileInfo::Kind::file) throw unusable("it is no file");
  Bytes content = files_.read_stream(target.password_file, kLongestSecret);
  const auto is_control = [](std::uint8_t c) { return c < 0x20 || c == 0x7F; };
  auto end = std::find(content.begin(), content.end(), '\n');
  if (end != content.begin() && *(end - 1) == '\r') --end;
  const bool usable = end != content.begin() && std::none_of(content.begin(), end, is_control);
  crypto::Secret secret = usable ? crypto::Secret::copy_of(ByteView(content).first(static_cast<std::size_t>(end - content.begin()))) : crypto::Secret();
  crypto::wipe(content);
  if (!usable) throw unusable("its first line is empty or holds control characters");
  return secret;
}

std::vector<RefusedRecipient> Delivery::deliver(const NotifySettings& target, const Notification& n, const Cancel& stop) {
  const crypto::Secret secret = secret_of(target);
  const platform::Patience patience{std::chrono::steady_clock::now() + limit_, stop};
  if (target.scheme == NotifySettings::Scheme::smtps || target.scheme == NotifySettings::Scheme::smtp) return mail(target, n, secret, patience);
  const auto address = system::split_web_address(target.url);
  if (!address) throw Error(Code::defect, "cannot use the url of [notify." + target.name + "]");
  WebRequest request{.host = target.host, .port = target.port, .tls = target.scheme == NotifySettings::Scheme::https,
                     .target = (address->rest.starts_with('/') ? "" : "/") + address->rest, .json = std::nullopt, .token = secret.empty() ? nullptr : &secret};
  if (!is_dead_mans_switch(target)) request.json = json_of(n, sender_);
  send_request(request, patience);
  return {};
}

std::vector<RefusedRecipient> Delivery::mail(const NotifySettings& target, const Notification& n, const crypto::Secret& password, platform::Patience patience) {
  std::vector<std::string> to = target.to;
  if (!n.missing.empty())
    std::erase_if(to, [&](const std::string& address) { return std::find(n.missing.begin(), n.missing.end(), address) == n.missing.end(); });
  if (to.empty()) return {};   // whoever lacked it is written to no more
  const MailServer server{.host = target.host, .port = target.port, .tls_at_once = target.scheme == NotifySettings::Scheme::smtps, .user = target.user,
                          .password = password.empty() ? nullptr : &password, .own_name = sender_.host};
  return send_mail(server, {target.from, to, mail_of(n, sender_, target.from, target.to)}, patience);
}

}  // namespace holdfast::service
