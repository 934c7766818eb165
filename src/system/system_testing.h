// What the tests of this room share: every kind of item, the example file, and how a mistake is looked at. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "item/certificate/certificate.h"
#include "item/database/sqlite/sqlite.h"
#include "item/directory/directory.h"
#include "item/encryption_keys/encryption_keys.h"
#include "item/install_package/install_package.h"
#include "item/record/record.h"
#include "item/registry/registry.h"
#include "item/settings/settings.h"
#include "item/share/share.h"
#include "item/vendor_backup/vendor_backup.h"
#include "item/web_config/web_config.h"
#include "system/system.h"

namespace holdfast::system {

namespace fs = std::filesystem;

inline const item::AdapterSet& adapters() {
  static const item::AdapterSet* all = [] {
    auto* set = new item::AdapterSet;
    set->add(std::make_unique<item::SqliteAdapter>());
    set->add(std::make_unique<item::RegistryAdapter>());
    set->add(std::make_unique<item::SettingsAdapter>());
    set->add(std::make_unique<item::WebConfigAdapter>());
    set->add(std::make_unique<item::CertificateAdapter>());
    set->add(std::make_unique<item::EncryptionKeysAdapter>());
    set->add(std::make_unique<item::DirectoryAdapter>());
    set->add(std::make_unique<item::ShareAdapter>());
    set->add(std::make_unique<item::InstallPackageAdapter>());
    set->add(std::make_unique<item::VendorBackupAdapter>());
    set->add(std::make_unique<item::RecordAdapter>());
    return set;
  }();
  return *all;
}

inline std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}
inline const std::string& example() {
  static const std::string text = read(fs::path(HOLDFAST_SOURCE_DIR) / "docs/example.holdfast.toml");
  return text;
}

// `text` with the first `from` replaced; fails loudly when there is none, so that a case cannot test nothing.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the text does not hold: " << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}
// "line:column" of the first `what` in `text`.
inline std::string place_of(const std::string& text, const std::string& what) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  if (at == std::string::npos) return "?";
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  const std::size_t start = text.rfind('\n', at);
  return std::to_string(line) + ":" + std::to_string(at - (start == std::string::npos ? 0 : start + 1) + 1);
}

inline std::string mistake_in(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::config) << e.message();
    return e.message();
  }
  return "(no mistake)";
}
inline std::string system_mistake(const std::string& text) {
  return mistake_in([&] { parse_system(text, "ns01.toml", "/srv", adapters()); });
}

struct Case { std::string from, to, at, says; };   // `at`: text of the changed file where the mistake is reported

inline void expect_mistakes(const std::string& file, const std::string& text, const std::vector<Case>& cases,
                     const std::function<std::string(const std::string&)>& mistake) {
  for (const Case& c : cases) {
    const std::string changed = with(text, c.from, c.to);
    const std::string message = mistake(changed);
    const std::string place = file + ":" + place_of(changed, c.at) + ": ";
    EXPECT_TRUE(message.starts_with(place)) << "expected at " << place << "\n  said: " << message;
    EXPECT_NE(message.find(c.says), std::string::npos) << "expected: " << c.says << "\n  said: " << message;
    EXPECT_NE(message.find("expected"), std::string::npos) << message;
  }
}

}  // namespace holdfast::system
