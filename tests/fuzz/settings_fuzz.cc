// Core settings and web configuration: XML of Windows products.
#include "fuzz.h"
#include "item/settings/secret_text.h"
#include "item/settings/settings.h"
#include "item/web_config/web_config.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::item;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  if (in.u8() % 2 == 0) {
    accepted({Code::damaged}, [&] {
      std::vector<Setting> settings = parse_settings(in.rest(), "CoreSettings.config");
      require(!settings.empty(), "no settings at all are damage");
      for (const Setting& s : settings) {
        require(!s.key.empty() && !s.type.empty(), "a setting has a key and a type");
        looks_secret(s.key, s.value);
      }
    });
  } else {
    accepted({Code::damaged}, [&] {
      for (const WebSite& site : parse_web_config(in.rest(), "applicationHost.config").sites) {
        require(!site.name.empty(), "a site has a name");
        for (const WebBinding& binding : site.bindings) require(!binding.protocol.empty(), "a binding has a protocol");
      }
    });
  }
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  const std::string settings =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration><settings>\n"
      "<customSetting key=\"MaxJobs\" type=\"local\" value=\"5\"/>\n"
      "<customSetting key=\"Pwd\" type=\"local\" value=\"Server=a;Password=b;\"/>\n"
      "<customSetting key=\"Dir\" type=\"registry\" regKey=\"SOFTWARE\\A\" regValue=\"Dir\" regValueType=\"string\" defaultValue=\"\"/>\n"
      "</settings></configuration>\n";
  const std::string web =
      "<?xml version=\"1.0\"?><configuration><system.applicationHost><applicationPools><add name=\"p\"/></applicationPools><sites>"
      "<site name=\"Default Web Site\" id=\"1\"><application path=\"/\" applicationPool=\"p\"><virtualDirectory path=\"/\" physicalPath=\"C:\\x\"/>"
      "</application><bindings><binding protocol=\"http\" bindingInformation=\"*:80:\"/><binding protocol=\"https\" "
      "bindingInformation=\"[::1]:443:ns01\" sslFlags=\"1\" certificateHash=\"AB12\"/></bindings></site></sites></system.applicationHost></configuration>";
  auto utf16 = [](const std::string& text) {
    Bytes bytes = {0xff, 0xfe};
    for (char c : text) bytes.insert(bytes.end(), {static_cast<std::uint8_t>(c), 0});
    return bytes;
  };
  std::vector<Bytes> seeds;
  for (std::uint8_t which = 0; which < 2; ++which) {
    const std::string& text = which == 0 ? settings : web;
    seeds.push_back(Parts().u8(which).rest(as_bytes(text)));
    seeds.push_back(Parts().u8(which).rest(utf16(text)));
    seeds.push_back(Parts().u8(which).rest(as_bytes("<!DOCTYPE a [<!ENTITY b \"&c;&c;\"><!ENTITY c \"&b;&b;\">]>\n" + text)));
  }
  return seeds;
}
