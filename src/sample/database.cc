#include "sample/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/time.h"
#include "sample/catalogue.h"
#include "sample/random.h"
#include "sample/schema.h"
#include "sample/sqlite.h"

namespace holdfast::sample {

namespace {

using std::string_view;

// A server that has been in use from 2024-03-01 to 2025-12-19.
constexpr Timestamp kFirst = kFirstFileTime, kLast = kLastFileTime;

constexpr std::array<string_view, 16> kClasses = {
    "Computer", "Policy", "Software Product", "Software Release", "Package", "Report", "Filter",
    "Target",   "Task",   "Client Task",      "Server Task",      "User",    "Site",   "Subnet",
    "Schedule", "Folder"};
constexpr std::array<string_view, 12> kCities = {"bern",   "geneve", "zurich", "basel", "lugano", "lausanne",
                                                 "luzern", "chur",   "sion",   "aarau", "thun",   "stgallen"};
constexpr std::array<string_view, 24> kFirstNames = {"anna",  "beat",  "carla", "daniel", "elena",  "fabio",
                                                     "gian",  "heidi", "ivan",  "julie",  "karin",  "luca",
                                                     "marie", "nils",  "olga",  "paul",   "regula", "samuel",
                                                     "tanja", "urs",   "vera",  "walter", "yves",   "zoe"};
constexpr std::array<string_view, 20> kLastNames = {
    "meier",  "rossi", "favre", "keller", "bianchi", "weber",   "dubois", "frei",    "huber",  "moser",
    "gerber", "kunz",  "roth",  "suter",  "blanc",   "brunner", "zaugg",  "amstutz", "caduff", "hofer"};
constexpr std::array<string_view, 6> kSystems = {"Windows 11 Enterprise",
                                                 "Windows 10 Enterprise LTSC",
                                                 "Windows Server 2022 Standard",
                                                 "Windows Server 2019 Datacenter",
                                                 "macOS 14 Sonoma",
                                                 "Red Hat Enterprise Linux 9"};
constexpr std::array<string_view, 6> kSystemVersions = {"10.0.22631", "10.0.19044", "10.0.20348",
                                                        "10.0.17763", "14.6.1",     "9.4"};
constexpr std::array<string_view, 7> kAgents = {
    "Symantec Management Agent", "Software Management Framework Agent",
    "Inventory Agent",           "Patch Management Agent",
    "Task Management Agent",     "Deployment Agent",
    "Package Server Agent"};
constexpr std::array<string_view, 16> kPublishers = {
    "Contoso",       "Fabrikam",           "Northwind",        "Adatum",
    "Litware",       "Proseware",          "Tailspin",         "Wingtip",
    "Fourth Coffee", "Lucerne Publishing", "Alpine Ski House", "Coho",
    "Margie",        "Relecloud",          "Trey Research",    "Woodgrove"};
constexpr std::array<string_view, 16> kTitles = {
    "Reader",         "Office Suite", "VPN Client",     "Archive Tool", "Runtime",       "Driver Package",
    "Meeting Client", "Mail Client",  "Diagram Editor", "Terminal",     "Password Safe", "Browser",
    "Print Manager",  "Code Editor",  "Font Pack",      "Scanner Tool"};
constexpr std::array<string_view, 20> kVerbs = {
    "Installs", "Removes",  "Collects", "Compares",   "Schedules", "Reports",   "Approves",
    "Retires",  "Copies",   "Restarts", "Replicates", "Refreshes", "Validates", "Notifies",
    "Archives", "Migrates", "Repairs",  "Groups",     "Limits",    "Audits"};
constexpr std::array<string_view, 20> kObjects = {"notebooks without a battery report",
                                                  "servers of the data centre",
                                                  "packages older than a quarter",
                                                  "kiosk machines in branch offices",
                                                  "software that nobody has started",
                                                  "patches rated important",
                                                  "agents that are silent for two weeks",
                                                  "licences close to their end",
                                                  "computers outside every site",
                                                  "printers with an old driver",
                                                  "accounts of external staff",
                                                  "machines awaiting a restart",
                                                  "downloads from the package server",
                                                  "task results with an error",
                                                  "inventory of removable media",
                                                  "policies without a target",
                                                  "devices in the test ring",
                                                  "subnets without a site",
                                                  "users with two computers",
                                                  "reports that take too long"};
constexpr std::array<string_view, 12> kReasons = {
    "for the monthly review",        "on request of the service desk",
    "before the maintenance window", "after working hours",
    "as agreed with the owners",     "for the audit of this year",
    "until the migration is over",   "in waves of fifty",
    "with a reminder to the user",   "only over cable",
    "when the site server is near",  "and writes a line to the log"};
constexpr std::array<string_view, 8> kResults = {"Completed successfully",
                                                 "Completed, restart pending",
                                                 "Exit code 3010",
                                                 "Exit code 1603: fatal error during installation",
                                                 "Download failed: no package server available",
                                                 "Not applicable",
                                                 "Timed out",
                                                 "Completed with warnings"};

enum TaskStatus : std::int64_t { waiting = 0, running = 1, done = 2, cancelled = 3 };

// Rows of each table as a share of all rows, in thousandths.
constexpr std::uint64_t kComputers = 40, kAgentsEach = 2, kItems = 160, kPrograms = 200, kLogOns = 70,
                        kTasks = 80;

class Filling {
 public:
  Filling(Sqlite& database, const DatabaseContent& content, platform::Entropy& entropy,
          ProgressSink& progress, const Cancel& cancel)
      : database_(database),
        content_(content),
        entropy_(entropy),
        progress_(progress),
        cancel_(cancel),
        random_(content.seed, "database") {}

  std::uint64_t run() {
    products();
    classes();
    computers();
    items();
    programs();
    log_ons();
    packages();
    tasks();
    secrets();
    return rows_;
  }

 private:
  std::uint64_t share(std::uint64_t thousandths, std::uint64_t least) const {
    return std::max(content_.rows * thousandths / 1000, least);
  }
  std::string date() { return format_utc(random_.time(kFirst, kLast)); }
  void counted() {
    if (++rows_ % 1000 == 0) {
      cancel_.check();
      progress_.add(0, 0);
    }
  }

  void products() {
    auto insert = database_.prepare("INSERT INTO ProductVersion VALUES (?, ?, ?)");
    for (const auto& product : sample::products()) {
      insert.run(product.id, product.name, product.version);
      counted();
    }
  }

  void classes() {
    auto insert = database_.prepare("INSERT INTO ItemClass VALUES (?, ?)");
    for (auto name : kClasses) {
      classes_.push_back(random_.guid());
      insert.run(classes_.back(), name);
      counted();
    }
  }

  std::string description() {
    std::string text;
    for (auto sentences = random_.between(1, 4); sentences > 0; --sentences) {
      text += fmt::format("{} {} {}. ", random_.pick(kVerbs), random_.pick(kObjects), random_.pick(kReasons));
    }
    return text + fmt::format("Change {}-{}.", random_.between(2024, 2025), random_.between(1, 9999));
  }

  // An item with as many versions as its State says: invariant "item_state_is_newest_version".
  void item(Statement& insert, Statement& version, const std::string& guid, string_view name,
            std::size_t class_index) {
    const auto created = random_.time(kFirst, kLast);
    const auto versions = static_cast<std::int64_t>(1 + std::min(random_.below(4), random_.below(4)));
    insert.run(guid, name, classes_[class_index], description(), format_utc(created),
               format_utc(random_.time(created, kLast)), versions);
    counted();
    for (std::int64_t v = 1; v <= versions; ++v) {
      std::string version_guid = random_.guid();
      version.run(guid, version_guid, v);
      counted();
      if (kClasses[class_index].ends_with("Task")) task_versions_.push_back(std::move(version_guid));
    }
  }

  void computers() {
    auto insert = database_.prepare("INSERT INTO Item VALUES (?, ?, ?, ?, ?, ?, ?)");
    auto version = database_.prepare("INSERT INTO ItemVersions VALUES (?, ?, ?)");
    auto identification =
        database_.prepare("INSERT INTO Inv_AeX_AC_Identification VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    auto agent = database_.prepare("INSERT INTO Inv_AeX_AC_Client_Agent VALUES (?, ?, ?, ?)");
    const auto count = share(kComputers, 10);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string guid = random_.guid();
      const bool server = i % 12 == 0;
      const std::string name = fmt::format("{}-{}{:05}", random_.pick(kCities), server ? "srv" : "pc", i);
      item(insert, version, guid, name, 0);
      const auto system = server ? random_.between(2, 3) : random_.below(kSystems.size());
      identification.run(
          guid, name, "EXAMPLE", kSystems[system], kSystemVersions[system], user(),
          fmt::format("10.{}.{}.{}", random_.between(16, 60), random_.below(256), random_.between(1, 254)),
          fmt::format("{:010X}", random_.next() >> 24), date());
      counted();
      for (std::uint64_t a = 0; a < kAgentsEach; ++a) {
        agent.run(guid, a == 0 ? kAgents[0] : kAgents[1 + random_.below(kAgents.size() - 1)],
                  fmt::format("8.7.{}.{}", random_.between(1170, 1253), random_.below(3)),
                  R"(C:\Program Files\Altiris\Altiris Agent)");
        counted();
      }
      computers_.push_back(guid);
    }
  }

  std::string user() { return fmt::format("{}.{}", random_.pick(kFirstNames), random_.pick(kLastNames)); }
  const std::string& computer() { return computers_[random_.below(computers_.size())]; }

  void items() {
    auto insert = database_.prepare("INSERT INTO Item VALUES (?, ?, ?, ?, ?, ?, ?)");
    auto version = database_.prepare("INSERT INTO ItemVersions VALUES (?, ?, ?)");
    const auto count = share(kItems - kComputers, 40);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::size_t class_index = 1 + i % (kClasses.size() - 1);
      item(insert, version, random_.guid(),
           fmt::format("{} {} {}", random_.pick(kPublishers), random_.pick(kTitles), kClasses[class_index]),
           class_index);
    }
  }

  void programs() {
    auto insert = database_.prepare("INSERT INTO Inv_AddRemoveProgram VALUES (?, ?, ?, ?, ?, ?)");
    const auto count = share(kPrograms, 20);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto publisher = random_.pick(kPublishers);
      const auto title = random_.pick(kTitles);
      const std::string version =
          fmt::format("{}.{}.{}", random_.between(1, 24), random_.below(12), random_.below(4000));
      insert.run(computer(), fmt::format("{} {} {}", publisher, title, version), version, publisher, date(),
                 fmt::format(R"(MsiExec.exe /X{{{}}} /qn REBOOT=ReallySuppress)", random_.guid()));
      counted();
    }
  }

  void log_ons() {
    auto insert = database_.prepare("INSERT INTO Evt_AeX_Client_LogOn VALUES (?, ?, ?, ?, ?, ?)");
    const auto count = share(kLogOns, 20);
    for (std::uint64_t i = 0; i < count; ++i) {
      insert.run(computer(), user(), "EXAMPLE", i % 2 ? "Log off" : "Log on", date(),
                 static_cast<std::int64_t>(random_.below(36'000)));
      counted();
    }
  }

  void packages() {
    auto package = database_.prepare("INSERT INTO SWDPackage VALUES (?, ?, ?, ?)");
    auto codebase = database_.prepare("INSERT INTO SWDPackageCodebase VALUES (?, ?)");
    for (const auto& entry : content_.packages) {
      const std::string id = random_.guid();
      package.run(id, entry.name, entry.version, entry.guid);
      codebase.run(id, fmt::format(R"(\\{}\SoftwareLibrary\{{{}}}\)", content_.names.host, entry.guid));
      codebase.run(id, fmt::format("http://bern-ss1.example.test/Altiris/PS/{{{}}}/", entry.guid));
      counted(), counted(), counted();
    }
  }

  void tasks() {
    auto instance = database_.prepare("INSERT INTO TaskInstances VALUES (?, ?, ?, ?)");
    auto status = database_.prepare("INSERT INTO TaskInstanceStatus VALUES (?, ?)");
    auto result = database_.prepare("INSERT INTO TaskInstanceResults VALUES (?, ?, ?)");
    auto server_request = database_.prepare("INSERT INTO ServerTaskInstanceRequests VALUES (?, ?, ?)");
    auto server_state = database_.prepare("INSERT INTO ServerTaskInstanceStates VALUES (?, ?)");
    auto client_request = database_.prepare("INSERT INTO ClientTaskInstanceRequests VALUES (?, ?, ?)");
    const auto count = share(kTasks, 100);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string guid = random_.guid(), resource = computer();
      const auto started = random_.time(kFirst, kLast);
      const auto step = i % 100;  // of a hundred: 3 wait, 2 run, 7 were cancelled, 88 are done
      const auto state = step < 3 ? waiting : step < 5 ? running : step < 12 ? cancelled : done;
      instance.run(guid, task_versions_[random_.below(task_versions_.size())], resource, format_utc(started));
      status.run(guid, static_cast<std::int64_t>(state));
      counted(), counted();
      if (state == done) {
        result.run(guid,
                   format_utc({started.seconds + static_cast<std::int64_t>(random_.between(2, 5400)), 0}),
                   random_.pick(kResults));
        counted();
      } else if (state == waiting) {
        server_request.run(guid, user(), format_utc(started));
        client_request.run(guid, resource, format_utc(started));
        counted(), counted();
      } else if (state == running) {
        server_state.run(guid, fmt::format("step={};percent={}", random_.between(1, 9), random_.below(100)));
        client_request.run(guid, resource, format_utc(started));
        counted(), counted();
      }
    }
  }

  // Few and small, as on a real server; the passwords are random and open nothing.
  void secrets() {
    auto hierarchy = database_.prepare("INSERT INTO HierarchyCredential VALUES (?, ?, ?, ?)");
    for (string_view server : {"ns-west", "ns-lab", "ns-archive"}) {
      const std::string guid = random_.guid();
      hierarchy.run(guid, fmt::format("https://{}.example.test/Altiris/NS", server),
                    R"(EXAMPLE\svc-hierarchy)",
                    sealed(content_.keys.hierarchy, "HierarchyCredential.EncryptedPassword", guid));
      counted();
    }
    auto run_as = database_.prepare("INSERT INTO RunAsAccount VALUES (?, ?, ?)");
    for (auto city : kCities) {
      const std::string guid = random_.guid();
      run_as.run(guid, fmt::format(R"(EXAMPLE\svc-deploy-{})", city),
                 sealed(content_.keys.run_as, "RunAsAccount.EncryptedPassword", guid));
      counted();
    }
    auto web = database_.prepare("INSERT INTO WebServiceCredential VALUES (?, ?, ?)");
    for (string_view name :
         {"Service desk", "Asset register", "Procurement", "Monitoring", "Vendor portal"}) {
      const std::string guid = random_.guid();
      web.run(guid, name, sealed(content_.keys.web_service, "WebServiceCredential.EncryptedSecret", guid));
      counted();
    }
  }

  Bytes sealed(const KmsKey& key, string_view column, const std::string& guid) {
    return encrypt_column(key, column, guid, make_password(entropy_, 12 + random_.below(20)), entropy_);
  }

  Sqlite& database_;
  const DatabaseContent& content_;
  platform::Entropy& entropy_;
  ProgressSink& progress_;
  const Cancel& cancel_;
  Random random_;
  std::vector<std::string> classes_, computers_, task_versions_;
  std::uint64_t rows_ = 0;
};

std::string create_index(const Index& index) {
  return fmt::format("CREATE {}INDEX {} ON {}", index.unique ? "UNIQUE " : "", index.name, index.on);
}

}  // namespace

void write_empty_database(const platform::Path& file) {
  Sqlite database(file, Sqlite::Open::create);
  for (auto table : schema_tables()) database.execute(std::string(table));
  for (const auto& index : schema_indexes()) database.execute(create_index(index));
  database.execute("PRAGMA journal_mode = WAL");
}

std::uint64_t fill_database(const platform::Path& file, const DatabaseContent& content,
                            platform::Entropy& entropy, ProgressSink& progress, const Cancel& cancel) {
  Sqlite database(file, Sqlite::Open::existing);
  // Not safe against a crash and need not be: a sample that was not finished is made anew.
  database.execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA "
      "cache_size = -65536;");
  for (const auto& index : schema_indexes()) database.execute(fmt::format("DROP INDEX {}", index.name));
  database.execute("BEGIN");
  const std::uint64_t rows = Filling(database, content, entropy, progress, cancel).run();
  database.execute("COMMIT");
  for (const auto& index : schema_indexes()) {
    cancel.check();
    database.execute(create_index(index));
  }
  database.execute("PRAGMA synchronous = FULL; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL");
  return rows;
}

}  // namespace holdfast::sample
