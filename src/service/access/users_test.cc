#include "service/access/users.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/text.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

constexpr std::string_view kGood = "a long enough one";

class UsersTest : public ::testing::Test {
 protected:
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{3};
  CountingKdf kdf;
  Parts parts{folder.path(), clock, entropy, kdf};
};

TEST_F(UsersTest, AreAddedListedChangedAndRemoved) {
  parts.users.add("Otto.B", Role::operating, password(kGood), kTester);
  clock.advance(std::chrono::hours(1));
  parts.users.add("anna@example.test", Role::administrator, password(kGood), kTester);
  const auto users = parts.users.list();
  ASSERT_EQ(users.size(), 2U);
  EXPECT_EQ(users[0].name, "anna@example.test");
  EXPECT_EQ(users[1].name, "otto.b");
  EXPECT_EQ(users[1].role, Role::operating);
  parts.users.set_password("OTTO.B", password("another long one"), kTester);
  const auto otto = parts.users.find("otto.b");
  ASSERT_TRUE(otto);
  EXPECT_EQ(otto->password_changed.seconds - otto->created.seconds, 3600);
  parts.users.remove("otto.b", kTester);
  EXPECT_FALSE(parts.users.find("otto.b"));
  std::vector<std::string> actions;
  for (const auto& e : parts.audit.entries(0, 10)) actions.push_back(e.action + " " + e.object);
  EXPECT_EQ(actions, (std::vector<std::string>{"user.remove otto.b", "user.password otto.b", "user.add anna@example.test", "user.add otto.b"}));
}

TEST_F(UsersTest, NoRefusalChangesAnything) {
  parts.users.add("anna", Role::administrator, password(kGood), kTester);
  const std::string before = dump(folder.path());
  EXPECT_EQ(code_of([&] { parts.users.add("ANNA", Role::viewer, password(kGood), kTester); }), Code::already_exists);
  for (const char* name : {"", " anna", "an na", "-x", ".x", "x\n", "Ännchen", "a/b", "a'b", "x\x1b"})
    EXPECT_EQ(code_of([&] { parts.users.add(name, Role::viewer, password(kGood), kTester); }), Code::usage) << name;
  EXPECT_EQ(code_of([&] { parts.users.add(std::string(65, 'x'), Role::viewer, password(kGood), kTester); }), Code::usage);
  EXPECT_EQ(code_of([&] { parts.users.set_password("otto", password(kGood), kTester); }), Code::not_found);
  EXPECT_EQ(code_of([&] { parts.users.set_role("otto", Role::viewer, kTester); }), Code::not_found);
  EXPECT_EQ(code_of([&] { parts.users.remove("otto", kTester); }), Code::not_found);
  EXPECT_EQ(dump(folder.path()), before);
}

TEST_F(UsersTest, WeakPasswordsAreRefusedBeforeAnyWork) {
  parts.users.add("administrator", Role::administrator, password(kGood), kTester);
  const std::string before = dump(folder.path());
  kdf.calls = 0;
  for (const std::string weak : {"", "elevenchars", "äöüäöüäöüäö", "Administrator", "short\nbut a second line", "\xff\xfe 12 characters and more"})
    EXPECT_EQ(code_of([&] { parts.users.set_password("administrator", password(weak), kTester); }), Code::usage) << weak;
  EXPECT_EQ(code_of([&] { parts.users.set_password("administrator", password(std::string(1025, 'x')), kTester); }), Code::usage);
  EXPECT_EQ(kdf.calls, 0);
  EXPECT_EQ(dump(folder.path()), before);
  parts.users.set_password("administrator", password("äöüäöüäöüäöü"), kTester);
}

TEST_F(UsersTest, TheLastAdministratorStaysOne) {
  parts.users.add("anna", Role::administrator, password(kGood), kTester);
  parts.users.add("otto", Role::recovery, password(kGood), kTester);
  EXPECT_TRUE(parts.users.is_last_administrator("anna"));
  EXPECT_FALSE(parts.users.is_last_administrator("otto"));
  EXPECT_EQ(code_of([&] { parts.users.remove("anna", kTester); }), Code::precondition);
  EXPECT_EQ(code_of([&] { parts.users.set_role("anna", Role::recovery, kTester); }), Code::precondition);
  parts.users.set_role("anna", Role::administrator, kTester);
  parts.users.set_role("otto", Role::administrator, kTester);
  parts.users.remove("anna", kTester);
  EXPECT_EQ(code_of([&] { parts.users.remove("otto", kTester); }), Code::precondition);
}

TEST_F(UsersTest, ComposedAndDecomposedLettersAndLineEndsAreOnePassword) {
  parts.users.add("anna", Role::administrator, password("gr\xc3\xbc\xc3\x9f dich gott\r\nsecond line"), kTester);
  using Outcome = SignInAnswer::Outcome;
  EXPECT_EQ(parts.sign_in.try_password("anna", password("gru\xcc\x88\xc3\x9f dich gott"), "192.0.2.1").outcome, Outcome::signed_in);
  EXPECT_EQ(parts.sign_in.try_password("ANNA", password("gr\xc3\xbc\xc3\x9f dich gott"), "192.0.2.1").outcome, Outcome::signed_in);
  EXPECT_EQ(parts.sign_in.try_password("anna", password("gr\xc3\xbc\xc3\x9f dich gott "), "192.0.2.1").outcome, Outcome::refused);
}

TEST_F(UsersTest, NothingReadableIsKept) {
  parts.users.add("anna", Role::administrator, password("Xyzzy plugh 12345"), kTester);
  const auto answer = parts.sign_in.try_password("anna", password("Xyzzy plugh 12345"), "192.0.2.1");
  parts.sign_in.try_password("MySecretTypedAsName", password("x"), "192.0.2.1");
  const auto token = parts.tokens.add("probe", Role::viewer, {1'900'000'000, 0}, kTester);
  std::string all;
  for (const auto& e : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream in(e.path(), std::ios::binary);
    all += to_lower_ascii(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  const auto raw = [](const std::string& hex) {
    Bytes bytes(hex.size() / 2);
    EXPECT_TRUE(from_hex(hex, bytes));
    return to_lower_ascii(as_text(bytes));
  };
  for (const std::string& secret : {std::string("xyzzy plugh"), std::string("mysecrettypedasname"), answer.session, answer.csrf, token.text,
                                    raw(answer.session), raw(token.text.substr(Tokens::kPrefix.size()))})
    EXPECT_EQ(all.find(secret), std::string::npos);
}

// docs/service.md, "Who may what": the table that people read is the one that holds.
TEST(Rights, TheMatrixIsTheOneInTheDocument) {
  std::ifstream document(std::filesystem::path(__FILE__).parent_path() / "../../../docs/service.md");
  ASSERT_TRUE(document);
  std::size_t rows = 0;
  std::vector<std::string> head;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("| right |")) {
      for (const std::string& cell : split(line, '|')) head.emplace_back(trim(cell));
      continue;
    }
    if (head.empty() || line.starts_with("|---")) continue;
    if (!line.starts_with("|")) break;
    const auto cells = split(line, '|');
    ASSERT_EQ(cells.size(), head.size()) << line;
    const auto right = std::find_if(all_rights().begin(), all_rights().end(),
                                    [&](Right r) { return trim(cells[1]).starts_with("`" + std::string(to_text(r)) + "`"); });
    ASSERT_NE(right, all_rights().end()) << line;
    std::cout << "  " << to_text(*right) << ":";
    for (std::size_t column = 2; column + 1 < head.size(); ++column) {
      const auto role = role_named(head[column]);
      ASSERT_TRUE(role) << head[column];
      EXPECT_EQ(may(*role, *right), trim(cells[column]) == "yes") << line << " " << head[column];
      std::cout << " " << head[column] << (may(*role, *right) ? " yes" : " -");
    }
    std::cout << "\n";
    ++rows;
  }
  EXPECT_EQ(rows, all_rights().size());
  EXPECT_EQ(head.size(), all_roles().size() + 3);
}

TEST(Rights, EachRoleMayAtLeastWhatTheOneBeforeMay) {
  for (Right right : all_rights())
    for (std::size_t i = 1; i < all_roles().size(); ++i) EXPECT_LE(may(all_roles()[i - 1], right), may(all_roles()[i], right));
  EXPECT_TRUE(may(Role::recovery, Right::recover));
  EXPECT_FALSE(may(Role::recovery, Right::retention));
}

TEST(Rights, EveryKindOfJobNeedsARight) {
  for (const char* kind : {"backup", "verify", "check", "copy", "kit"}) EXPECT_EQ(right_for_job(kind), Right::operate) << kind;
  for (const char* kind : {"export", "restore", "recover"}) EXPECT_EQ(right_for_job(kind), Right::recover) << kind;
  for (const char* kind : {"retention", "prune"}) EXPECT_EQ(right_for_job(kind), Right::retention) << kind;
  EXPECT_FALSE(right_for_job("Backup"));
  EXPECT_FALSE(right_for_job(""));
}

std::size_t resident() {
  std::ifstream in("/proc/self/statm");
  std::size_t whole = 0, pages = 0;
  in >> whole >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(PasswordsTest, TheMemoryOfTheRealCostGoesBack) {
  platform::SeededEntropy entropy{5};
  Passwords passwords(entropy);
  const std::string kept = passwords.hash("anna", password(kGood));
  EXPECT_TRUE(kept.starts_with("$argon2id$v=19$m=65536,t=3,p=1$")) << kept;
  const std::size_t before = resident();
  EXPECT_TRUE(passwords.matches(passwords.turn(), kept, password(kGood)));
  EXPECT_FALSE(passwords.matches(passwords.turn(), kept, password("a long enough two")));
  EXPECT_FALSE(passwords.matches(passwords.turn(), std::nullopt, password(kGood)));
  const std::size_t after = resident();
  std::cout << "resident before " << before / 1024 << " KiB, after three hashes " << after / 1024 << " KiB\n";
  EXPECT_LT(after, before + (8U << 20));
}

TEST(PasswordsTest, TwoAtATimeTheOthersWaitAndTooManyAreToldSo) {
  platform::SeededEntropy entropy{5};
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0, most = 0;
  bool open = false;
  Passwords passwords(entropy, {64, 1}, [&](ByteView, ByteView, crypto::Argon2Cost) {
    std::unique_lock lock(mutex);
    most = std::max(most, ++running);
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --running;
    return crypto::Secret(32);
  });
  constexpr int kThreads = Passwords::kAtATime + Passwords::kMostWaiting + 8;
  std::atomic<int> done{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      try {
        passwords.hash("anna", password(kGood));
        ++done;
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::unavailable);
        ++refused;
      }
    });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return running == Passwords::kAtATime; });
  }
  while (refused < 8) std::this_thread::yield();
  {
    std::lock_guard lock(mutex);
    open = true;
  }
  changed.notify_all();
  for (auto& t : threads) t.join();
  EXPECT_EQ(most, Passwords::kAtATime);
  EXPECT_EQ(refused, 8);
  EXPECT_EQ(done, kThreads - 8);
}

TEST(PasswordsTest, AStoredHashThatAsksForTooMuchMemoryIsRefused) {
  platform::SeededEntropy entropy{5};
  Passwords passwords(entropy);
  std::string hostile = crypto::PasswordHash{{4'000'000, 3}, {}, {}}.text();
  EXPECT_EQ(code_of([&] { passwords.matches(passwords.turn(), hostile, password(kGood)); }), Code::unsupported);
  EXPECT_EQ(code_of([&] { passwords.matches(passwords.turn(), "plain", password(kGood)); }), Code::damaged);
}

}  // namespace
}  // namespace holdfast::service
