// Owners for OpenSSL objects and its error text. Included by .cc files of this room only.
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/error.h"

namespace holdfast::crypto {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

// Error(defect) with the library's own reason; empties its error queue.
[[noreturn]] inline void openssl_failed(const char* doing) {
  char reason[256] = "no reason given";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  throw Error(Code::defect, std::string("cannot ") + doing + ": " + reason);
}

inline void must(bool done, const char* doing) {
  if (!done) openssl_failed(doing);
}

// Comes before the first use of OpenSSL. A machine's openssl.cnf and OPENSSL_CONF are not read: they could
// load provider modules made for another libcrypto, or forbid an algorithm without which nothing can be
// recovered.
inline void start_openssl() {
  static const bool started = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1;
  must(started, "start OpenSSL");
}

}  // namespace holdfast::crypto
