// C4, C5: memory that flips a bit, and a compressor that is wrong once. What is acknowledged was decoded from the bytes that are stored.
//
// The linker puts the functions below in front of the libraries' (CMakeLists.txt, --wrap).
#include <intel-ipsec-mb.h>

#include <atomic>
#include <iostream>

#include "ground.h"

namespace {

std::atomic<std::uint64_t> seals{0}, compressions{0};
std::atomic<std::uint64_t> wrong_seal{0}, wrong_compression{0};   // which one is wrong, from 1; 0: none

bool strikes(std::atomic<std::uint64_t>& counter, const std::atomic<std::uint64_t>& wrong) { return ++counter == wrong; }

void flip(void* bytes, std::size_t size) {
  if (size > 0) static_cast<unsigned char*>(bytes)[size / 2] ^= 4;
}

aes_gcm_enc_dec_t real_seal = nullptr;

void seal(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* out, const std::uint8_t* in, std::uint64_t size,
          const std::uint8_t* nonce, const std::uint8_t* associated, std::uint64_t associated_size, std::uint8_t* tag,
          std::uint64_t tag_size) {
  real_seal(key, context, out, in, size, nonce, associated, associated_size, tag, tag_size);
  if (size > 0 && strikes(seals, wrong_seal)) flip(out, size);
}

}  // namespace

extern "C" {

// AES-256-GCM is reached through a table of functions, which is put in place once.
void __real_init_mb_mgr_auto(IMB_MGR* functions, IMB_ARCH* processor);
void __wrap_init_mb_mgr_auto(IMB_MGR* functions, IMB_ARCH* processor) {
  __real_init_mb_mgr_auto(functions, processor);
  real_seal = functions->gcm256_enc;
  functions->gcm256_enc = seal;
}

unsigned ZSTD_isError(std::size_t code);
std::size_t __real_ZSTD_compress(void* out, std::size_t room, const void* in, std::size_t size, int level);
std::size_t __wrap_ZSTD_compress(void* out, std::size_t room, const void* in, std::size_t size, int level) {
  std::size_t n = __real_ZSTD_compress(out, room, in, size, level);
  if (ZSTD_isError(n) == 0 && strikes(compressions, wrong_compression)) flip(out, n);
  return n;
}
std::size_t __real_ZSTD_compressCCtx(void* context, void* out, std::size_t room, const void* in, std::size_t size, int level);
std::size_t __wrap_ZSTD_compressCCtx(void* context, void* out, std::size_t room, const void* in, std::size_t size, int level) {
  std::size_t n = __real_ZSTD_compressCCtx(context, out, room, in, size, level);
  if (ZSTD_isError(n) == 0 && strikes(compressions, wrong_compression)) flip(out, n);
  return n;
}
std::size_t __real_ZSTD_compress2(void* context, void* out, std::size_t room, const void* in, std::size_t size);
std::size_t __wrap_ZSTD_compress2(void* context, void* out, std::size_t room, const void* in, std::size_t size) {
  std::size_t n = __real_ZSTD_compress2(context, out, room, in, size);
  if (ZSTD_isError(n) == 0 && strikes(compressions, wrong_compression)) flip(out, n);
  return n;
}

}  // extern "C"

namespace holdfast::proof {
namespace {

struct Memory : ::testing::TestWithParam<Operation> {};

// `counter` reaches `wrong` somewhere in the operation, for every value that it takes without a fault.
void wrong_everywhere(const Operation& operation, const std::string& what, std::atomic<std::uint64_t>& counter, std::atomic<std::uint64_t>& wrong) {
  const Undisturbed& ends = undisturbed(operation);
  auto act = [&](Machine& machine) -> std::optional<Code> {
    try {
      Program run(machine);
      operation.act(run);
      return std::nullopt;
    } catch (const Error& error) {
      return error.code();
    }
  };
  std::uint64_t counted;
  {
    Machine machine(5);
    put_image(machine, ends.image);
    counter = 0;
    ASSERT_FALSE(act(machine));
    counted = counter;
  }
  std::uint64_t runs = 0;
  for (std::uint64_t nth = 1; nth <= counted; ++nth) {
    SCOPED_TRACE(what + " " + std::to_string(nth) + " of " + operation.name);
    Machine machine(6000 + nth);
    put_image(machine, ends.image);
    counter = 0;
    wrong = nth;
    auto said = act(machine);
    wrong = 0;
    ++runs;
    Facts facts;
    ASSERT_NO_THROW(facts = observe(machine));
    if (!said) {
      EXPECT_EQ(facts, ends.after) << "it said that all is well";
    } else {
      EXPECT_TRUE(between(facts, ends));
    }
    if (::testing::Test::HasFailure()) return;
    if (said) {
      EXPECT_FALSE(act(machine)) << "the same command again";
    }
    ASSERT_NO_THROW(EXPECT_EQ(observe(machine), ends.after));
    if (::testing::Test::HasFailure()) return;
  }
  if (counted > 0) expect_all(what + " " + operation.name, counted, runs);
}

TEST_P(Memory, ABitFlipsInEverySealedPart) { wrong_everywhere(GetParam(), "C4 flipped", seals, wrong_seal); }

TEST_P(Memory, TheCompressorIsWrongOnce) { wrong_everywhere(GetParam(), "C5 wrongly compressed", compressions, wrong_compression); }

TEST(MemoryFaults, TheFunctionsAreReallyReplaced) {
  std::uint64_t before = seals, compressed = compressions;
  Machine machine(7);
  Program run(machine);
  make_repository(run.context(), password());
  back_up(run.repository(), machine.clock, 1);
  EXPECT_GT(seals, before + 5);
  EXPECT_GT(compressions, compressed + 2);
}

INSTANTIATE_TEST_SUITE_P(Operations, Memory, ::testing::ValuesIn(operations()), [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace holdfast::proof
