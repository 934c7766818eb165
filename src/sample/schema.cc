#include "sample/schema.h"

namespace holdfast::sample {

std::span<const std::string_view> schema_tables() {
  static constexpr std::string_view kTables[] = {
      "CREATE TABLE Item (Guid TEXT NOT NULL, Name TEXT NOT NULL, ClassGuid TEXT NOT NULL, Description TEXT,"
      " CreatedDate TEXT NOT NULL, ModifiedDate TEXT NOT NULL, State INTEGER NOT NULL)",
      "CREATE TABLE ItemVersions (ItemGuid TEXT NOT NULL, VersionGuid TEXT NOT NULL, Version INTEGER NOT "
      "NULL)",
      "CREATE TABLE ItemClass (Guid TEXT NOT NULL, Name TEXT NOT NULL)",
      "CREATE TABLE Inv_AeX_AC_Identification (_ResourceGuid TEXT NOT NULL, Name TEXT NOT NULL, Domain TEXT,"
      " [OS Name] TEXT, [OS Version] TEXT, [Primary User] TEXT, [IP Address] TEXT, [Serial Number] TEXT,"
      " [Client Date] TEXT)",
      "CREATE TABLE Inv_AeX_AC_Client_Agent (_ResourceGuid TEXT NOT NULL, [Agent Name] TEXT NOT NULL,"
      " [Product Version] TEXT, [Install Path] TEXT)",
      "CREATE TABLE Inv_AddRemoveProgram (_ResourceGuid TEXT NOT NULL, DisplayName TEXT NOT NULL, "
      "DisplayVersion TEXT,"
      " Publisher TEXT, InstallDate TEXT, UninstallString TEXT)",
      "CREATE TABLE Evt_AeX_Client_LogOn (_ResourceGuid TEXT NOT NULL, [User] TEXT, Domain TEXT, Event TEXT, "
      "Time TEXT,"
      " Duration INTEGER)",
      "CREATE VIEW vComputer AS SELECT Item.Guid AS Guid, Inv_AeX_AC_Identification.Name AS Name, Domain, "
      "[OS Name],"
      " [Primary User] FROM Inv_AeX_AC_Identification JOIN Item ON Item.Guid = _ResourceGuid",
      "CREATE TABLE SWDPackage (PackageId TEXT NOT NULL, Name TEXT NOT NULL, Version TEXT, LibraryGuid TEXT)",
      "CREATE TABLE SWDPackageCodebase (PackageId TEXT NOT NULL, URL TEXT NOT NULL)",
      "CREATE TABLE ProductVersion (ProductGuid TEXT NOT NULL PRIMARY KEY, Name TEXT NOT NULL, Version TEXT "
      "NOT NULL)",
      "CREATE TABLE TaskInstances (TaskInstanceGuid TEXT NOT NULL, TaskVersionGuid TEXT NOT NULL,"
      " ResourceGuid TEXT NOT NULL, StartTime TEXT)",
      "CREATE TABLE TaskInstanceStatus (TaskInstanceGuid TEXT NOT NULL, InstanceStatus INTEGER NOT NULL)",
      "CREATE TABLE TaskInstanceResults (TaskInstanceGuid TEXT NOT NULL, EndTime TEXT NOT NULL, Result TEXT)",
      "CREATE TABLE ServerTaskInstanceRequests (TaskInstanceGuid TEXT NOT NULL, RequestedBy TEXT, "
      "RequestTime TEXT)",
      "CREATE TABLE ServerTaskInstanceStates (TaskInstanceGuid TEXT NOT NULL, StateData TEXT)",
      "CREATE TABLE ClientTaskInstanceRequests (TaskInstanceGuid TEXT NOT NULL, ResourceGuid TEXT, "
      "RequestTime TEXT)",
      "CREATE TABLE HierarchyCredential (Guid TEXT NOT NULL PRIMARY KEY, ServerUrl TEXT NOT NULL, Account "
      "TEXT NOT NULL,"
      " EncryptedPassword BLOB NOT NULL)",
      "CREATE TABLE RunAsAccount (Guid TEXT NOT NULL PRIMARY KEY, Account TEXT NOT NULL,"
      " EncryptedPassword BLOB NOT NULL)",
      "CREATE TABLE WebServiceCredential (Guid TEXT NOT NULL PRIMARY KEY, Name TEXT NOT NULL,"
      " EncryptedSecret BLOB NOT NULL)",
  };
  return kTables;
}

std::span<const Index> schema_indexes() {
  static constexpr Index kIndexes[] = {
      {"PK_Item", "Item (Guid)", true},
      {"IX_ItemVersions", "ItemVersions (ItemGuid, Version)", true},
      {"PK_Inv_AeX_AC_Identification", "Inv_AeX_AC_Identification (_ResourceGuid)", true},
      {"IX_Inv_AeX_AC_Client_Agent", "Inv_AeX_AC_Client_Agent (_ResourceGuid)", false},
      {"IX_Inv_AddRemoveProgram", "Inv_AddRemoveProgram (_ResourceGuid)", false},
      {"PK_TaskInstances", "TaskInstances (TaskInstanceGuid)", true},
      {"PK_TaskInstanceStatus", "TaskInstanceStatus (TaskInstanceGuid)", true},
      {"PK_TaskInstanceResults", "TaskInstanceResults (TaskInstanceGuid)", true},
  };
  return kIndexes;
}

}  // namespace holdfast::sample
