#include <sys/random.h>

#include <cerrno>

#include "base/error.h"
#include "platform/entropy.h"

namespace holdfast::platform {
namespace {

class KernelEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override {
    while (!out.empty()) {
      ssize_t n = ::getrandom(out.data(), out.size(), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw os_error("cannot get random bytes from the operating system", errno);
      out = out.subspan(static_cast<std::size_t>(n));
    }
  }
};

}  // namespace

Entropy& real_entropy() {
  static KernelEntropy entropy;
  return entropy;
}

}  // namespace holdfast::platform
