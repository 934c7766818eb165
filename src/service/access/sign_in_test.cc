// Signing in, and those who try to without a right to.
#include "service/access/sign_in.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <thread>

#include "base/text.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using Outcome = SignInAnswer::Outcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kGood = "a long enough one", kBad = "a wrong one, guessed";

class Attack : public ::testing::Test {
 protected:
  Attack() {
    reopen();
    parts->users.add("anna", Role::administrator, password(kGood), kTester);
    parts->users.add("otto", Role::operating, password(kGood), kTester);
    kdf.calls = 0;
  }
  void reopen() {
    parts.reset();
    parts = std::make_unique<Parts>(folder.path(), clock, entropy, kdf);
  }
  SignInAnswer attempt(std::string_view name, std::string_view typed, const std::string& address = "192.0.2.1") {
    return parts->sign_in.try_password(name, password(typed), address);
  }
  std::int64_t rows(const char* table) { return parts->state.read().number(std::string("SELECT count(*) FROM ") + table); }

  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{11};
  CountingKdf kdf;
  std::unique_ptr<Parts> parts;
};

TEST_F(Attack, TheRightPasswordOpensASessionAndIsAudited) {
  const auto answer = attempt("Anna", kGood);
  ASSERT_EQ(answer.outcome, Outcome::signed_in);
  const auto session = parts->sessions.find(answer.session);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->user, "anna");
  EXPECT_EQ(session->role, Role::administrator);
  EXPECT_EQ(session->csrf, answer.csrf);
  EXPECT_NE(answer.csrf, answer.session);
  const auto entry = parts->audit.entries(0, 1).front();
  EXPECT_EQ(entry.action + " " + entry.object + " " + entry.outcome, "sign-in anna done");
  EXPECT_EQ(entry.actor.origin, "192.0.2.1");
  EXPECT_EQ(rows("failures"), 0);
}

// What an attacker can measure: the answer, the hashes made and the writes to the disk.
TEST_F(Attack, AWrongNameAndAWrongPasswordAreTheSameInEverything) {
  const auto measured = [&](std::string_view name, std::string_view typed, const std::string& address) {
    parts.reset();
    Disk disk;
    Parts measured_parts(folder.path(), clock, entropy, kdf, StateFile::Use::service, disk.name());
    disk.reset();
    kdf.calls = 0;
    const auto answer = measured_parts.sign_in.try_password(name, password(typed), address);
    return std::tuple(answer.outcome, answer.wait, answer.session, answer.csrf, kdf.calls.load(), disk.changes());
  };
  measured("warm", kBad, "192.0.2.1");
  const auto wrong_password = measured("anna", kBad, "192.0.2.2");
  EXPECT_EQ(std::get<0>(wrong_password), Outcome::refused);
  EXPECT_EQ(std::get<4>(wrong_password), 1);
  EXPECT_EQ(measured("nobody", kBad, "192.0.2.3"), wrong_password);
  EXPECT_EQ(measured("nobody else", kGood, "192.0.2.4"), wrong_password);
  EXPECT_EQ(measured("", "", "192.0.2.5"), wrong_password);
  EXPECT_EQ(measured("otto", "\xff not UTF-8", "192.0.2.6"), wrong_password);
  EXPECT_EQ(measured("otto", std::string(100'000, 'x'), "192.0.2.7"), wrong_password);
  EXPECT_EQ(measured("' OR 1=1 --", kGood, "192.0.2.8"), wrong_password);
}

TEST_F(Attack, AfterFiveFailuresEachFurtherTryOfAUserWaitsTwiceAsLong) {
  for (const char* name : {"anna", "nobody"}) {
    const auto from = [&](int n) { return std::string(name) + std::to_string(n); };   // each from another address
    for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt(name, kBad, from(i)).outcome, Outcome::refused) << i;
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 10; ++i) {
      const auto answer = attempt(name, kGood, from(100 + i));
      ASSERT_EQ(answer.outcome, Outcome::wait);
      waits.push_back(answer.wait.count());
      clock.advance(answer.wait - seconds(1));
      EXPECT_EQ(attempt(name, kGood, from(200 + i)).wait, seconds(1));
      clock.advance(seconds(1));
      EXPECT_EQ(attempt(name, kBad, from(300 + i)).outcome, Outcome::refused);
    }
    EXPECT_EQ(waits, (std::vector<std::int64_t>{5, 10, 20, 40, 80, 160, 320, 640, 900, 900})) << name;
  }
  EXPECT_EQ(kdf.calls, 30);   // none for a try that came too early
  clock.advance(minutes(15));
  EXPECT_EQ(attempt("anna", kGood).outcome, Outcome::signed_in);
  for (int i = 0; i < 4; ++i) attempt("anna", kBad);
  EXPECT_EQ(attempt("anna", kGood).outcome, Outcome::signed_in) << "the right password does away with the failures";
}

TEST_F(Attack, AfterFiveFailuresAnAddressWaitsWhateverTheName) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt("name" + std::to_string(i), kBad, "198.51.100.7").outcome, Outcome::refused);
  EXPECT_EQ(attempt("anna", kGood, "198.51.100.7").outcome, Outcome::wait);
  EXPECT_EQ(attempt("anna", kGood, "::ffff:198.51.100.7").outcome, Outcome::wait);
  EXPECT_EQ(attempt("anna", kGood, "198.51.100.8").outcome, Outcome::signed_in);
  // An account of one's own does not give tries at others: of five that fail, signing in takes none back.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(attempt("x" + std::to_string(i), kBad, "203.0.113.5").outcome, Outcome::refused);
    if (i < 4) {
      EXPECT_EQ(attempt("otto", kGood, "203.0.113.5").outcome, Outcome::signed_in);
    }
  }
  EXPECT_EQ(attempt("otto", kGood, "203.0.113.5").outcome, Outcome::wait);
  // Of IPv6 a customer has a whole network.
  for (int i = 0; i < 5; ++i) attempt("y" + std::to_string(i), kBad, "2001:db8:1:2::" + std::to_string(i));
  EXPECT_EQ(attempt("anna", kGood, "2001:db8:1:2:ffff::1").outcome, Outcome::wait);
  EXPECT_EQ(attempt("anna", kGood, "2001:db8:1:3::1").outcome, Outcome::signed_in);
}

TEST_F(Attack, WaitingSurvivesARestart) {
  for (int i = 0; i < 7; ++i) {
    clock.advance(attempt("anna", kBad).wait);
    attempt("anna", kBad);
  }
  const auto before = attempt("anna", kGood).wait;
  ASSERT_GT(before.count(), 0);
  reopen();
  EXPECT_EQ(attempt("anna", kGood).wait, before);
  EXPECT_EQ(attempt("otto", kGood).outcome, Outcome::wait);   // of the address
}

TEST_F(Attack, FailuresAreForgottenAnHourAfterTheLatest) {
  for (int i = 0; i < 5; ++i) attempt("anna", kBad);
  clock.advance(hours(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt("anna", kBad).outcome, Outcome::refused) << i;
  EXPECT_EQ(attempt("anna", kBad).outcome, Outcome::wait);
}

TEST_F(Attack, ANewPasswordEndsTheWaitingOfItsUser) {
  for (int i = 0; i < 5; ++i) attempt("anna", kBad, "192.0.2." + std::to_string(i));
  EXPECT_EQ(attempt("anna", kGood, "192.0.2.99").outcome, Outcome::wait);
  parts->users.set_password("anna", password("another long one"), kTester);
  EXPECT_EQ(attempt("anna", "another long one", "192.0.2.99").outcome, Outcome::signed_in);
}

// With ten thousand names from as many addresses neither rows nor the audit log grow without a bound, and nobody's count is pushed out.
TEST_F(Attack, ManyNamesFillNothingAndPushNobodyOut) {
  for (int i = 0; i < 9; ++i) {
    clock.advance(attempt("anna", kBad, "192.0.2.50").wait);
    attempt("anna", kBad, "192.0.2.50");
  }
  const auto entries_before = parts->audit.head().number;
  {
    // Without syncing: only the number of tries is of interest here.
    parts.reset();
    Disk disk;
    Parts fast(folder.path(), clock, entropy, kdf, StateFile::Use::service, disk.name());
    for (int i = 0; i < 3000; ++i)
      fast.sign_in.try_password("random" + std::to_string(i), password(kBad), "10." + std::to_string(i % 250) + "." + std::to_string(i / 250) + ".1");
    EXPECT_GT(fast.sign_in.try_password("anna", password(kGood), "10.9.9.9").wait.count(), 0);
  }
  reopen();
  EXPECT_LE(rows("failures"), 2 * Failures::kBuckets);
  const auto entries = parts->audit.head().number - entries_before;
  EXPECT_LE(entries, static_cast<std::uint64_t>(SignIn::kEntriesAnHour + 2));
  clock.advance(hours(1));
  attempt("one more", kBad, "192.0.2.77");
  const auto newest = parts->audit.entries(0, 2);
  EXPECT_NE(newest.back().detail.find("failures without an entry of their own: 29"), std::string::npos) << newest.back().detail;
  EXPECT_EQ(rows("failures"), 2) << "what is forgotten takes no room";
  EXPECT_FALSE(parts->audit.verify().broken);
  std::cout << "entries for 3000 failures: " << entries << "\n";
}

TEST_F(Attack, TriesAtTheSameTimeAreCountedBeforeTheyAreLookedAt) {
  std::atomic<int> looked_at{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 20; ++t)
    threads.emplace_back([&, t] {
      while (true) {
        try {
          if (attempt("anna", kBad, "192.0.2." + std::to_string(t)).outcome == Outcome::refused) ++looked_at;
          return;
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), Code::unavailable) << "too many at a time";
          std::this_thread::yield();
        }
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(looked_at, Failures::kFree);
  EXPECT_LE(kdf.most, Passwords::kAtATime);
}

TEST_F(Attack, APasswordThatIsChangedMeanwhileOpensNothing) {
  Parts* all = parts.get();
  bool once = true;
  Passwords slow(entropy, {64, 1}, [&](ByteView typed, ByteView salt, crypto::Argon2Cost cost) {
    auto result = kdf.function()(typed, salt, cost);
    if (std::exchange(once, false)) all->users.set_password("anna", password("another long one"), kTester);
    return result;
  });
  SignIn sign_in(all->state, all->audit, slow, all->sessions, clock);
  EXPECT_EQ(sign_in.try_password("anna", password(kGood), "192.0.2.1").outcome, Outcome::refused);
  EXPECT_EQ(rows("sessions"), 0);
}

TEST_F(Attack, AClockThatIsSetLiftsNoWaitingAndLengthensNone) {
  const auto lock = [&] {
    for (int i = 0; i < 12; ++i) {
      clock.advance(attempt("anna", kBad).wait);
      attempt("anna", kBad);
    }
    EXPECT_EQ(attempt("anna", kGood).wait, seconds(900));
  };
  const Timestamp now = clock.now();
  lock();
  clock.set({clock.now().seconds + 86'400 * 365, 0});   // a year ahead: nothing passed
  EXPECT_EQ(attempt("anna", kGood).wait, seconds(900));
  clock.set(now);                                       // and far back
  EXPECT_EQ(attempt("anna", kGood).wait, seconds(900));
  clock.advance(seconds(899));
  EXPECT_EQ(attempt("anna", kGood).wait, seconds(1));
  clock.advance(seconds(1));
  EXPECT_EQ(attempt("anna", kGood).outcome, Outcome::signed_in);
  lock();
  clock.set({clock.now().seconds - 10 * 86'400, 0});    // back while the service is down: in full from then on, and no longer
  reopen();
  EXPECT_EQ(attempt("anna", kGood).wait, seconds(900));
  clock.advance(seconds(900));
  EXPECT_EQ(attempt("anna", kGood).outcome, Outcome::signed_in);
}

TEST_F(Attack, AFullDiskOpensNoSession) {
  parts.reset();
  Disk disk;
  Parts full(folder.path(), clock, entropy, kdf, StateFile::Use::service, disk.name());
  disk.reset();
  full.sign_in.try_password("anna", password(kGood), "192.0.2.1");
  const auto changes = disk.changes();
  std::uint64_t runs = 0;
  for (std::uint64_t n = 1; n <= changes; ++n, ++runs) {
    clock.advance(hours(1));   // a try that fails stays counted
    disk.reset();
    disk.strike(n, Disk::Fault::full_from_then_on);
    EXPECT_NE(code_of([&] { full.sign_in.try_password("anna", password(kGood), "192.0.2.1"); }), std::nullopt) << n;
    disk.reset();
    full.users.find("anna");
  }
  EXPECT_LE(full.state.read().number("SELECT count(*) FROM sessions"), 1);
  std::cout << "calls counted " << changes << ", runs " << runs << "\n";
  EXPECT_FALSE(full.audit.verify().broken);
}

class SessionsTest : public Attack {
 protected:
  std::string signed_in(std::string_view name = "anna") {
    const auto answer = attempt(name, kGood);
    EXPECT_EQ(answer.outcome, Outcome::signed_in);
    return answer.session;
  }
};

TEST_F(SessionsTest, EndAfterHalfAnHourWithoutUseAndAfterTwelveHours) {
  const std::string used = signed_in(), idle = signed_in();
  for (int i = 0; i < 24; ++i) {
    clock.advance(minutes(29));
    EXPECT_TRUE(parts->sessions.find(used)) << i;
  }
  EXPECT_FALSE(parts->sessions.find(idle));
  clock.advance(minutes(24) - seconds(1));
  EXPECT_EQ(parts->sessions.find(used)->seconds_left, 1);
  clock.advance(seconds(1));
  EXPECT_FALSE(parts->sessions.find(used));
  const std::string another = signed_in();
  EXPECT_EQ(rows("sessions"), 1) << "what has ended takes no room";
  clock.advance(minutes(30));
  EXPECT_FALSE(parts->sessions.find(another));
}

TEST_F(SessionsTest, NoOtherTextIsASession) {
  const std::string name = signed_in();
  EXPECT_FALSE(parts->sessions.find(""));
  EXPECT_FALSE(parts->sessions.find(name.substr(1)));
  EXPECT_FALSE(parts->sessions.find(name + "0"));
  EXPECT_FALSE(parts->sessions.find(std::string(64, '0')));
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  EXPECT_FALSE(upper != name && parts->sessions.find(upper));
  EXPECT_TRUE(parts->sessions.find(name));
}

TEST_F(SessionsTest, EndWithSigningOutANewPasswordAndRemoval) {
  const std::string one = signed_in("otto"), two = signed_in("otto"), annas = signed_in();
  parts->sessions.end(one, "192.0.2.1");
  parts->sessions.end(one, "192.0.2.1");
  EXPECT_FALSE(parts->sessions.find(one));
  EXPECT_EQ(parts->audit.entries(0, 1).front().action, "sign-out");
  EXPECT_TRUE(parts->sessions.find(two));
  {
    // A verb in another process has the same effect.
    Parts verb(folder.path(), clock, entropy, kdf, StateFile::Use::beside);
    verb.users.set_role("otto", Role::viewer, kTester);
    EXPECT_EQ(parts->sessions.find(two)->role, Role::viewer);
    verb.users.set_password("otto", password("another long one"), kTester);
  }
  EXPECT_FALSE(parts->sessions.find(two));
  const auto third = attempt("otto", "another long one").session;
  EXPECT_TRUE(parts->sessions.find(third));
  parts->users.remove("otto", kTester);
  EXPECT_FALSE(parts->sessions.find(third));
  parts->users.add("otto", Role::administrator, password(kGood), kTester);
  EXPECT_FALSE(parts->sessions.find(third)) << "another user of the same name";
  EXPECT_TRUE(parts->sessions.find(annas));
}

TEST_F(SessionsTest, AUserHasABoundedNumberTheNewest) {
  std::vector<std::string> all;
  for (int i = 0; i < Sessions::kOfOneUser + 3; ++i) {
    all.push_back(signed_in());
    clock.advance(seconds(1));
  }
  EXPECT_EQ(rows("sessions"), Sessions::kOfOneUser);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(parts->sessions.find(all[i]).has_value(), i >= 3) << i;
}

TEST_F(SessionsTest, ASetClockLengthensNoSession) {
  const std::string name = signed_in();
  const auto ends_after = [&](seconds most) {
    seconds used{0};
    while (parts->sessions.find(name)) {
      clock.advance(minutes(10));
      used += minutes(10);
      clock.set({clock.now().seconds - 600, 0});   // somebody holds the time of day fast
      if (used > most) return false;
    }
    return true;
  };
  EXPECT_TRUE(ends_after(hours(12)));
  const std::string idle = signed_in();
  clock.advance(minutes(29));
  clock.set({clock.now().seconds - 3600, 0});
  clock.advance(minutes(1));
  EXPECT_FALSE(parts->sessions.find(idle));
}

TEST_F(SessionsTest, AClockSetBackWhileTheServiceIsDownEndsThem) {
  const std::string name = signed_in();
  reopen();
  EXPECT_TRUE(parts->sessions.find(name));
  clock.set({clock.now().seconds - 1, 0});
  reopen();
  EXPECT_FALSE(parts->sessions.find(name));
  EXPECT_EQ(rows("sessions"), 0);
}

TEST_F(SessionsTest, AFullDiskLetsPeopleLook) {
  const std::string name = signed_in();
  parts.reset();
  Disk disk;
  Parts full(folder.path(), clock, entropy, kdf, StateFile::Use::service, disk.name());
  disk.strike(1, Disk::Fault::full_from_then_on);
  clock.advance(minutes(29));
  EXPECT_TRUE(full.sessions.find(name));
  clock.advance(minutes(1));
  EXPECT_FALSE(full.sessions.find(name)) << "the use could not be written";
}

class TokensTest : public Attack {
 protected:
  Timestamp in(seconds s) { return {clock.now().seconds + s.count(), 0}; }
};

TEST_F(TokensTest, OpenUntilTheyEndOrAreRemoved) {
  const auto probe = parts->tokens.add("probe of the monitoring", Role::viewer, in(hours(24)), {"anna", "192.0.2.1"});
  const auto other = parts->tokens.add("deploy", Role::operating, in(hours(48)), {"anna", "192.0.2.1"});
  ASSERT_TRUE(probe.text.starts_with("holdfast_"));
  EXPECT_EQ(probe.text.size(), Tokens::kPrefix.size() + 64);
  EXPECT_EQ(parts->tokens.find(probe.text), probe.token);
  EXPECT_EQ(parts->tokens.list(), (std::vector<Token>{probe.token, other.token}));
  for (const std::string& wrong : {std::string(), probe.text + "0", probe.text.substr(0, probe.text.size() - 1), "Holdfast_" + probe.text.substr(9)})
    EXPECT_FALSE(parts->tokens.find(wrong)) << wrong;
  parts->tokens.remove(other.token.id, kTester);
  EXPECT_FALSE(parts->tokens.find(other.text));
  EXPECT_EQ(code_of([&] { parts->tokens.remove(other.token.id, kTester); }), Code::not_found);
  clock.advance(hours(24) - seconds(1));
  EXPECT_TRUE(parts->tokens.find(probe.text));
  clock.advance(seconds(1));
  EXPECT_FALSE(parts->tokens.find(probe.text));
  EXPECT_TRUE(parts->tokens.list().front().expired);
  EXPECT_EQ(parts->audit.entries(0, 1).front().action, "token.expire");
  const auto head = parts->audit.head();
  EXPECT_FALSE(parts->tokens.find(probe.text));
  EXPECT_EQ(parts->audit.head(), head) << "told once";
}

TEST_F(TokensTest, AClockThatIsSetBackRevivesNone) {
  const auto seen = parts->tokens.add("seen", Role::viewer, in(hours(1)), kTester), unseen = parts->tokens.add("unseen", Role::viewer, in(hours(1)), kTester);
  const Timestamp before = clock.now();
  clock.advance(hours(2));
  EXPECT_FALSE(parts->tokens.find(seen.text));
  clock.set(before);
  EXPECT_FALSE(parts->tokens.find(seen.text));
  EXPECT_FALSE(parts->tokens.find(unseen.text));
  reopen();
  EXPECT_FALSE(parts->tokens.find(seen.text));
}

TEST_F(TokensTest, RefusalsChangeNothing) {
  const std::string before = dump(folder.path());
  for (const std::string& label : {std::string(), std::string(101, 'x'), std::string("a\nb"), std::string("\xff")})
    EXPECT_EQ(code_of([&] { parts->tokens.add(label, Role::viewer, in(hours(1)), kTester); }), Code::usage);
  EXPECT_EQ(code_of([&] { parts->tokens.add("x", Role::viewer, clock.now(), kTester); }), Code::usage);
  EXPECT_EQ(dump(folder.path()), before);
}

}  // namespace
}  // namespace holdfast::service
