// API tokens: for programs that use the API. 256 random bits, shown once and kept as their hash; with a role, a label and an end.
//
// A token stays when the user who made it goes: it is the machine's, not the person's. Whoever manages users sees and removes it. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/entropy.h"
#include "service/access/audit.h"
#include "service/access/passed_time.h"
#include "service/access/rights.h"

namespace holdfast::service {

struct Token {
  std::int64_t id = 0;
  std::string label;
  Role role = Role::viewer;
  std::string made_by;
  Timestamp created, expires;
  bool expired = false;   // was used after its end: stays expired whatever the clock says later
  bool operator==(const Token&) const = default;
};

class Tokens {
 public:
  static constexpr std::int64_t kMost = 1000;          // tokens
  static constexpr std::size_t kLongestLabel = 100;    // bytes
  static constexpr std::string_view kPrefix = "holdfast_";   // so that one that leaked is recognised where it should not be

  Tokens(StateFile& state, Audit& audit, platform::Clock& clock, platform::Entropy& entropy)
      : state_(state), audit_(audit), clock_(clock), entropy_(entropy), time_(clock, PassedTime::Rule::at_least) {}

  struct New { Token token; std::string text; };       // `text` is shown now and never again
  // Error(usage): the label is empty, too long or not printable, or the end is not ahead. Error(precondition): kMost are there.
  New add(std::string_view label, Role role, Timestamp expires, const Actor& by);
  std::vector<Token> list();                           // the oldest first
  void remove(std::int64_t id, const Actor& by);       // Error(not_found)
  // nullopt: there is none of this text, or it has expired.
  std::optional<Token> find(std::string_view text);

 private:
  void expire(const Token& token);

  StateFile& state_;
  Audit& audit_;
  platform::Clock& clock_;
  platform::Entropy& entropy_;
  PassedTime time_;
};

}  // namespace holdfast::service
