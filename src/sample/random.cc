#include "sample/random.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace holdfast::sample {

Random::Random(std::uint64_t seed, std::string_view purpose) {
  std::uint64_t mix = seed;
  for (char c : purpose)
    mix = (mix ^ static_cast<unsigned char>(c)) * UINT64_C(0x100000001b3);  // FNV-1a step
  for (auto& word : state_) {
    mix += UINT64_C(0x9e3779b97f4a7c15);
    std::uint64_t z = mix;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void Random::fill(MutableBytes out) {
  for (std::size_t at = 0; at < out.size(); at += 8) {
    const std::uint64_t word = next();
    std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, out.size() - at));
  }
}

std::string Random::guid() {
  constexpr char digits[] = "0123456789ABCDEF";
  std::uint64_t words[2] = {next(), next()};
  std::string text(36, '-');
  int nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    text[i] = digits[(words[nibble / 16] >> (4 * (nibble % 16))) & 15];
    ++nibble;
  }
  text[14] = '4';                           // version: random
  text[19] = digits[8 + (words[1] >> 62)];  // variant 10xx
  return text;
}

Timestamp Random::time(Timestamp first, Timestamp last) {
  const auto span = static_cast<std::uint64_t>(last.seconds - first.seconds) + 1;
  return {first.seconds + static_cast<std::int64_t>(below(span)), 0};
}

}  // namespace holdfast::sample
