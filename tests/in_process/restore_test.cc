// Giving single items back, plain-file exports, and the kit for the worst day.
#include "ground.h"
#include "recovery/restore.h"

namespace holdfast {
namespace {

using recovery::RestoreReport;
using recovery::RestoreRequest;

class RestoreTest : public Ground {
 protected:
  void SetUp() override { point = repository->load(back_up(load()).point); }

  RestoreReport restore(const RestoreRequest& request, std::optional<Code>* code = nullptr) {
    std::optional<Code> failed;
    auto report = recovery::restore(source(), point, request, failed);
    if (code) *code = failed;
    else EXPECT_FALSE(failed) << report.lines.back().error;
    return report;
  }
  RestoreRequest to_folder(std::vector<std::string> items) { return {std::move(items), to, false}; }
  RestoreRequest in_place(std::vector<std::string> items) { return {std::move(items), std::nullopt, false}; }

  // A point that somebody else made: one more item, as told, with one file `content` in it.
  void add_item(const std::string& name, const std::string& kind, const std::function<void(repository::PointDraft&)>& change = {}) {
    auto session = repository->begin_backup({&progress, &cancel, 2});
    tree::TreeSink& sink = session->begin_item(name, nullptr);
    tree::Entry root, file;
    root.kind = tree::Kind::directory;
    root.mode = 0755;
    sink.open_directory(root);
    file.name = "content";
    file.mode = 0644;
    file.size = 5;
    sink.begin_file(tree::Chunking::content_defined).write(as_bytes("hello"));
    sink.end_file(file);
    sink.close_directory();
    repository::StoredItem item;
    item.name = name;
    item.kind = kind;
    item.criticality = "optional";
    session->end_item(item);
    repository::PointDraft draft = point;
    draft.items = {item};
    if (change) change(draft);
    point = repository->load(session->publish(draft));
  }

  repository::Point point;
  Path to = folder.path() / "to";
};

TEST_F(RestoreTest, ToAFolderAndInPlace) {
  auto before = sample::describe_tree(server / "Packages");
  auto review = recovery::review_restore(source(), point, to_folder({"software-packages"}));
  ASSERT_EQ(review.lines.size(), 1U);
  EXPECT_EQ(review.lines[0].place, (to / "software-packages").string());
  EXPECT_FALSE(review.lines[0].replaces);
  EXPECT_TRUE(review.free_bytes);
  EXPECT_FALSE(std::filesystem::exists(to)) << "a review changes nothing";
  restore(to_folder({"software-packages"}));
  EXPECT_EQ(sample::describe_tree(to / "software-packages"), before);

  std::filesystem::remove_all(server / "Packages");
  EXPECT_FALSE(recovery::review_restore(source(), point, in_place({"software-packages"})).lines[0].replaces);
  restore(in_place({"software-packages"}));
  EXPECT_EQ(sample::describe_tree(server / "Packages"), before);
  EXPECT_TRUE(recovery::review_restore(source(), point, in_place({"software-packages"})).lines[0].replaces);
}

TEST_F(RestoreTest, TheReviewShowsEveryPlace) {
  auto review = recovery::review_restore(source(), point, in_place({"root-certificate"}));
  for (const char* file : {"ns-root.crt.pem", "ns-root.key.pem", "ns-root.p12", "pkcs12.password"})
    EXPECT_NE(review.lines.at(0).place.find((server / "ProgramData/Symantec/SMP/Certificates" / file).string()), std::string::npos) << file;
  EXPECT_TRUE(review.lines[0].replaces);
}

TEST_F(RestoreTest, UnknownFailedAndMissingItems) {
  auto unknown = error_of([&] { restore(to_folder({"cmbd"})); });
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code(), Code::unknown_name);
  EXPECT_NE(unknown->hint().find("cmdb"), std::string::npos);
  std::filesystem::remove_all(server / "ProgramData/Symantec/SMP/Licenses");
  point = repository->load(back_up(load()).point);
  auto failed = error_of([&] { restore(to_folder({"licences"})); });
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code(), Code::not_found);
  EXPECT_NE(failed->hint().find("restore latest --item licences"), std::string::npos);
  point = repository->load(back_up(load(), {{"cmdb"}, ""}).point);
  auto absent = error_of([&] { restore(to_folder({"kms-keys"})); });
  ASSERT_TRUE(absent);
  EXPECT_EQ(absent->code(), Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(to));
}

TEST_F(RestoreTest, AnItemThatFailsDoesNotStopTheOthers) {
  std::filesystem::create_directories(to);
  sample::write_file(to / "licences", "in the way");
  std::optional<Code> code;
  auto report = restore(to_folder({"licences", "core-settings", "cem-sheet"}), &code);
  ASSERT_TRUE(code);
  ASSERT_EQ(report.lines.size(), 3U);
  for (const auto& line : report.lines) EXPECT_EQ(line.error.empty(), line.item != "licences") << line.item << ": " << line.error;
  EXPECT_TRUE(std::filesystem::exists(to / "core-settings"));
}

TEST_F(RestoreTest, AHostileItemNameLeadsNowhere) {
  for (const std::string name : {"../x", "..", "/tmp/x", "a/b"}) {
    try {
      add_item(name, "directory");
    } catch (const Error& e) {
      continue;   // not even kept
    }
    for (bool named : {true, false}) {
      auto error = error_of([&] { restore(to_folder(named ? std::vector<std::string>{name} : std::vector<std::string>{})); });
      ASSERT_TRUE(error) << name;
      EXPECT_EQ(error->code(), Code::outside) << name;
    }
    std::optional<Code> failed;
    auto error = error_of([&] { recovery::export_folder(source(), point, {name}, to, failed); });
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->code(), Code::outside);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "x"));
    EXPECT_FALSE(std::filesystem::exists(to));
  }
}

TEST_F(RestoreTest, AnItemOfAnUnknownKindIsAPlainTree) {
  add_item("quantum-state", "quantum");
  restore(to_folder({"quantum-state"}));
  EXPECT_EQ(sample::read_file(to / "quantum-state/content"), "hello");
  auto here = error_of([&] { restore(in_place({"quantum-state"})); });
  ASSERT_TRUE(here);
  EXPECT_EQ(here->code(), Code::config);
}

TEST_F(RestoreTest, AConfigurationOfAnotherHoldfastDoesNotKeepTheFilesBack) {
  add_item("quantum-state", "quantum", [](repository::PointDraft& d) {
    d.profile = to_bytes("[profile]\nname = \"itms\"\nentangled = true\n");
    d.configuration = to_bytes("[system]\nid = \"x\"\n[item.quantum-state]\nspin = \"up\"\n");
  });
  auto review = recovery::review_restore(source(), point, to_folder({}));
  EXPECT_EQ(review.lines.size(), 1U);
  auto report = restore(to_folder({}));
  EXPECT_EQ(count(report.findings, "configuration_not_understood"), 1);
  EXPECT_EQ(sample::read_file(to / "quantum-state/content"), "hello");
  EXPECT_TRUE(error_of([&] { restore(in_place({"quantum-state"})); }));
}

TEST_F(RestoreTest, TheSecondStateOfAnItem) {
  add_item("kms-keys.after", "encryption_keys");
  restore(to_folder({}));
  EXPECT_TRUE(std::filesystem::exists(to / "kms-keys.after/content"));
  auto here = recovery::review_restore(source(), point, in_place({}));
  EXPECT_TRUE(here.lines.empty()) << "in place only when it is named";
  auto named = recovery::review_restore(source(), point, in_place({"kms-keys.after"}));
  ASSERT_EQ(named.lines.size(), 1U);
  EXPECT_EQ(named.lines[0].place, keys.string());
}

TEST_F(RestoreTest, AnExportHasMeaningfulNamesAndAnOrder) {
  std::optional<Code> failed;
  auto report = recovery::export_folder(source(), point, {}, to, failed);
  EXPECT_FALSE(failed);
  std::string time = format_utc_compact(point.finished), order = sample::read_file(to / "ORDER.txt");
  EXPECT_TRUE(std::filesystem::exists(to / ("cmdb.Symantec_CMDB.ns01." + time + ".bak"))) << order;
  EXPECT_TRUE(std::filesystem::is_directory(to / ("software-library.ns01." + time))) << order;
  EXPECT_EQ(sample::read_file(to / "holdfast.toml"), sample::read_file(dir / "holdfast.toml"));
  std::size_t boxes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(to)) {
    std::string name = entry.path().filename();
    if (name == "ORDER.txt" || name == "holdfast.toml") continue;
    ++boxes;
    EXPECT_NE(order.find(name + "\n"), std::string::npos) << name;
    EXPECT_NE(name.find(".ns01." + time), std::string::npos) << name;
  }
  EXPECT_EQ(boxes, report.lines.size());
  // As the plan goes: for people, database, installation, keys, certificates, configuration, content.
  std::size_t at = 0;
  for (const char* item : {"identity.", "cmdb.", "install-package.", "kms-keys.", "root-certificate.", "web-config.", "core-settings.", "registry.",
                           "software-library."}) {
    std::size_t found = order.find("      " + std::string(item));
    EXPECT_NE(found, std::string::npos) << item;
    EXPECT_GT(found, at) << item << "\n" << order;
    at = found;
  }
  auto again = error_of([&] { recovery::export_folder(source(), point, {}, to, failed); });
  ASSERT_TRUE(again);
  EXPECT_EQ(again->code(), Code::already_exists);
}

class KitTest : public RestoreTest {};

TEST_F(KitTest, HoldsWhatIsNeededAndNoSecret) {
  Path kit = folder.path() / "kit", program = folder.path() / "program";
  sample::write_file(program, "\x7f" "ELF the program");
  recovery::write_kit(source(), point, kit, program, {"/backup/ns01", "s3:https://copy.example.test/ns01"});
  EXPECT_EQ(sample::read_file(kit / "holdfast"), sample::read_file(program));
  EXPECT_EQ(sample::run({"sh", "-c", "cd \"$1\" && sha256sum -c SHA256SUMS", "sh", kit.string()}).exit_code, 0);
  EXPECT_EQ(std::filesystem::status(kit / "holdfast").permissions() & std::filesystem::perms(0111), std::filesystem::perms(0111));
  std::string readme = sample::read_file(kit / "README.txt"), plan = sample::read_file(kit / "PLAN.txt");
  EXPECT_NE(readme.find("s3:https://copy.example.test/ns01"), std::string::npos);
  EXPECT_NE(readme.find(repository->head_code()), std::string::npos);
  // For a bare machine: the installation before the database.
  EXPECT_LT(plan.find("(install)"), plan.find("(restore-database)"));
  std::vector<std::string> secrets{"correct horse"};
  for (const auto& key : std::filesystem::directory_iterator(keys))
    for (const std::string& line : split(sample::read_file(key.path()), '\n'))
      if (line.starts_with("key: ")) secrets.push_back(line.substr(5));
  std::string certificates = (server / "ProgramData/Symantec/SMP/Certificates").string();
  secrets.push_back(std::string(trim(sample::read_file(certificates + "/pkcs12.password"))));
  ASSERT_GE(secrets.size(), 5U);
  for (const auto& file : std::filesystem::directory_iterator(kit))
    for (const std::string& secret : secrets)
      EXPECT_EQ(sample::read_file(file.path()).find(secret), std::string::npos) << file.path();

  // An older kit is replaced; anything else is left alone.
  recovery::write_kit(source(), point, kit, program, {"/elsewhere"});
  EXPECT_NE(sample::read_file(kit / "README.txt").find("/elsewhere"), std::string::npos);
  auto foreign = error_of([&] { recovery::write_kit(source(), point, server, program, {}); });
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->code(), Code::already_exists);
  EXPECT_FALSE(std::filesystem::exists(server / "PLAN.txt"));
}

}  // namespace
}  // namespace holdfast
