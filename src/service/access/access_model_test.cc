// Users, sessions, tokens and signing in against a simple model, with a clock that only goes forward but is moved at will; restarts in between.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <random>

#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using Outcome = SignInAnswer::Outcome;
using std::chrono::seconds;

struct Model {
  struct User { Role role; std::string password; };
  struct Open { std::string user; std::int64_t began, seen; };
  struct Token { Role role; std::int64_t expires; };
  struct Count { int failures; std::int64_t latest; };
  std::map<std::string, User> users;
  std::map<std::string, Open> sessions;
  std::map<std::string, Token> tokens;
  std::map<std::string, Count> counts;   // of names and of addresses

  int administrators() const {
    return static_cast<int>(std::count_if(users.begin(), users.end(), [](const auto& u) { return u.second.role == Role::administrator; }));
  }
  void end_sessions(const std::string& user) {
    std::erase_if(sessions, [&](const auto& s) { return s.second.user == user; });
  }
  std::int64_t wait(const std::string& key, std::int64_t now) const {
    const auto found = counts.find(key);
    if (found == counts.end() || found->second.failures < 5 || now - found->second.latest >= 3600) return 0;
    std::int64_t whole = 5;
    for (int i = 5; i < found->second.failures && whole < 900; ++i) whole *= 2;
    return std::max<std::int64_t>(0, std::min<std::int64_t>(whole, 900) - (now - found->second.latest));
  }
  void fail(const std::string& key, std::int64_t now) {
    Count& c = counts[key];
    c.failures = c.failures > 0 && now - c.latest < 3600 ? c.failures + 1 : 1;
    c.latest = now;
  }
  bool is_open(const std::string& session, std::int64_t now) const {
    const auto found = sessions.find(session);
    return found != sessions.end() && now - found->second.began < 12 * 3600 && now - found->second.seen < 1800;
  }
};

class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed), entropy_(seed) { reopen(); }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      if (i % 40 == 0) compare();
    }
    compare();
    EXPECT_FALSE(parts_->audit.verify().broken);
  }

 private:
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  std::int64_t now() { return clock_.now().seconds; }
  std::string name() { return std::string(1, static_cast<char>('a' + pick(5))) + "-user"; }
  std::string secret() { return "the long password " + std::to_string(pick(3)); }
  std::string address() { return "192.0.2." + std::to_string(pick(3)); }
  Role role() { return all_roles()[pick(4)]; }

  void reopen() {
    parts_.reset();
    parts_ = std::make_unique<Parts>(folder_.path(), clock_, entropy_, kdf_, StateFile::Use::service, disk_.name());
  }

  void step() {
    switch (pick(12)) {
      case 0: add(); break;
      case 1: remove(); break;
      case 2: set_password(); break;
      case 3: set_role(); break;
      case 4: case 5: case 6: sign_in(); break;
      case 7: use_session(); break;
      case 8: sign_out(); break;
      case 9: token(); break;
      case 10: clock_.advance(seconds(pick(3) == 0 ? pick(4 * 3600) : pick(120))); break;
      default:
        if (pick(4) == 0) reopen();
    }
  }

  void add() {
    const std::string n = name(), p = secret();
    const Role r = role();
    const auto code = code_of([&] { parts_->users.add(n, r, password(p), kTester); });
    if (model_.users.contains(n)) {
      EXPECT_EQ(code, Code::already_exists);
      return;
    }
    EXPECT_EQ(code, std::nullopt);
    model_.users[n] = {r, p};
    model_.counts.erase("user " + n);
  }

  void remove() {
    const std::string n = name();
    const auto code = code_of([&] { parts_->users.remove(n, kTester); });
    const auto found = model_.users.find(n);
    if (found == model_.users.end()) {
      EXPECT_EQ(code, Code::not_found);
    } else if (found->second.role == Role::administrator && model_.administrators() == 1) {
      EXPECT_EQ(code, Code::precondition);
    } else {
      EXPECT_EQ(code, std::nullopt);
      model_.users.erase(found);
      model_.end_sessions(n);
    }
  }

  void set_password() {
    const std::string n = name(), p = secret();
    const auto code = code_of([&] { parts_->users.set_password(n, password(p), kTester); });
    if (!model_.users.contains(n)) {
      EXPECT_EQ(code, Code::not_found);
      return;
    }
    EXPECT_EQ(code, std::nullopt);
    model_.users[n].password = p;
    model_.end_sessions(n);
    model_.counts.erase("user " + n);
  }

  void set_role() {
    const std::string n = name();
    const Role r = role();
    const auto code = code_of([&] { parts_->users.set_role(n, r, kTester); });
    const auto found = model_.users.find(n);
    if (found == model_.users.end()) {
      EXPECT_EQ(code, Code::not_found);
    } else if (found->second.role == Role::administrator && r != Role::administrator && model_.administrators() == 1) {
      EXPECT_EQ(code, Code::precondition);
    } else {
      EXPECT_EQ(code, std::nullopt);
      found->second.role = r;
    }
  }

  void sign_in() {
    const std::string n = name(), p = secret(), a = address();
    const auto answer = parts_->sign_in.try_password(n, password(p), a);
    const std::int64_t wait = std::max(model_.wait("user " + n, now()), model_.wait("address " + a, now()));
    EXPECT_EQ(answer.wait.count(), wait);
    if (wait > 0) {
      EXPECT_EQ(answer.outcome, Outcome::wait);
      return;
    }
    model_.fail("user " + n, now());
    model_.fail("address " + a, now());
    const auto found = model_.users.find(n);
    if (found == model_.users.end() || found->second.password != p) {
      EXPECT_EQ(answer.outcome, Outcome::refused);
      return;
    }
    ASSERT_EQ(answer.outcome, Outcome::signed_in);
    model_.counts.erase("user " + n);
    if (--model_.counts["address " + a].failures == 0) model_.counts.erase("address " + a);
    EXPECT_TRUE(model_.sessions.emplace(answer.session, Model::Open{n, now(), now()}).second);
    known_sessions_.push_back(answer.session);
    ++signed_in_;
  }

  void use_session() {
    if (known_sessions_.empty()) return;
    const std::string s = known_sessions_[pick(known_sessions_.size())];
    const auto session = parts_->sessions.find(s);
    ASSERT_EQ(session.has_value(), model_.is_open(s, now()));
    if (!session) return;
    Model::Open& open = model_.sessions[s];
    EXPECT_EQ(session->user, open.user);
    EXPECT_EQ(session->role, model_.users.at(open.user).role);
    EXPECT_EQ(session->seconds_left, open.began + 12 * 3600 - now());
    if (now() - open.seen >= Sessions::kSeenEvery) open.seen = now();
  }

  void sign_out() {
    if (known_sessions_.empty() || pick(3) != 0) return;
    const std::string s = known_sessions_[pick(known_sessions_.size())];
    parts_->sessions.end(s, "192.0.2.1");
    model_.sessions.erase(s);
  }

  void token() {
    if (known_tokens_.empty() || pick(3) == 0) {
      const Role r = role();
      const std::int64_t expires = now() + 1 + static_cast<std::int64_t>(pick(20'000));
      const auto made = parts_->tokens.add("probe", r, {expires, 0}, kTester);
      model_.tokens[made.text] = {r, expires};
      known_tokens_.push_back({made.text, made.token.id});
    } else if (pick(4) == 0) {
      const auto& [text, id] = known_tokens_[pick(known_tokens_.size())];
      const auto code = code_of([&] { parts_->tokens.remove(id, kTester); });
      EXPECT_EQ(code, model_.tokens.contains(text) ? std::optional<Code>{} : Code::not_found);
      model_.tokens.erase(text);
    }
  }

  void compare() {
    const auto users = parts_->users.list();
    ASSERT_EQ(users.size(), model_.users.size());
    for (const User& u : users) EXPECT_EQ(u.role, model_.users.at(u.name).role);
    for (const auto& [text, id] : known_tokens_) {
      const auto found = parts_->tokens.find(text);
      const auto expected = model_.tokens.find(text);
      ASSERT_EQ(found.has_value(), expected != model_.tokens.end() && now() < expected->second.expires);
      if (found) {
        EXPECT_EQ(found->role, expected->second.role);
      }
    }
    ++compared_;
  }

 public:
  int signed_in_ = 0, compared_ = 0;

 private:
  std::mt19937_64 random_;
  Disk disk_;
  platform::TemporaryFolder folder_;
  platform::ManualClock clock_;
  platform::SeededEntropy entropy_;
  CountingKdf kdf_;
  std::unique_ptr<Parts> parts_;
  Model model_;
  std::vector<std::string> known_sessions_;
  std::vector<std::pair<std::string, std::int64_t>> known_tokens_;
};

TEST(AccessModel, UsersSessionsTokensAndFailuresBehaveAsTheModel) {
  int signed_in = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play(seed);
    play.run(400);
    signed_in += play.signed_in_;
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  std::cout << "signed in " << signed_in << " times\n";
  EXPECT_GT(signed_in, 100);
}

}  // namespace
}  // namespace holdfast::service
