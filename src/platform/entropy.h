// Random bytes fit for keys.
#pragma once

#include "base/bytes.h"

namespace holdfast::platform {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(MutableBytes out) = 0;
  template <class Id>
  Id random() {
    Id id;
    fill(id.bytes);
    return id;
  }
};

Entropy& real_entropy();   // getrandom(2) / BCryptGenRandom

}  // namespace holdfast::platform
