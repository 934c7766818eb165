// Files that this machine keeps about a repository: the writer and the heads, hashed anew or as they are.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/log/local_state.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  bool framed = in.u8() % 2 == 1;
  Writer file;
  if (framed) file.raw(as_bytes("holdfast state 1\n"));
  file.raw(in.rest());
  if (framed) file.raw(crypto::sha256(file.bytes()).view());

  platform::MemoryFileSystem files;
  files.make_directory("state");
  for (const char* what : {".writer", ".heads"}) files.create("state/" + known.id().hex() + what)->write(file.bytes());
  LocalState state(files, "state", "machine");
  if (auto writer = state.writer(known.id())) {
    require(writer->signing_seed.size() == 32, "a writer has a seed of 32 bytes");
    state.set_writer(known.id(), *writer);
    require(state.writer(known.id())->id == writer->id, "a writer comes back as it was");
  }
  Heads heads = state.heads(known.id());
  state.set_heads(known.id(), heads);
  require(state.heads(known.id()) == heads, "heads come back as they were");
  // With whatever is remembered the repository opens all the same.
  auto repository = repository::open({known.memory, known.clock, known.entropy, &state, "fuzz", "fuzz"}, known.secret());
  repository->chain_findings();
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  platform::MemoryFileSystem files;
  LocalState state(files, "state", "machine");
  state.set_writer(known.id(), {known.writer().id, Bytes(32, 4)});
  state.set_heads(known.id(), {{known.writer().id, {7, crypto::sha256(as_bytes("x"))}}});
  std::vector<Bytes> seeds;
  for (const char* what : {".writer", ".heads"}) {
    Bytes file = files.read_all("state/" + known.id().hex() + what);
    seeds.push_back(Parts().u8(0).rest(file));
    seeds.push_back(Parts().u8(1).rest(ByteView(file).subspan(17, file.size() - 17 - 32)));
  }
  return seeds;
}
