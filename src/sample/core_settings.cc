#include <fmt/format.h>

#include "sample/markup.h"
#include "sample/settings.h"

namespace holdfast::sample {

namespace {

struct Setting {
  std::string_view key;
  std::string_view clean;           // value after a clean installation
  std::string_view changed = {};    // value of the sample; "" = as installed
  std::string_view reg_key = {};    // registry-typed: key below the product's root; "" = the root itself
  std::string_view reg_value = {};  // "" = not registry-typed
  std::string_view reg_type = {};
  std::string_view upgrade_if = {};
};

constexpr Setting kSettings[] = {
    {"AgentRegistrationPolicy", "open", "approved"},
    {"ConsoleSessionTimeoutMinutes", "20", "45"},
    {"DatabaseCommandTimeout", "600", "1200", {}, {}, {}, "lt"},
    {"DatabaseDeadlockRetries", "5"},
    {"EmailSenderAddress", "", "ns-alerts@example.test"},
    {"EmailServer", "", "mail.example.test"},
    {"EventQueueMaxFileSizeKB", "20480", "40960"},
    {"EventQueuePath", R"(C:\ProgramData\Symantec\SMP\EventQueue)"},
    {"HierarchyReplicationWindow", "01:00-05:00", "22:30-04:30"},
    {"InventoryMaxAgeDays", "30", "14"},
    {"LogFileMaxCount", "50", "200"},
    {"LogSeverity", "3", "7"},
    {"PackageRefreshIntervalHours", "24", "6"},
    {"PurgeTaskHistoryDays", "90", "30"},
    {"ReportRowLimit", "10000", "50000", {}, {}, {}, "gt"},
    {"SoftwareLibraryPath", "", R"(\\@HOST@\SoftwareLibrary)"},
    {"WelcomeText", "", "Notification Server \"@HOST@\" <production> & disaster recovery site Zürich"},
    {"DownloadFromNSOnly", "0", "1", "", "PkgSvrDwonloadFromNSOnly", "DWORD", "ne"},
    {"MaxConcurrentPackageRefresh", "2", "8", "PackageRefresh", "MaxConcurrent", "DWORD", "lt"},
    {"PackageRefreshBudget", "0", "5497558138880", "PackageRefresh", "ByteBudget", "QWORD"},
    {"TempFolder", R"(%SystemRoot%\Temp)", R"(%ProgramData%\Symantec\SMP\Temp)", "", "TempFolder",
     "EXPAND_SZ"},
    {"TrustedProxies", "", "10.20.0.5;10.20.0.6", "Network", "TrustedProxies", "MULTI_SZ"},
};

std::string line(const Setting& setting, bool clean) {
  const auto value = clean || setting.changed.empty() ? setting.clean : setting.changed;
  std::string text = fmt::format(R"(    <customSetting key="{}")", xml_escape(setting.key));
  if (setting.reg_value.empty()) {
    text += fmt::format(R"( type="local" value="{}")", xml_escape(value));
  } else {
    std::string key = R"(HKLM\SOFTWARE\Altiris\eXpress\Notification Server)";
    if (!setting.reg_key.empty()) key += "\\" + std::string(setting.reg_key);
    text += fmt::format(R"( type="registry" regKey="{}" regValue="{}" defaultValue="{}" regValueType="{}")",
                        xml_escape(key), xml_escape(setting.reg_value), xml_escape(setting.clean),
                        setting.reg_type);
  }
  if (!setting.upgrade_if.empty()) text += fmt::format(R"( upgradeIf="{}")", setting.upgrade_if);
  return text + " />\n";
}

std::string document(bool clean, const std::string& host) {
  std::string text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <customSettings>\n";
  if (!clean)
    text += "    <!-- Changed by hand after consolidation of the Bern site; ask before editing. -->\n";
  for (const auto& setting : kSettings) text += line(setting, clean);
  if (!clean) {
    for (int site = 1; site <= 12; ++site) {
      text += fmt::format(
          "    <customSetting key=\"SiteServer{:02}.BandwidthLimitKbps\" type=\"local\" value=\"{}\" />\n",
          site, 512 * (site % 5 + 1));
    }
  }
  replace_all(text, "@HOST@", host);
  return text + "  </customSettings>\n</configuration>\n";
}

}  // namespace

std::string clean_core_settings() { return document(true, ""); }
std::string core_settings(const ServerNames& names) { return document(false, names.host); }

}  // namespace holdfast::sample
