// Configuration files and profiles: also as they come out of a point.
#include "app/adapters.h"
#include "fuzz.h"
#include "sample/embedded.h"
#include "system/system.h"

using namespace holdfast;
using namespace holdfast::fuzz;

namespace {

const std::string kProfile =
    "[profile]\nname = \"small\"\ntitle = \"A small product\"\nproducts_known = [\"1.\"]\nmain_product = \"Small\"\n"
    "outside = [\"nothing\"]\n\n[[section]]\nname = \"all\"\ntitle = \"All\"\n\n"
    "[[item]]\nname = \"files\"\nkind = \"directory\"\ntitle = \"Files\"\nsection = \"all\"\ncriticality = \"critical\"\n"
    "if_lost = \"All is lost.\"\nproven_on = \"sample\"\n\n"
    "[[step]]\nname = \"restore-files\"\ntitle = \"Restore\"\ngroup = 3\nkind = \"restore\"\nitems = [\"files\"]\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const item::AdapterSet adapters = app::all_adapters();
  Input in(data, size);
  std::uint8_t what = in.u8() % 3;
  std::string text = to_text(in.rest());
  accepted({Code::config, Code::unsupported}, [&] {
    if (what == 0) {
      system::Profile profile = system::parse_profile(text, "profile.toml", adapters);
      require(profile.source == text, "a profile keeps its text");
    } else if (what == 1) {
      system::System system = system::parse_system(text, "holdfast.toml", "/base", adapters);
      for (const auto& item : system.items)
        for (const auto& [name, value] : item.options)
          if (const auto* t = std::get_if<std::string>(&value)) require(t->find('\0') == std::string::npos, "an option holds no zero");
    } else {
      Input parts(data + 1, size - 1);
      std::string configuration = to_text(parts.part());
      system::parse_system(configuration, "holdfast.toml", "/base", adapters, to_text(parts.rest()));
    }
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  const std::string small =
      "[system]\nid = \"00112233445566778899aabbccddeeff\"\nname = \"ns01\"\nprofile = \"small\"\n\n[item.files]\npath = \"files\"\n";
  std::vector<Bytes> seeds;
  for (const std::string& name : system::builtin_profile_names())
    seeds.push_back(Parts().u8(0).rest(as_bytes(*system::builtin_profile(name))));
  seeds.push_back(Parts().u8(0).rest(as_bytes(kProfile)));
  seeds.push_back(Parts().u8(1).rest(as_bytes(sample::kExampleConfiguration)));
  seeds.push_back(Parts().u8(2).part(as_bytes(small)).rest(as_bytes(kProfile)));
  return seeds;
}
