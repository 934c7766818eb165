#include "service/tls.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "platform/testing.h"

namespace holdfast::service {
namespace {

struct Place {
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{1};
  platform::FixedHost host;
  platform::ScriptedTerminal terminal;
  platform::World real = platform::real_world();
  platform::World world{real.files, clock, entropy, host, real.processes, terminal, {}};
  platform::Path state = folder.path() / "state";

  TlsIdentity identity(const system::ServiceSettings& settings = {}) {
    return tls_identity(world, state, settings, "10.1.2.3");
  }
};

TEST(Tls, ACertificateOfItsOwnIsMadeOnceAndKept) {
  Place place;
  const TlsIdentity made = place.identity();
  EXPECT_TRUE(made.made);
  const auto facts =
      crypto::check_certificate({to_bytes(made.pair.certificate_pem), to_bytes(made.pair.key_pem)}, "");
  ASSERT_TRUE(facts.key_matches);
  for (const char* name : {"ns01", "localhost", "127.0.0.1", "10.1.2.3"})
    EXPECT_NE(std::find(facts.certificate->names.begin(), facts.certificate->names.end(), name),
              facts.certificate->names.end())
        << name;
  struct stat info {};
  ASSERT_EQ(::stat((place.state / "tls.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const TlsIdentity kept = place.identity();
  EXPECT_FALSE(kept.made);
  EXPECT_EQ(kept.pair.certificate_pem, made.pair.certificate_pem);
  EXPECT_EQ(kept.sha256, made.sha256);
}

TEST(Tls, ItIsMadeAgainBeforeItEndsAndWhenItsHalvesDoNotFit) {
  Place place;
  const std::string first = place.identity().pair.certificate_pem;
  place.clock.advance(std::chrono::hours(24 * 3600));
  EXPECT_FALSE(place.identity().made);
  place.clock.advance(std::chrono::hours(24 * 30));
  EXPECT_TRUE(place.identity().made) << "less than a month is left";
  const TlsIdentity second = place.identity();
  EXPECT_NE(second.pair.certificate_pem, first);
  place.world.files.replace(place.state / "tls.crt", as_bytes(first), 0644);  // a kill between the two
  EXPECT_TRUE(place.identity().made);
  EXPECT_FALSE(place.identity().made);
}

TEST(Tls, AGivenOneIsTakenAndNeverReplaced) {
  Place place, other;
  const TlsIdentity a = other.identity();
  system::ServiceSettings settings;
  settings.certificate = other.state / "tls.crt";
  settings.key = other.state / "tls.key";
  EXPECT_EQ(place.identity(settings).sha256, a.sha256);
  EXPECT_FALSE(place.world.files.exists(place.state / "tls.crt"));
  other.clock.advance(std::chrono::hours(24 * 4000));
  place.clock.advance(std::chrono::hours(24 * 4000));
  EXPECT_EQ(place.identity(settings).sha256, a.sha256) << "its end is its owner's business";
  Place third;
  third.identity();
  settings.key = third.state / "tls.key";
  try {
    place.identity(settings);
    ADD_FAILURE() << "a key of another certificate was taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::config);
  }
}

}  // namespace
}  // namespace holdfast::service
