// Registry exports, UTF-16 and UTF-8; the identity card is read from them too.
#include "fuzz.h"
#include "item/registry/reg_file.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::item;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  RegFile file;
  if (!accepted({Code::damaged}, [&] { file = parse_reg_file({data, size}, "x.reg"); })) return 0;
  for (const RegKey& key : file.keys) {
    for (const RegValue& value : key.values) {
      reg_text(value);
      reg_texts(value);
      reg_number(value);
      describe(value);
    }
    file.subkeys(key.path);
    find_reg_text(file, key.path, "Version");
  }
  accepted([&] { require(parse_reg_file(write_reg_file(file), "x.reg") == file, "a registry file comes back as it was"); });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  RegFile file;
  RegKey key;
  key.path = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Altiris\\eXpress\\Notification Server";
  key.values = {{"", false, RegType::sz, reg_sz("default")},          {"Version", false, RegType::sz, reg_sz("8.5.4249")},
                {"Port", false, RegType::dword, reg_dword(443)},      {"Big", false, RegType::qword, reg_qword(1ULL << 40)},
                {"List", false, RegType::multi_sz, reg_multi_sz({"a", "b\xc3\xbc"})}, {"Raw", false, RegType::binary, Bytes(40, 0xfe)},
                {"Gone", true, RegType::none, {}},                    {"Odd", false, static_cast<RegType>(0x1234), {1, 2, 3}},
                {"Quote\"\\", false, RegType::expand_sz, reg_sz("%ProgramFiles%\\x")}};
  RegKey gone;
  gone.path = key.path + "\\Old";
  gone.deleted = true;
  file.keys = {key, gone};
  std::string utf8 = "Windows Registry Editor Version 5.00\r\n\r\n; comment\r\n[HKEY_CURRENT_USER\\A]\r\n@=\"x\"\r\n\"b\"=hex:01,02,\\\r\n  03\r\n\"c\"=-\r\n";
  return {write_reg_file(file), to_bytes(utf8), to_bytes("\xef\xbb\xbf" + utf8)};
}
