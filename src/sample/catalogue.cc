#include "sample/catalogue.h"

namespace holdfast::sample {

std::span<const Product> products() {
  static constexpr Product kProducts[] = {
      {"Symantec Management Platform", "D0E33520-C160-11D2-8612-00104B74A9DF", "8.7.1253.0"},
      {"Software Management Solution", "B8D1D2C6-2A6B-4C8B-9F2E-6C9F0F2B9A11", "8.7.1204.0"},
      {"Patch Management Solution", "2D5B6F0E-7F3A-4E53-9C1B-5A6F7A7E2C22", "8.7.1230.1"},
      {"Inventory Solution", "7C0B1A4D-93E5-4F68-8A20-1B3D5E7F9C33", "8.7.1198.0"},
      {"Deployment Solution", "E1F4A7B2-5C6D-4A3E-B8F9-2D4C6E8A0B44", "8.7.1221.2"},
      {"Asset Management Solution", "95A3C7E1-0B2D-4F6A-A1C3-7E9B5D3F1A55", "8.7.1187.0"},
      {"Monitor Solution for Servers", "4E6A8C0F-1D3B-4597-8F2A-6B8D0E2C4F66", "8.7.1176.0"},
  };
  return kProducts;
}

std::span<const Folder> server_folders() {
  static constexpr Folder kFolders[] = {
      {"Database", 0750},
      {"InstallationPackage", 0755},
      {"Packages", 0755},
      {"Patch Management", 0755},
      {"Patch Management/Packages", 0755},
      {"Patch Management/Packages/Updates", 0755},
      {"ProgramData", 0755},
      {"ProgramData/Symantec", 0755},
      {"ProgramData/Symantec/SMP", 0755},
      {"ProgramData/Symantec/SMP/Backup", 0750},
      {"ProgramData/Symantec/SMP/Certificates", 0700},
      {"ProgramData/Symantec/SMP/Documents", 0755},
      {"ProgramData/Symantec/SMP/KMS", 0700},
      {"ProgramData/Symantec/SMP/Licenses", 0755},
      {"ProgramData/Symantec/SMP/Settings", 0755},
      {"Registry", 0750},
      {"Shares", 0755},
      {"SoftwareLibrary", 0755},
      {"Windows", 0755},
      {"Windows/System32", 0755},
      {"Windows/System32/inetsrv", 0755},
      {"Windows/System32/inetsrv/config", 0755},
  };
  return kFolders;
}

}  // namespace holdfast::sample
