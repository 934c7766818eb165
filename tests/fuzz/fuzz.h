// What every fuzz target shares. A target is one file, <name>_fuzz.cc, with LLVMFuzzerTestOneInput() and fuzz_seeds(): with the
// `fuzz` preset it becomes a program of libFuzzer, in every other build run_targets.cc runs all of them on their corpus.
// docs/reliability.md "Fuzzing".
//
// A target ends the program (broken()) when what it reads is neither a success nor one of the errors that bytes may cause; memory
// errors are the sanitizers' business, memory and time the driver's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Inputs from real encoders, to begin with. The driver's --write-corpus makes files of them.
std::vector<holdfast::Bytes> fuzz_seeds();

namespace holdfast::fuzz {

[[noreturn]] inline void broken(const std::string& what) {
  std::fprintf(stderr, "fuzz target: %s\n", what.c_str());
  std::abort();
}
inline void require(bool holds, const char* what) {
  if (!holds) broken(std::string("does not hold: ") + what);
}

// True: `act` went through. False: it threw an Error with one of `codes`. Anything else is a fault of the program.
template <class Act>
bool accepted(std::initializer_list<Code> codes, const Act& act) {
  try {
    act();
    return true;
  } catch (const Error& error) {
    for (Code code : codes)
      if (error.code() == code) return false;
    broken("an error that bytes must not cause, " + std::string(info(error.code()).name) + ": " + error.what());
  }
}
template <class Act>
bool accepted(const Act& act) {
  return accepted({Code::damaged, Code::unsupported}, act);
}

// Several values out of one input. Any bytes are an input: what is missing at the end is zero or empty.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  std::uint8_t u8() {
    if (rest_.empty()) return 0;
    std::uint8_t v = rest_[0];
    rest_ = rest_.subspan(1);
    return v;
  }
  std::uint16_t u16() {
    std::uint16_t low = u8();
    return static_cast<std::uint16_t>(low | u8() << 8);
  }
  ByteView part() {   // u16 length, that many bytes or what there is
    std::size_t n = u16();
    if (n > rest_.size()) n = rest_.size();
    ByteView part = rest_.first(n);
    rest_ = rest_.subspan(n);
    return part;
  }
  ByteView rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

// The other way round, for seeds.
class Parts {
 public:
  Parts& u8(std::uint8_t v) { w_.u8(v); return *this; }
  Parts& u16(std::uint16_t v) { w_.u16(v); return *this; }
  Parts& part(ByteView v) { w_.u16(static_cast<std::uint16_t>(v.size())).raw(v); return *this; }
  Parts& rest(ByteView v) { w_.raw(v); return *this; }
  operator Bytes() { return w_.take(); }

 private:
  Writer w_;
};

}  // namespace holdfast::fuzz
