#include "app/adapters.h"

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

namespace holdfast::app {

item::AdapterSet all_adapters() {
  item::AdapterSet set;
  set.add(std::make_unique<item::SqliteAdapter>());
  set.add(std::make_unique<item::DirectoryAdapter>());
  set.add(std::make_unique<item::SettingsAdapter>());
  set.add(std::make_unique<item::RegistryAdapter>());
  set.add(std::make_unique<item::WebConfigAdapter>());
  set.add(std::make_unique<item::CertificateAdapter>());
  set.add(std::make_unique<item::EncryptionKeysAdapter>());
  set.add(std::make_unique<item::ShareAdapter>());
  set.add(std::make_unique<item::RecordAdapter>());
  set.add(std::make_unique<item::InstallPackageAdapter>());
  set.add(std::make_unique<item::VendorBackupAdapter>());
  return set;
}

}  // namespace holdfast::app
