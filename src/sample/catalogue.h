// What the sample Notification Server is called, what is installed on it and which folders it has.
// The one place for facts that the installation package, the registry and the database must agree on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::sample {

struct Product {
  std::string_view name, id, version;
};
std::span<const Product> products();  // the main product first

inline constexpr std::string_view kInstallPath = R"(C:\Program Files\Altiris\Notification Server)";
inline constexpr std::string_view kApplicationIdentity = R"(EXAMPLE\svc-altiris)";
inline constexpr std::string_view kDatabaseName = "Symantec_CMDB";

// 2026-01-05T08:00:00Z: the time of every folder under `server`.
inline constexpr Timestamp kFolderTime{1767600000, 0};
// 2024-03-01T00:00:00Z and 2025-12-19T18:00:00Z: the sample's files were last changed between these, but for the vendor's
// backup file and its password: a day before the sample is made, for an old one would be stale.
inline constexpr Timestamp kFirstFileTime{1709251200, 0}, kLastFileTime{1766167200, 0};

// Paths below `server`.
inline constexpr std::string_view kProgramFolder = "Program Files/Altiris/Notification Server";
inline constexpr std::string_view kDatabaseFolder = "Database";
inline constexpr std::string_view kCoreSettings = "ProgramData/Symantec/SMP/Settings/CoreSettings.config";
inline constexpr std::string_view kRegistry = "Registry/HKLM-SOFTWARE-Altiris.reg";
inline constexpr std::string_view kWebConfig = "Windows/System32/inetsrv/config/applicationHost.config";
inline constexpr std::string_view kCertificates = "ProgramData/Symantec/SMP/Certificates";
inline constexpr std::string_view kKmsKeys = "ProgramData/Symantec/SMP/KMS";
inline constexpr std::string_view kLicences = "ProgramData/Symantec/SMP/Licenses";
inline constexpr std::string_view kDocuments = "ProgramData/Symantec/SMP/Documents";
inline constexpr std::string_view kVendorBackup = "ProgramData/Symantec/SMP/Backup/NSConfiguration.backup";
inline constexpr std::string_view kVendorBackupPassword = "ProgramData/Symantec/SMP/Backup/NSConfiguration.password";
inline constexpr std::string_view kShare = "Shares/SoftwareLibrary.share";
inline constexpr std::string_view kSoftwareLibrary = "SoftwareLibrary";
inline constexpr std::string_view kPackages = "Packages";
inline constexpr std::string_view kPatchPackages = "Patch Management/Packages/Updates";
inline constexpr std::string_view kInstallPackage = "InstallationPackage";

struct Folder {
  std::string_view path;
  std::uint32_t mode;
};
// Every folder that a clean installation has, but for the program's own; parents first.
std::span<const Folder> server_folders();

}  // namespace holdfast::sample
