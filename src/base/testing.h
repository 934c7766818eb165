// Used by tests alone.
#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "base/error.h"

namespace holdfast {

// The code of the Error that `act` throws; nullopt: it throws none.
template <class Act>
std::optional<Code> code_of(const Act& act) {
  try {
    act();
    return std::nullopt;
  } catch (const Error& e) {
    return e.code();
  }
}

// Waits for what another thread or process brings about; false after 20 s.
template <class Holds>
bool soon(const Holds& holds) {
  for (int i = 0; i < 4000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace holdfast
