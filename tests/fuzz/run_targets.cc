// Runs fuzz targets without libFuzzer: on their corpus, then on mutations of it, the same ones for the same seed.
//   run_targets TARGET [--corpus FOLDER] [--runs N] [--seconds S] [--seed N]   tests call it so
//   run_targets TARGET FILE                                                   one input again
//   run_targets --list | --write-corpus FOLDER                                names; files of the seeds, a folder a target
// An input that ends the program is printed and kept in ./crash-<target>.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "crypto/hash.h"
#include "fuzz.h"
#include "targets.h"

extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace holdfast::fuzz {
namespace {

constexpr std::size_t kLongestInput = 64 << 10;
constexpr rlim_t kMostMemory = rlim_t{3} << 30;   // address space; sanitizers need more and have their own limits
constexpr unsigned kSecondsForOne = 20;

struct Now {
  const Target* target = nullptr;
  std::uint64_t seed = 0, run = 0;
  Bytes input;
} now;

void tell() {
  static bool told = false;
  if (told || !now.target) return;
  told = true;
  std::string file = std::string("crash-") + now.target->name;
  std::ofstream(file, std::ios::binary) << as_text(now.input);
  std::fprintf(stderr, "target %s, seed %llu, run %llu, %zu bytes, kept in %s:\n%s\n", now.target->name,
               static_cast<unsigned long long>(now.seed), static_cast<unsigned long long>(now.run), now.input.size(), file.c_str(),
               to_hex(ByteView(now.input).first(std::min<std::size_t>(now.input.size(), 4096))).c_str());
}
void on_signal(int number) {
  if (number == SIGALRM) std::fprintf(stderr, "one input took more than %u s\n", kSecondsForOne);
  tell();
  std::signal(number, SIG_DFL);
  std::raise(number);
}
void watch() {
  if (__sanitizer_set_death_callback) {
    __sanitizer_set_death_callback(tell);
  } else {
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
    rlimit limit{kMostMemory, kMostMemory};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  std::signal(SIGABRT, on_signal);
  std::signal(SIGALRM, on_signal);
}

void run_one(Bytes input) {
  now.input = std::move(input);
  ++now.run;
  ::alarm(kSecondsForOne);
  // A copy of exactly that size on the heap: reading beyond its end is seen.
  Bytes exact(now.input.begin(), now.input.end());
  exact.shrink_to_fit();
  now.target->one_input(exact.data(), exact.size());
  ::alarm(0);
}

using Random = std::mt19937_64;

std::uint64_t interesting(Random& random) {
  static constexpr std::uint64_t kValues[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
                                              UINT64_C(1) << 40, INT64_MAX, UINT64_MAX};
  return kValues[random() % std::size(kValues)];
}

void change_once(Bytes& bytes, const std::vector<Bytes>& corpus, Random& random) {
  auto at = [&](std::size_t room) { return bytes.size() <= room ? 0 : random() % (bytes.size() - room); };
  auto place = [&](std::size_t i) { return bytes.begin() + static_cast<std::ptrdiff_t>(i); };
  switch (bytes.empty() ? 4 : random() % 8) {
    case 0: bytes[at(0) % bytes.size()] ^= static_cast<std::uint8_t>(1U << random() % 8); return;
    case 1: bytes[at(0) % bytes.size()] = static_cast<std::uint8_t>(random()); return;
    case 2: {   // a number of 1, 2, 4 or 8 bytes
      std::size_t size = std::size_t{1} << random() % 4, from = at(size);
      std::uint64_t value = interesting(random);
      for (std::size_t i = 0; i < size && from + i < bytes.size(); ++i) bytes[from + i] = static_cast<std::uint8_t>(value >> (8 * i));
      return;
    }
    case 3: {   // a varint, inserted
      Bytes value = Writer().varint(interesting(random)).take();
      bytes.insert(place(at(0)), value.begin(), value.end());
      return;
    }
    case 4: bytes.insert(place(at(0)), 1 + random() % 16, static_cast<std::uint8_t>(random())); return;
    case 5: {
      std::size_t from = at(0), n = std::min<std::size_t>(1 + random() % 32, bytes.size() - from);
      bytes.erase(place(from), place(from + n));
      return;
    }
    case 6: {   // a piece of it once more
      std::size_t from = at(0), n = std::min<std::size_t>(1 + random() % 64, bytes.size() - from);
      Bytes piece(place(from), place(from + n));
      bytes.insert(place(at(0)), piece.begin(), piece.end());
      return;
    }
    default: {   // goes on as another one
      const Bytes& other = corpus[random() % corpus.size()];
      if (other.empty()) return;
      std::size_t from = random() % other.size();
      bytes.resize(at(0));
      bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
    }
  }
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) broken("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Bytes> corpus_of(const Target& target, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::exists(folder / target.name))
    for (const auto& entry : std::filesystem::directory_iterator(folder / target.name)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus = target.seeds();
  for (const auto& file : files) corpus.push_back(read_file(file));
  if (corpus.empty()) broken(std::string("target ") + target.name + " has no seed");
  return corpus;
}

void run(const Target& target, const std::filesystem::path& folder, std::uint64_t runs, double seconds, std::uint64_t seed) {
  now.target = &target;
  now.seed = seed;
  const std::vector<Bytes> corpus = corpus_of(target, folder);
  for (const Bytes& input : corpus) run_one(input);
  run_one({});
  Random random(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::uint64_t done = 0;
  for (; done < runs && std::chrono::steady_clock::now() < end; ++done) {
    Bytes input = corpus[random() % corpus.size()];
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) change_once(input, corpus, random);
    if (input.size() > kLongestInput) input.resize(kLongestInput);
    run_one(std::move(input));
  }
  std::printf("%s: %zu inputs of the corpus, %llu mutations, seed %llu\n", target.name, corpus.size(),
              static_cast<unsigned long long>(done), static_cast<unsigned long long>(seed));
}

void write_corpus(const std::filesystem::path& folder) {
  for (const Target& target : targets()) {
    std::filesystem::create_directories(folder / target.name);
    for (const Bytes& seed : target.seeds())
      std::ofstream(folder / target.name / crypto::sha256(seed).hex().substr(0, 16), std::ios::binary) << as_text(seed);
  }
}

int main_of(const std::vector<std::string>& arguments) {
  std::filesystem::path corpus;
  std::uint64_t runs = 2000, seed = 1;
  double seconds = 1;
  if (arguments.size() == 1 && arguments[0] == "--list") {
    for (const Target& target : targets()) std::printf("%s\n", target.name);
    return 0;
  }
  if (arguments.size() == 2 && arguments[0] == "--write-corpus") return write_corpus(arguments[1]), 0;
  const Target* target = nullptr;
  for (const Target& t : targets())
    if (!arguments.empty() && arguments[0] == t.name) target = &t;
  if (!target) return std::fprintf(stderr, "no such target\n"), 2;
  watch();
  if (arguments.size() == 2) {
    now.target = target;
    return run_one(read_file(arguments[1])), 0;
  }
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--corpus") corpus = arguments[i + 1];
    if (arguments[i] == "--runs") runs = std::stoull(arguments[i + 1]);
    if (arguments[i] == "--seconds") seconds = std::stod(arguments[i + 1]);
    if (arguments[i] == "--seed") seed = std::stoull(arguments[i + 1]);
  }
  run(*target, corpus, runs, seconds, seed);
  return 0;
}

}  // namespace
}  // namespace holdfast::fuzz

int main(int argc, char** argv) { return holdfast::fuzz::main_of({argv + 1, argv + argc}); }
