#include "item/certificate/certificate.h"

#include "item/testing/certificates.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

using testing::certificate;

class CertificateItem : public testing::ItemTest {
 protected:
  void SetUp() override {
    for (const char* name : {"c/root.crt.pem", "c/root.key.pem", "c/root.p12", "c/pkcs12.password"})
      files.push_back((folder.path() / name).string());
    write("c/root.crt.pem", certificate(0).certificate_pem);
    write("c/root.key.pem", certificate(0).key_pem, 0600);
    static const Bytes sealed = crypto::make_pkcs12(certificate(0), "root", "GEHEIM");   // slow
    write("c/root.p12", sealed, 0600);
    write("c/pkcs12.password", "GEHEIM\r\nnot the password\n", 0600);
    use(files);
    spec.options["password_file"] = files[3];
  }
  void use(std::vector<std::string> list) { spec.options["files"] = std::move(list); }
  // The message of the Error that capture throws.
  std::string refusal(Code code) {
    const Error e = error_of([&] { capture(adapter, spec); });
    EXPECT_EQ(info(e.code()).name, info(code).name) << e.message();
    EXPECT_NE(e.message().find("does not count as saved"), std::string::npos) << e.message();
    EXPECT_EQ(e.message().find("GEHEIM"), std::string::npos);
    return e.message();
  }
  std::vector<std::string> files;
  CertificateAdapter adapter;
  ItemSpec spec = testing::spec_of("root-certificate", "certificate", {});
};

TEST_F(CertificateItem, ComesBackAsItWas) {
  clock.set({1'770'000'000, 0});
  expect_round_trip(adapter, spec, {files[0], files[1], files[2], files[3]});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("thumbprint"), testing::thumbprint(0));
  EXPECT_NE(fact("subject").find("CN=Root A"), std::string::npos);
  EXPECT_EQ(fact("not_after"), "2028-01-01T00:00:00Z");
  EXPECT_NE(fact("key_type"), "(none)");
  EXPECT_EQ(everything_said().find("GEHEIM"), std::string::npos);
}

TEST_F(CertificateItem, WithoutItsKeyItDoesNotCountAsSaved) {
  use({files[0]});
  EXPECT_NE(refusal(Code::precondition).find("the private key of CN=Root A"), std::string::npos);
  std::filesystem::remove(files[1]);
  use({files[0], files[1]});
  EXPECT_NE(refusal(Code::precondition).find("is not among its files"), std::string::npos);
}

TEST_F(CertificateItem, AKeyOfAnotherCertificateDoesNotCount) {
  write("c/root.key.pem", certificate(1).key_pem);
  use({files[0], files[1]});
  EXPECT_NE(refusal(Code::precondition).find("is not that of"), std::string::npos);
  use(files);   // the PKCS#12 file is whole: it does not hide the wrong pair
  EXPECT_NE(refusal(Code::precondition).find("belongs to none of the certificates"), std::string::npos);
}

TEST_F(CertificateItem, DamagedFilesAreNamed) {
  write("c/root.key.pem", "garbage");
  EXPECT_NE(refusal(Code::damaged).find("root.key.pem"), std::string::npos);
  write("c/root.key.pem", "");
  EXPECT_NE(refusal(Code::damaged).find("root.key.pem"), std::string::npos);
  write("c/root.key.pem", certificate(0).key_pem);
  Bytes cut = crypto::make_pkcs12(certificate(0), "root", "GEHEIM");
  cut.resize(cut.size() / 2);
  write("c/root.p12", cut);
  EXPECT_NE(refusal(Code::damaged).find("root.p12"), std::string::npos);
}

TEST_F(CertificateItem, APasswordThatDoesNotOpenIsNamed) {
  write("c/pkcs12.password", "wrong\n");
  EXPECT_NE(refusal(Code::wrong_key).find("root.p12"), std::string::npos);
  std::filesystem::remove(files[3]);
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
}

TEST_F(CertificateItem, ThePasswordMayComeFromElsewhere) {
  spec.options.erase("password_file");
  use({files[2]});
  testing::MemoryTree tree;
  CaptureContext c = context();
  c.password = [](const ItemSpec&) { return "GEHEIM"; };
  adapter.capture(spec, tree, c);
  EXPECT_EQ(fact("thumbprint"), testing::thumbprint(0));
}

TEST_F(CertificateItem, FilesOfAnOlderCertificateAreFound) {
  clock.set({1'770'000'000, 0});
  write("c/root.p12", crypto::make_pkcs12(certificate(2), "root", "GEHEIM"));
  capture(adapter, spec);
  EXPECT_EQ(codes(), "certificate_differs ");
  EXPECT_NE(findings[0].message.find("root.p12"), std::string::npos);
}

TEST_F(CertificateItem, TimesAreFindings) {
  const std::int64_t from = 1'767'225'600, until = from + INT64_C(730) * 24 * 60 * 60, day = 24 * 60 * 60;
  const auto at = [&](std::int64_t now) {
    clock.set({now, 0});
    capture(adapter, spec);
    return codes();
  };
  EXPECT_EQ(at(from - 1), "certificate_not_yet_valid ");
  EXPECT_EQ(at(from + 1), "");
  EXPECT_EQ(at(until - 61 * day), "");
  EXPECT_EQ(at(until - 59 * day), "certificate_expires_soon ");
  EXPECT_EQ(at(until + 1), "certificate_expired ");
}

TEST_F(CertificateItem, ACertificateThatWasExchangedFailsTheCheck) {
  const auto stored = capture(adapter, spec);
  write("c/root.crt.pem", certificate(1).certificate_pem);
  write("c/root.key.pem", certificate(1).key_pem);
  write("c/root.p12", crypto::make_pkcs12(certificate(1), "root", "GEHEIM"));
  for (const CheckResult& r : check(adapter, spec, stored)) {
    EXPECT_NE(r.name == "same certificate as stored" && r.passed, true) << r.detail;
    EXPECT_NE(r.name == "certificate fits its key" && !r.passed, true) << r.detail;
  }
  std::filesystem::remove(files[1]);
  std::filesystem::remove(files[2]);
  for (const CheckResult& r : check(adapter, spec, stored))
    EXPECT_NE(r.name.find("certificate") != std::string::npos && r.passed, true) << r.name;
}

}  // namespace
}  // namespace holdfast::item
