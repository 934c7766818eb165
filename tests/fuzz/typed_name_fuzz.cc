// What people type to name something: head codes, points, times; and names that are printed, searched and cut.
#include "base/text.h"
#include "base/time.h"
#include "fuzz.h"
#include "item/directory/exclude.h"
#include "known_repository.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<Repository> repository;
  if (!repository) {
    KnownRepository& known = known_repository();
    PointDraft draft;
    draft.finished = {1000, 0};
    known.put_point(draft);
    repository = known.open();
  }
  std::string text(reinterpret_cast<const char*>(data), size);
  accepted({Code::usage}, [&] { repository->contains_head(text); });
  accepted({Code::usage, Code::not_found, Code::unknown_name}, [&] { repository->resolve(text); });

  std::string shown = printable(text);
  require(is_utf8(shown), "what is printed is UTF-8");
  for (char c : shown) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "what is printed cannot steer a terminal");
  if (auto time = parse_utc(text)) require(parse_utc(format_utc(*time)).value().seconds == time->seconds, "a time comes back as it was");
  std::size_t half = text.size() / 2;
  std::vector<std::string> names = {text.substr(half)};
  if (size < 200) {
    nearest_name(text.substr(0, half), names);
    item::Exclude({text.substr(0, half)}).matches(text.substr(half));
  }
  std::vector<std::string> pieces = split(text, 'a');
  require(join(pieces, "a") == text, "what was split can be joined");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  for (std::string_view text : {"a1b2c3d4-17-0011223344556677", "latest", "0011aabb", "2026-11-22T02:00:05Z", "2026-11-22T02:00:05.123456789Z",
                                "*a*b?clogs/aaab/c.log", "name\x1b]0;title\x07\xe2\x80\xae\xff", "cmbdcmdb"})
    seeds.push_back(to_bytes(text));
  return seeds;
}
