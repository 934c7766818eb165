#include "service/notify/smtp.h"

#include <sodium.h>

#include <algorithm>

#include "base/text.h"
#include "service/notify/secure_stream.h"

namespace holdfast::service {
namespace {

constexpr std::size_t kLongestLine = 2000;    // RFC 5321 4.5.3.1.5 allows 512 with the line's end; some servers explain at length
constexpr int kMostLines = 100;               // of one answer
constexpr std::size_t kMostQuoted = 300;      // bytes of an answer in an error

struct Reply {
  int code = 0;
  std::vector<std::string> lines;   // without the code
};

crypto::Secret base64(ByteView bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  crypto::Secret text(sodium_base64_ENCODED_LEN(bytes.size(), kVariant));   // with a NUL at its end
  sodium_bin2base64(reinterpret_cast<char*>(text.bytes().data()), text.size(), bytes.data(), bytes.size(), kVariant);
  return text;
}
ByteView without_nul(const crypto::Secret& text) { return text.view().first(text.size() - 1); }

bool holds(std::string_view text, ByteView secret) { return !secret.empty() && text.find(as_text(secret)) != std::string_view::npos; }

class Conversation {
 public:
  Conversation(const MailServer& server, platform::Patience patience)
      : server_(server), place_(printable(server.host) + ":" + std::to_string(server.port)), stream_(server.host, server.port, patience) {}

  void begin() {
    if (server_.tls_at_once) stream_.start_tls();
    expect(2, "the connection", reply());
    greet();
    if (!stream_.encrypted()) {
      if (!offers("STARTTLS")) throw Error(Code::failed, "cannot send mail by " + place_ + ": it offers no TLS (STARTTLS)").hint("where it has a port for TLS alone, write smtps://");
      expect(2, "STARTTLS", ask("STARTTLS"));
      stream_.start_tls();
      greet();
    }
    if (!server_.user.empty()) sign_in();
  }

  std::vector<RefusedRecipient> hand_over(const Mail& mail) {
    expect(2, "the sender " + printable(mail.from), ask("MAIL FROM:<" + mail.from + ">"));
    std::vector<RefusedRecipient> refused;
    for (const std::string& address : mail.to)
      if (const Reply r = ask("RCPT TO:<" + address + ">"); r.code / 100 != 2) refused.push_back({address, refusal("the recipient " + printable(address), r)});
    if (refused.size() == mail.to.size()) throw refused.front().why;
    expect(3, "DATA", ask("DATA"));
    stream_.write(stuffed(mail.text) + ".\r\n");
    expect(2, "the mail", reply());
    return refused;
  }

  void end() {
    try {
      ask("QUIT");
    } catch (const Error&) {
      // It has taken the mail; how it says good-bye changes nothing.
    }
  }

 private:
  Reply reply() {
    Reply r;
    for (int i = 0; i < kMostLines; ++i) {
      const std::string line = stream_.line(kLongestLine);
      const auto digit = [&](std::size_t at) { return line.size() > at && line[at] >= '0' && line[at] <= '9'; };
      if (!digit(0) || !digit(1) || !digit(2) || (line.size() > 3 && line[3] != ' ' && line[3] != '-'))
        throw Error(Code::failed, "cannot send mail by " + place_ + ": it does not answer as a mail server does");
      r.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
      r.lines.push_back(line.substr(std::min<std::size_t>(4, line.size())));
      if (line.size() == 3 || line[3] == ' ') return r;
    }
    throw Error(Code::failed, "cannot send mail by " + place_ + ": an answer of it has more than " + std::to_string(kMostLines) + " lines");
  }

  Reply ask(const std::string& line) {
    if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7F; }))
      throw Error(Code::defect, "cannot send mail by " + place_ + ": a command would hold control characters or not be ASCII");
    stream_.write(line + "\r\n");
    return reply();
  }

  Reply ask_secretly(const crypto::Secret& text) {
    stream_.write(without_nul(text));
    stream_.write("\r\n");
    return reply();
  }

  // Error with the server's own words, unless it repeats a secret.
  Error refusal(const std::string& what, const Reply& r) const {
    std::string words = join(r.lines, " ");
    if (server_.password != nullptr && (holds(words, server_.password->view()) || holds(words, without_nul(base64(server_.password->view()))))) words = "(an answer that repeats the password)";
    words = printable(words.substr(0, kMostQuoted));
    return Error(Code::failed, "cannot send mail by " + place_ + ": it refuses " + what + ": " + std::to_string(r.code) + " " + words);
  }

  void expect(int hundreds, const std::string& what, const Reply& r) const {
    if (r.code / 100 != hundreds) throw refusal(what, r);
  }

  void greet() {
    const std::string& name = server_.own_name;
    const bool is_name = !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    const Reply r = ask("EHLO " + (is_name ? name : "localhost"));
    expect(2, "EHLO", r);
    offers_.clear();
    for (const std::string& line : r.lines) offers_.push_back(split(line, ' '));
  }

  bool offers(std::string_view what, std::string_view parameter = "") const {
    return std::any_of(offers_.begin(), offers_.end(), [&](const std::vector<std::string>& words) {
      return to_lower_ascii(words.front()) == to_lower_ascii(what) &&
             (parameter.empty() || std::any_of(words.begin() + 1, words.end(), [&](const std::string& w) { return to_lower_ascii(w) == to_lower_ascii(parameter); }));
    });
  }

  void sign_in() {
    const ByteView password = server_.password->view();
    Reply last;
    if (offers("AUTH", "PLAIN")) {
      crypto::Secret both(server_.user.size() + password.size() + 2);   // NUL user NUL password
      std::copy(server_.user.begin(), server_.user.end(), both.bytes().begin() + 1);
      std::copy(password.begin(), password.end(), both.bytes().end() - static_cast<std::ptrdiff_t>(password.size()));
      expect(3, "AUTH PLAIN", ask("AUTH PLAIN"));
      last = ask_secretly(base64(both.view()));
    } else if (offers("AUTH", "LOGIN")) {
      expect(3, "AUTH LOGIN", ask("AUTH LOGIN"));
      expect(3, "the user", ask_secretly(base64(as_bytes(server_.user))));
      last = ask_secretly(base64(password));
    } else {
      throw Error(Code::failed, "cannot sign in at " + place_ + ": it offers neither AUTH PLAIN nor AUTH LOGIN");
    }
    if (last.code / 100 != 2) throw refusal("user " + printable(server_.user) + " or the password", last).hint("the password is the first line of password_file");
  }

  // A line that begins with a dot gets another one: a dot alone ends the mail.
  static std::string stuffed(const std::string& text) {
    std::string out;
    bool begins = true;
    for (const char c : text) {
      if (begins && c == '.') out += '.';
      out += c;
      begins = c == '\n';
    }
    return out;
  }

  const MailServer& server_;
  const std::string place_;
  SecureStream stream_;
  std::vector<std::vector<std::string>> offers_;   // words of each line of EHLO's answer
};

}  // namespace

std::vector<RefusedRecipient> send_mail(const MailServer& server, const Mail& mail, platform::Patience patience) {
  Conversation conversation(server, patience);
  conversation.begin();
  std::vector<RefusedRecipient> refused = conversation.hand_over(mail);
  conversation.end();
  return refused;
}

}  // namespace holdfast::service
