#include "service/access/audit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>

#include "base/text.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

class AuditLog : public ::testing::Test {
 protected:
  AuditLog() {
    Audit a(*state, clock);
    for (int i = 1; i <= kEntries; ++i) {
      clock.advance(std::chrono::seconds(7));
      a.record({"anna", "192.0.2." + std::to_string(i)}, "act." + std::to_string(i), "object " + std::to_string(i), i % 3 == 0 ? "refused" : "done", "detail");
    }
    head = a.head();
    state.reset();
  }

  AuditCheck check(const std::optional<AuditHead>& remembered = std::nullopt) {
    StateFile again(files, entropy, folder.path(), StateFile::Use::beside);
    return Audit(again, clock).verify(remembered);
  }
  // The folder as it was before anything was tampered with.
  template <class Act>
  void with_copy(Act act) {
    platform::TemporaryFolder kept;
    copy_folder(folder.path(), kept.path() / "copy");
    act();
    std::filesystem::remove_all(folder.path());
    std::filesystem::copy(kept.path() / "copy", folder.path());
  }

  static constexpr int kEntries = 12;
  platform::TemporaryFolder folder;
  platform::FileSystem& files = platform::real_file_system();
  platform::ManualClock clock;
  platform::SeededEntropy entropy{7};
  std::unique_ptr<StateFile> state = std::make_unique<StateFile>(files, entropy, folder.path(), StateFile::Use::service);
  AuditHead head;
};

TEST_F(AuditLog, IsWholeAsItWasWritten) {
  const AuditCheck c = check(head);
  EXPECT_FALSE(c.broken) << c.why;
  EXPECT_EQ(c.entries, 12U);
  EXPECT_EQ(c.head, head);
}

TEST_F(AuditLog, ListsTheNewestFirstInPages) {
  StateFile again(files, entropy, folder.path(), StateFile::Use::beside);
  Audit audit(again, clock);
  const auto newest = audit.entries(0, 5);
  ASSERT_EQ(newest.size(), 5U);
  EXPECT_EQ(newest.front().number, 12U);
  EXPECT_EQ(newest.front().action, "act.12");
  EXPECT_EQ(newest.front().outcome, "refused");
  EXPECT_EQ(newest.front().actor.origin, "192.0.2.12");
  const auto rest = audit.entries(newest.back().number, 100);
  ASSERT_EQ(rest.size(), 7U);
  EXPECT_EQ(rest.back().number, 1U);
}

TEST_F(AuditLog, NamesEachEntryOfWhichAnyFieldWasChanged) {
  int changed = 0;
  for (int n = 1; n <= kEntries; ++n)
    for (const char* what : {"time = time + 1", "who = 'otto'", "origin = ''", "action = 'other'", "object = object || ' '", "outcome = 'Done'", "detail = 'detai'",
                             "who = who || substr(origin, 1, 1), origin = substr(origin, 2)", "hash = zeroblob(32)", "hash = x''", "mac = zeroblob(32)", "mac = x''"})
      with_copy([&] {
        tamper(folder.path(), std::string("UPDATE audit SET ") + what + " WHERE number = " + std::to_string(n));
        const AuditCheck c = check();
        EXPECT_EQ(c.broken, static_cast<std::uint64_t>(n)) << what << ": " << c.why;
        EXPECT_EQ(c.entries, static_cast<std::uint64_t>(n - 1));
        ++changed;
      });
  std::cout << "entries changed: " << changed << "\n";
}

TEST_F(AuditLog, NamesEachEntryThatIsMissingSwappedOrPutIn) {
  for (int n = 1; n <= kEntries; ++n) {
    const std::string number = std::to_string(n);
    with_copy([&] {
      tamper(folder.path(), "DELETE FROM audit WHERE number = " + number);
      const AuditCheck c = check(head);
      EXPECT_EQ(c.broken, static_cast<std::uint64_t>(n)) << c.why;
    });
    with_copy([&] {   // and the numbers made whole again
      tamper(folder.path(), "DELETE FROM audit WHERE number = " + number + "; UPDATE audit SET number = -number WHERE number > " + number +
                                "; UPDATE audit SET number = -number - 1 WHERE number < 0");
      EXPECT_EQ(check(head).broken, static_cast<std::uint64_t>(n));
    });
    with_copy([&] {   // one more, copied from it, with the later ones moved
      tamper(folder.path(), "UPDATE audit SET number = -number WHERE number > " + number + "; INSERT INTO audit SELECT number + 1, time, who, origin, action, object, outcome, "
                            "detail, hash, mac FROM audit WHERE number = " + number + "; UPDATE audit SET number = 1 - number WHERE number < 0");
      EXPECT_EQ(check().broken, static_cast<std::uint64_t>(n + 1));
    });
    for (int m = n + 1; m <= kEntries; ++m)
      with_copy([&] {
        const std::string other = std::to_string(m);
        tamper(folder.path(), "UPDATE audit SET number = 0 WHERE number = " + number + "; UPDATE audit SET number = " + number + " WHERE number = " + other +
                                  "; UPDATE audit SET number = " + other + " WHERE number = 0");
        EXPECT_EQ(check().broken, static_cast<std::uint64_t>(n));
      });
  }
  with_copy([&] {
    tamper(folder.path(), "INSERT INTO audit SELECT 0, time, who, origin, action, object, outcome, detail, hash, mac FROM audit WHERE number = 1");
    EXPECT_EQ(check().broken, 1U);
  });
}

TEST_F(AuditLog, ACutEndIsSeenByARememberedHeadAlone) {
  for (int n = 1; n <= kEntries; ++n)
    with_copy([&] {
      tamper(folder.path(), "DELETE FROM audit WHERE number >= " + std::to_string(n));
      EXPECT_FALSE(check().broken);
      const AuditCheck c = check(head);
      EXPECT_EQ(c.broken, static_cast<std::uint64_t>(n));
      EXPECT_NE(c.why.find("cut off"), std::string::npos) << c.why;
    });
}

// Who has the file and not the key computes the hashes anew, in vain; who has both is found by a remembered head.
TEST_F(AuditLog, AChainWrittenAnewIsNotAuthenticOrNotTheRememberedOne) {
  with_copy([&] {
    tamper(folder.path(), "DELETE FROM audit");
    const Bytes key = files.read_all(folder.path() / "service.key");
    {
      StateFile forged(files, entropy, folder.path(), StateFile::Use::beside);
      Audit audit(forged, clock);
      for (int i = 1; i <= kEntries; ++i) audit.record({"anna", "192.0.2.1"}, "other", "thing", "done");
    }
    const AuditCheck c = check(head);
    EXPECT_EQ(c.broken, 12U);
    EXPECT_NE(c.why.find("written anew"), std::string::npos) << c.why;
    EXPECT_FALSE(check().broken);
  });
  with_copy([&] {   // the same by a service with another key
    platform::TemporaryFolder other;
    platform::SeededEntropy other_entropy{8};
    {
      StateFile theirs(files, other_entropy, other.path(), StateFile::Use::beside);
      Audit(theirs, clock).record({"anna", "192.0.2.1"}, "other", "thing", "done");
    }
    tamper(folder.path(), "DELETE FROM audit; ATTACH '" + (other.path() / "service.sqlite").string() + "' AS theirs; INSERT INTO main.audit SELECT * FROM theirs.audit");
    const AuditCheck c = check();
    EXPECT_EQ(c.broken, 1U);
    EXPECT_NE(c.why.find("not authentic"), std::string::npos) << c.why;
  });
}

TEST_F(AuditLog, TheFileItselfRefusesToChangeOrCutIt) {
  StateFile again(files, entropy, folder.path(), StateFile::Use::beside);
  for (const char* sql : {"UPDATE audit SET who = 'x'", "DELETE FROM audit WHERE number = 12", "DELETE FROM audit"}) {
    Transaction change = again.change();
    EXPECT_EQ(code_of([&] { change.run(sql); }), Code::failed) << sql;
  }
}

TEST_F(AuditLog, HostileTextsAreBoundedAndPrintable) {
  StateFile again(files, entropy, folder.path(), StateFile::Use::beside);
  Audit audit(again, clock);
  const std::string hostile = "\x1b[2J\xff" + std::string(5000, 'x') + std::string("\0y", 2);
  audit.record({hostile, hostile}, hostile, hostile, hostile, hostile);
  for (int i = 0; i < 6; ++i) audit.record({std::string(static_cast<std::size_t>(1996 + i), 'x') + "ääää", ""}, "", "", "");
  const auto entries = audit.entries(0, 7);
  for (const auto& e : entries)
    for (const std::string& text : {e.actor.who, e.object, e.detail}) {
      EXPECT_LE(text.size(), Audit::kLongest + 3);
      EXPECT_EQ(text.find('\x1b'), std::string::npos);
      EXPECT_TRUE(is_utf8(text));
    }
  EXPECT_FALSE(audit.verify().broken);
}

TEST_F(AuditLog, AnEntryThatCannotBeWrittenUndoesItsChange) {
  StateFile again(files, entropy, folder.path(), StateFile::Use::beside);
  Audit audit(again, clock);
  {
    Transaction change = again.change();
    change.run("INSERT INTO meta VALUES ('x', 1)");
    audit.append(change, kTester, "test", "x", "done");
  }   // not committed
  EXPECT_EQ(audit.head(), head);
  EXPECT_EQ(again.read().number("SELECT count(*) FROM meta WHERE name = 'x'"), 0);
}

}  // namespace
}  // namespace holdfast::service
