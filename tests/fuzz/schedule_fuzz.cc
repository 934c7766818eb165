// Calendar expressions, and time zone files as some machine has them.
#include "fuzz.h"
#include "schedule/calendar.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::schedule;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  accepted({Code::config}, [&] {
    Expression expression = parse_expression(text);
    std::string form = expression.normal_form();
    require(parse_expression(form).normal_form() == form, "a normal form is its own normal form");
    Calendar calendar(expression, Zone());
    Timestamp at{1'790'000'000, 0};
    for (int i = 0; i < 3; ++i) {
      std::optional<Timestamp> next = calendar.next_after(at);
      if (!next) break;
      require(at < *next, "the next slot is later");
      at = *next;
    }
  });
  accepted({Code::damaged, Code::unsupported}, [&] {
    Zone zone = Zone::parse(ByteView(data, size), "a zone");
    for (std::int64_t at : {std::int64_t{-1'000'000'000}, std::int64_t{0}, std::int64_t{1'790'000'000}, std::int64_t{7'000'000'000}}) {
      Zone::Stretch stretch = zone.at(at);
      require(stretch.begin <= at && at < stretch.end, "an instant is in its stretch");
    }
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  for (std::string_view text : {"Mon..Fri 02:30", "hourly", "*:0/30", "Sun *-*~7/1 04:15 Europe/Berlin", "*-02-30", "26-1,7-1..9/2 8..18:00:0/15 UTC"})
    seeds.push_back(to_bytes(text));
  return seeds;
}
