// Objects by name, out of a folder or out of a container (an export in one file), and their envelope.
// Sections "The store", "Envelope of every object", "Container" and "Limits" of docs/repository-format.md.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "bytes.h"

namespace compat {

enum Type : std::uint16_t {
  kRepository = 1,
  kSlot = 2,
  kKeyring = 3,
  kPack = 4,
  kIndex = 5,
  kInventory = 6,
  kPoint = 7,
  kRecord = 8,
  kReplica = 9,
  kMap = 10,
};

/// "pack/<hash>"; not for records, whose names hold more.
std::string name_of(std::uint64_t type, View hash);

/// One object whose name, envelope and size are right. The views point into `bytes`.
struct Object {
  std::string name;
  std::shared_ptr<const Bytes> bytes;
  Bytes hash;        // SHA-256 of the bytes
  View header;       // from the first byte to the header length: the associated data of what follows
  View of_type;      // the part of the header that belongs to the type
  View body;         // what follows the header, without the signature
  View signed_part;  // everything before the signature
  View signature;    // empty where the type has none
  View repository, writer;
  std::uint32_t epoch = 0;
};

/// All objects of one repository.
class Store {
 public:
  /// A folder, or a file that is a container.
  explicit Store(const std::string& place);

  /// Names that begin with "<kind>/", ascending.
  std::vector<std::string> list(const std::string& kind) const;
  bool has(const std::string& name) const { return places_.contains(name); }
  std::uint64_t size(const std::string& name) const { return places_.at(name).size; }
  Object get(const std::string& name) const;

 private:
  struct Place {
    std::string file;
    std::uint64_t offset, size;
  };
  void open_folder(const std::string& folder);
  void open_container(const std::string& file);

  std::map<std::string, Place> places_;
};

/// The plaintext of a sealed body.
Bytes open_sealed_body(View body_key, const Object& object, View sealed, std::uint64_t limit);

}  // namespace compat
