#include "objects.h"

#include <filesystem>
#include <fstream>

#include "primitives.h"

namespace compat {

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;

struct TypeRule {
  const char* kind;
  std::uint64_t limit;
  bool is_signed;
};

const TypeRule& rule_of(std::uint64_t type) {
  static const std::map<std::uint64_t, TypeRule> rules = {
      {kRepository, {"repository", 64 * KiB, false}},
      {kSlot, {"slot", 4 * KiB, false}},
      {kKeyring, {"keyring", 1 * MiB, false}},
      {kPack, {"pack", 256 * MiB, true}},
      {kIndex, {"index", 1 * GiB, true}},
      {kInventory, {"inventory", 1 * MiB, false}},
      {kPoint, {"point", 1 * GiB, true}},
      {kRecord, {"record", 16 * MiB, true}},
      {kReplica, {"replica", 4 * KiB, false}},
      {kMap, {"map", 64 * MiB, true}},
  };
  const auto found = rules.find(type);
  require(found != rules.end(), "there is no object type " + std::to_string(type));
  return found->second;
}

std::uint64_t type_of_name(const std::string& name) {
  for (std::uint64_t type = kRepository; type <= kMap; ++type)
    if (name.starts_with(std::string(rule_of(type).kind) + "/")) return type;
  throw Refused(name + " is not the name of an object");
}

Bytes read_range(const std::string& file, std::uint64_t offset, std::uint64_t size) {
  std::ifstream in(file, std::ios::binary);
  Bytes bytes(size, '\0');
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  require(in.good() && static_cast<std::uint64_t>(in.gcount()) == size, "cannot read " + file);
  return bytes;
}

}  // namespace

std::string name_of(std::uint64_t type, View hash) {
  return std::string(rule_of(type).kind) + "/" + hex(hash);
}

Store::Store(const std::string& place) {
  if (fs::is_directory(place))
    open_folder(place);
  else
    open_container(place);
}

void Store::open_folder(const std::string& folder) {
  for (auto i = fs::recursive_directory_iterator(folder); i != fs::recursive_directory_iterator(); ++i) {
    std::string name = fs::relative(i->path(), folder).generic_string();
    if (name == "tmp") i.disable_recursion_pending();
    if (i->is_directory()) continue;
    require(i->is_regular_file() && !i->is_symlink(), name + " is not a file");
    if (name.starts_with("pack/")) {  // pack/ab/ab12... in a folder is the object pack/ab12...
      require(name.size() == 72 && name.substr(5, 2) == name.substr(8, 2),
              name + " is not where a pack lies");
      name.erase(5, 3);
    }
    type_of_name(name);
    places_[name] = {i->path().string(), 0, i->file_size()};
  }
}

void Store::open_container(const std::string& file) {
  const std::uint64_t size = fs::file_size(file), tail = 32 + 8 + 9;
  require(size >= 16 + tail && read_range(file, 0, 16) == View("HOLDFASTFILE\1\0\0\0", 16),
          file + " is not a container of version 1");
  const Bytes end = read_range(file, size - tail, tail);
  require(end.substr(40) == "HFFILEEND", file + " was cut off");
  const std::uint64_t table_at = Cursor(View(end).substr(32, 8), file).u64();
  require(table_at >= 16 && table_at <= size - tail && size - tail - table_at <= 256 * MiB,
          file + ": the table lies outside");
  const Bytes table = read_range(file, table_at, size - tail - table_at);
  require(sha256(table) == end.substr(0, 32), file + ": the table is damaged");
  Cursor in(table, file + ", table");
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const std::string name(in.blob());
    type_of_name(name);
    const std::uint64_t offset = in.varint(), length = in.varint();
    require(offset >= 16 && offset <= table_at && length <= table_at - offset,
            name + " lies outside its container");
    require(places_.emplace(name, Place{file, offset, length}).second, name + " is in the container twice");
  }
  in.expect_end();
}

std::vector<std::string> Store::list(const std::string& kind) const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_)
    if (name.starts_with(kind + "/")) names.push_back(name);
  return names;
}

Object Store::get(const std::string& name) const {
  const auto place = places_.find(name);
  require(place != places_.end(), name + " is not there");
  const std::uint64_t type = type_of_name(name);
  const TypeRule& rule = rule_of(type);
  require(place->second.size <= rule.limit, name + " is larger than an object of its type may be");

  Object object;
  object.name = name;
  object.bytes =
      std::make_shared<const Bytes>(read_range(place->second.file, place->second.offset, place->second.size));
  object.hash = sha256(*object.bytes);
  require(name.size() >= 64 && name.ends_with(hex(object.hash)),
          name + " is damaged: its bytes have another SHA-256");

  const View all = *object.bytes;
  Cursor in(all, name);
  require(in.take(8) == "HOLDFAST", name + " is not an object");
  require(in.u16() == type, name + " is of another type than its name says");
  require(in.u16() == 1 && in.u16() == 1 && in.u16() == 0, name + " has an unknown version or suite");
  object.epoch = in.u32();
  const std::uint32_t header_length = in.u32();
  require(header_length >= 72 && header_length <= 64 * KiB && header_length <= all.size(),
          name + ": its header length is wrong");
  require(in.u64() == 0, name + " needs a feature that version 1 does not know");
  in.u64();  // optional features
  object.repository = in.take(16);
  object.writer = in.take(16);
  object.header = all.substr(0, header_length);
  object.of_type = object.header.substr(72);

  const std::size_t signature = rule.is_signed ? 64 : 0;
  require(all.size() - header_length >= signature, name + " is too short for its signature");
  object.signed_part = all.substr(0, all.size() - signature);
  object.signature = all.substr(object.signed_part.size());
  object.body = object.signed_part.substr(header_length);
  return object;
}

Bytes open_sealed_body(View body_key, const Object& object, View sealed, std::uint64_t limit) {
  Cursor in(sealed, object.name);
  const View salt = in.take(16);
  const Bytes type(object.header.substr(8, 2));
  const Bytes key = hkdf(body_key, "holdfast v1 body" + type + Bytes(salt));
  const auto plain = aes_open(key, Bytes(12, '\0'), object.header, in.rest());
  require(plain.has_value(), object.name + ": its body does not open");
  Cursor body(*plain, object.name);
  const std::uint8_t codec = body.u8();
  const std::uint64_t size = body.u64();
  require(codec <= 1 && size <= limit, object.name + ": its body has an unknown codec or is too large");
  const View data = body.rest();
  if (codec == 1) return unzstd(data, size, View(), object.name);
  require(data.size() == size, object.name + ": its body has another size than it says");
  return Bytes(data);
}

}  // namespace compat
