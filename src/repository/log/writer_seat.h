// This installation's writer: who signs what is written. Remembered by LocalState, listed in the keyring.
#pragma once

#include <memory>
#include <vector>

#include "repository/log/log.h"
#include "repository/repository.h"

namespace holdfast::repository {

// Not thread-safe.
class WriterSeat {
 public:
  WriterSeat(const Context& context, const RepositoryId& repository, Keyring& keyring);

  // The remembered writer, or a new one when there is none or this is another machine; new ones are added to the keyring.
  LogWriter take();
  // A new writer whatever is remembered: after a rollback was accepted, so that no number is used twice.
  LogWriter begin_anew();

 private:
  LogWriter use(const WriterIdentity& identity);

  const Context& context_;
  RepositoryId repository_;
  Keyring& keyring_;
  WriterId id_;
  std::shared_ptr<const crypto::SigningKey> key_;   // nullptr: not taken yet
  std::vector<std::shared_ptr<const crypto::SigningKey>> earlier_;   // a session may still sign with one
};

}  // namespace holdfast::repository
