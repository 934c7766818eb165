#include "service/notify/notification_text.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace holdfast::service {
namespace {

std::string hex_of(unsigned char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'=', kDigits[c >> 4], kDigits[c & 15]};
}

// RFC 2045 6.7: lines of at most 76 characters, CR LF between lines of text.
std::string quoted_printable(std::string_view text) {
  constexpr std::size_t kLongest = 75;   // and "=" of a soft line end
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = (c > 0x20 && c < 0x7F && c != '=') || (c == ' ' && !ends_line);
    const std::string piece = plain ? std::string(1, static_cast<char>(c)) : hex_of(c);
    if (column + piece.size() > kLongest) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  }
  return out;
}

// RFC 2047: as it is when it is plain ASCII, else encoded words, none of which cuts a character, on lines of at most 76. `column`: where it begins.
std::string header_text(std::string_view text, std::size_t column) {
  constexpr std::string_view kBegin = "=?UTF-8?Q?", kEnd = "?=";
  constexpr std::size_t kLongest = 75;
  bool plain = text.size() <= 60 && text.find("=?") == std::string_view::npos;
  for (const char c : text) plain = plain && c >= 0x20 && c < 0x7F;
  if (plain) return std::string(text);
  std::string out(kBegin);
  std::size_t length = column + kBegin.size();
  for (std::size_t i = 0; i < text.size();) {
    std::string character;   // with the bytes that continue it
    do {
      const auto c = static_cast<unsigned char>(text[i]);
      const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
      character += safe ? std::string(1, static_cast<char>(c)) : c == ' ' ? "_" : hex_of(c);
      ++i;
    } while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80 && character.size() < 12);
    if (length + character.size() + kEnd.size() > kLongest) {
      out += std::string(kEnd) + "\r\n " + std::string(kBegin);
      length = kBegin.size() + 1;
    }
    out += character;
    length += character.size();
  }
  return out + std::string(kEnd);
}

// "Mon, 23 Nov 2026 02:30:05 +0000"
std::string mail_date(Timestamp t) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds instant{std::chrono::seconds(t.seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{instant - day};
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000", kDays.at(std::chrono::weekday{day}.c_encoding()), unsigned{date.day()},
                kMonths.at(unsigned{date.month()} - 1), int{date.year()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

// The same for each try; another one after the state file was lost and ids begin anew.
std::string identity_of(const Notification& n) { return std::to_string(n.id) + "." + std::to_string(n.queued.seconds); }

// The right side of a Message-ID.
std::string host_part(const std::string& host) {
  std::string out;
  for (const char c : host)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.') out += c;
  return out.empty() ? "localhost" : out;
}

std::string body_of(const Notification& n, const Sender& sender) {
  const auto part = [](const std::string& title, const std::string& text) { return text.empty() ? "" : title + "\n  " + text + "\n\n"; };
  return subject_of(n, sender) + "\n\n" + part("What happened", n.event.happened) + part("What is still safe", n.event.safe) + part("What to do next", n.event.next) +
         (n.event.job ? "Job " + std::to_string(*n.event.job) + ", " : "") + format_utc(n.event.time) + ", on " + printable(sender.host) + ".\n\n" +
         "Audit log: entry " + std::to_string(n.head.number) + ", " + n.head.hash.hex() + "\nWhoever keeps this line can tell later whether the log was cut off or written anew.\n";
}

}  // namespace

std::string subject_of(const Notification& n, const Sender& sender) { return "Holdfast " + printable(sender.system) + ": " + n.event.headline; }

std::string mail_of(const Notification& n, const Sender& sender, const std::string& from, std::span<const std::string> to) {
  return "From: Holdfast <" + from + ">\r\nTo: " + join(to, ",\r\n ") + "\r\nSubject: " + header_text(subject_of(n, sender), 9) + "\r\nDate: " + mail_date(n.queued) +
         "\r\nMessage-ID: <holdfast." + identity_of(n) + "@" + host_part(sender.host) +
         ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         quoted_printable(body_of(n, sender));
}

std::string json_of(const Notification& n, const Sender& sender) {
  nlohmann::json object{{"schema", 1},
                        {"id", identity_of(n)},
                        {"system", printable(sender.system)},
                        {"host", printable(sender.host)},
                        {"event", to_text(n.event.kind)},
                        {"time", format_utc(n.event.time)},
                        {"subject", subject_of(n, sender)},
                        {"text", subject_of(n, sender) + (n.event.happened.empty() ? "" : "\n" + n.event.happened)},
                        {"happened", n.event.happened},
                        {"safe", n.event.safe},
                        {"next", n.event.next},
                        {"audit", {{"number", n.head.number}, {"hash", n.head.hash.hex()}}}};
  if (n.event.job) object["job"] = *n.event.job;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace holdfast::service
