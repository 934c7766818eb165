#include "repository/keys/keys.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/text_normalization.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kMaxPassword = 1U << 20;
constexpr std::size_t kKeySize = 32, kKeyCheck = 8;     // bytes; the second part checks the whole key
constexpr std::size_t kLines = 8, kLineBytes = 5;       // 8 lines of 5 bytes: 32 of the key, 8 that check it
constexpr std::size_t kLineData = 8, kLineSymbols = 10; // symbols of 5 bits: data, and data with the line's check
// A line's check is a weighted sum modulo the largest prime below 2^10: every single wrong symbol and every exchange of two
// changes it, because all weights differ and no difference of two symbols is a multiple of the prime.
constexpr unsigned kCheckPrime = 1021, kCheckBase = 37;
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";   // Crockford's base 32
constexpr std::string_view kMachineKeyTitle = "holdfast-machine-key-1\n";

// The value of a typed symbol, I and L read as 1 and O as 0; -1: none.
int symbol_value(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

bool is_filler(char c) { return c == '-' || c == ' ' || c == '\t' || c == '\r'; }

unsigned line_check(std::size_t line, std::string_view data) {
  unsigned sum = static_cast<unsigned>(line), weight = kCheckBase;
  for (char c : data) {
    sum = (sum + static_cast<unsigned>(symbol_value(c)) * weight) % kCheckPrime;
    weight = weight * kCheckBase % kCheckPrime;
  }
  return sum;
}

void encode_line(MutableBytes five, std::span<char, kLineData> out) {
  std::uint64_t bits = 0;
  for (std::uint8_t b : five) bits = bits << 8 | b;
  for (std::size_t i = 0; i < kLineData; ++i) out[i] = kAlphabet[(bits >> (35 - 5 * i)) & 31];
}

crypto::Secret checked_key(ByteView key) {
  crypto::Secret all(kKeySize + kKeyCheck);
  crypto::Secret check = crypto::derive(key, "holdfast v1 recovery key check", kKeyCheck);
  std::copy(key.begin(), key.end(), all.bytes().begin());
  std::copy(check.view().begin(), check.view().end(), all.bytes().begin() + kKeySize);
  return all;
}

// Cuts the text into lines of symbols: at line ends, else at line numbers ("3:"), else every ten symbols.
std::vector<std::string> symbol_lines(std::string_view text) {
  std::string marked;   // line numbers become line ends
  for (char c : text) {
    if (c == ':') {
      while (!marked.empty() && is_filler(marked.back())) marked.pop_back();
      if (!marked.empty() && marked.back() >= '1' && marked.back() <= '8') marked.pop_back();
      c = '\n';
    }
    marked.push_back(c);
  }
  std::vector<std::string> lines;
  for (const std::string& part : split(marked, '\n')) {
    std::string line;
    std::copy_if(part.begin(), part.end(), std::back_inserter(line), [](char c) { return !is_filler(c); });
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.size() == 1) {
    std::string whole = std::move(lines.front());
    lines.clear();
    for (std::size_t at = 0; at < whole.size(); at += kLineSymbols) lines.push_back(whole.substr(at, kLineSymbols));
    crypto::wipe({reinterpret_cast<std::uint8_t*>(whole.data()), whole.size()});
  }
  crypto::wipe({reinterpret_cast<std::uint8_t*>(marked.data()), marked.size()});
  return lines;
}

[[noreturn]] void typing_mistake(const std::string& where) {
  throw Error(Code::wrong_key, "the recovery key has a typing mistake " + where)
      .safe("nothing was changed")
      .hint("compare that line with the printed key; the letters I, L, O and U do not occur in it");
}

void decode_line(std::size_t number, std::string_view symbols, MutableBytes five) {
  std::string where = "in line " + std::to_string(number);
  for (char c : symbols) {
    if (symbol_value(c) < 0) typing_mistake(where + ": '" + printable(std::string(1, c)) + "' cannot stand there");
  }
  if (symbols.size() != kLineSymbols) {
    typing_mistake(where + ": it has " + std::to_string(symbols.size()) + " characters instead of 10");
  }
  unsigned told = static_cast<unsigned>(symbol_value(symbols[8])) * 32 + static_cast<unsigned>(symbol_value(symbols[9]));
  if (told != line_check(number, symbols.substr(0, kLineData))) typing_mistake(where);
  std::uint64_t bits = 0;
  for (char c : symbols.substr(0, kLineData)) bits = bits << 5 | static_cast<std::uint64_t>(symbol_value(c));
  for (std::size_t i = 0; i < kLineBytes; ++i) five[i] = static_cast<std::uint8_t>(bits >> (32 - 8 * i));
}

}  // namespace

std::string_view to_text(SlotKind kind) {
  switch (kind) {
    case SlotKind::password: return "password";
    case SlotKind::recovery_key: return "recovery_key";
    case SlotKind::machine_key: return "machine_key";
  }
  return "unknown";
}

SlotSecret password_secret(ByteView typed) {
  std::string_view text = as_text(typed);
  std::size_t end = text.find('\n');
  // A file that holds the printed recovery key: its lines together are the secret.
  if (end != std::string_view::npos && typed.size() <= kMaxPassword && looks_like_recovery_key(text)) {
    return recovery_secret(parse_recovery_key(text));
  }
  text = text.substr(0, end);
  if (end != std::string_view::npos && text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) throw Error(Code::wrong_key, "the password is empty").safe("nothing was changed");
  if (text.size() > kMaxPassword) throw Error(Code::wrong_key, "the password is longer than 1 MiB").safe("nothing was changed");
  if (!is_utf8(text)) return {SlotKind::password, crypto::Secret::copy_of(as_bytes(text))};
  std::string normal = crypto::nfc(text);
  SlotSecret secret{SlotKind::password, crypto::Secret::copy_of(as_bytes(normal))};
  crypto::wipe({reinterpret_cast<std::uint8_t*>(normal.data()), normal.size()});
  return secret;
}

std::string RecoveryKey::text() const {
  crypto::Secret all = checked_key(bytes.view());
  std::string text;
  for (std::size_t line = 1; line <= kLines; ++line) {
    std::array<char, kLineData> data{};
    encode_line(all.bytes().subspan((line - 1) * kLineBytes, kLineBytes), data);
    std::string_view d(data.data(), data.size());
    unsigned check = line_check(line, d);
    text += std::to_string(line) + ": ";
    text.append(d.substr(0, 4)).append("-").append(d.substr(4)).append("-");
    text.append({kAlphabet[check / 32], kAlphabet[check % 32], '\n'});
  }
  return text;
}

RecoveryKey parse_recovery_key(std::string_view text) {
  if (text.size() > kMaxPassword) typing_mistake(": it is too long");
  std::vector<std::string> lines = symbol_lines(text);
  crypto::Secret all(kKeySize + kKeyCheck);
  for (std::size_t i = 0; i < std::min(lines.size(), kLines); ++i) {
    decode_line(i + 1, lines[i], all.bytes().subspan(i * kLineBytes, kLineBytes));
  }
  for (std::string& line : lines) crypto::wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  if (lines.size() < kLines) typing_mistake(": line " + std::to_string(lines.size() + 1) + " is missing");
  if (lines.size() > kLines) typing_mistake(": there is something after line 8");
  RecoveryKey key{crypto::Secret::copy_of(all.view().first(kKeySize))};
  if (!crypto::equal(checked_key(key.bytes.view()).view(), all.view())) {
    typing_mistake("in several places: its lines do not belong together");
  }
  return key;
}

SlotSecret recovery_secret(const RecoveryKey& key) { return {SlotKind::recovery_key, key.bytes.clone()}; }

bool looks_like_recovery_key(std::string_view text) {
  constexpr std::size_t kSymbols = kLines * kLineSymbols, kTolerance = 4;   // a few characters too many or missing
  if (text.size() > 3 * kSymbols) return false;
  std::size_t symbols = 0;
  for (const std::string& line : symbol_lines(text)) {
    for (char c : line) {
      if (symbol_value(c) < 0 && !(c == 'u' || c == 'U')) return false;
    }
    symbols += line.size();
  }
  return symbols + kTolerance >= kSymbols && symbols <= kSymbols + kTolerance;
}

SlotSecret parse_machine_key(ByteView file) {
  std::string_view text = as_text(file);
  SlotSecret secret{SlotKind::machine_key, crypto::Secret(kKeySize)};
  bool titled = text.starts_with(kMachineKeyTitle);
  if (titled) text.remove_prefix(kMachineKeyTitle.size());
  if (!titled || !from_hex(trim(text), secret.bytes.bytes())) {
    throw Error(Code::damaged, "the machine key file is damaged: it must hold its title and 64 hex digits")
        .safe("nothing was changed")
        .hint("'holdfast key add --machine FILE' makes a new one");
  }
  return secret;
}

std::string machine_key_file(ByteView key32) { return std::string(kMachineKeyTitle) + to_hex(key32) + "\n"; }

}  // namespace holdfast::repository
