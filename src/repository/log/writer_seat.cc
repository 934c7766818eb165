#include "repository/log/writer_seat.h"

#include "base/time.h"

namespace holdfast::repository {

WriterSeat::WriterSeat(const Context& context, const RepositoryId& repository, Keyring& keyring)
    : context_(context), repository_(repository), keyring_(keyring) {}

LogWriter WriterSeat::use(const WriterIdentity& identity) {
  auto key = std::make_shared<const crypto::SigningKey>(crypto::signing_key(identity.signing_seed));
  if (!keyring_.verify_key(identity.id)) {
    Timestamp now = context_.clock.now();
    std::string label = context_.writer_label + " " + format_utc(now).substr(0, 10);
    keyring_.add_writer(key->verify_key, label, now, context_.entropy);
  }
  if (key_) earlier_.push_back(key_);
  key_ = std::move(key);
  id_ = identity.id;
  return {id_, *key_, context_.state};
}

LogWriter WriterSeat::take() {
  if (key_) return {id_, *key_, context_.state};
  if (context_.state != nullptr) {
    auto identity = context_.state->writer(repository_);
    if (identity && writer_id(crypto::signing_key(identity->signing_seed).verify_key) == identity->id) return use(*identity);
  }
  return begin_anew();
}

LogWriter WriterSeat::begin_anew() {
  WriterIdentity identity{{}, Bytes(32)};
  context_.entropy.fill(identity.signing_seed);
  identity.id = writer_id(crypto::signing_key(identity.signing_seed).verify_key);
  // Remembered first: a state folder that cannot be written is told before anything is added to the repository.
  if (context_.state != nullptr) context_.state->set_writer(repository_, identity);
  LogWriter writer = use(identity);
  crypto::wipe(identity.signing_seed);
  return writer;
}

}  // namespace holdfast::repository
