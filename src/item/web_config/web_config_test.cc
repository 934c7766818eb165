#include "item/web_config/web_config.h"

#include "base/text.h"
#include "item/testing/certificates.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

using testing::certificate;

std::string config(const std::string& hash) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <applicationPools><add name="NS"><processModel userName="svc" password="GEHEIM" /></add></applicationPools>
    <sites>
      <site name="Default Web Site" id="1">
        <application path="/Altiris" applicationPool="NS" enabledProtocols="http,https">
          <virtualDirectory path="/" physicalPath="C:\Web" />
        </application>
        <bindings>
          <binding protocol="http" bindingInformation="*:80:" />
          <binding protocol="https" bindingInformation="[::1]:443:ns01.example.test" sslFlags="1" certificateHash=")" +
         hash + R"(" />
          <binding protocol="net.pipe" bindingInformation="*" />
        </bindings>
      </site>
      <site name="Agents" id="2">
        <bindings><binding protocol="https" bindingInformation="*:4726:" certificateHash=")" +
         to_lower_ascii(hash) + R"(" /></bindings>
      </site>
    </sites>
  </system.applicationHost>
</configuration>
)";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string damage(const std::string& text) {
  try {
    parse_web_config(as_bytes(text), "x");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged);
    return e.message();
  }
  return "no error";
}

TEST(WebConfig, ReadsSitesBindingsAndApplications) {
  const auto sites = parse_web_config(as_bytes(config("ab")), "x").sites;
  ASSERT_EQ(sites.size(), 2U);
  ASSERT_EQ(sites[0].bindings.size(), 3U);
  const WebBinding& b = sites[0].bindings[1];
  EXPECT_EQ(b.protocol + "," + b.address + "," + b.port + "," + b.host + "," + b.certificate_hash + "," +
                b.ssl_flags,
            "https,[::1],443,ns01.example.test,AB,1");
  EXPECT_EQ(sites[0].bindings[2].port, "");
  ASSERT_EQ(sites[0].applications.size(), 1U);
  EXPECT_EQ(sites[0].applications[0].enabled_protocols, "http,https");
  EXPECT_EQ(sites[0].applications[0].directories[0].second, "C:\\Web");
}

TEST(WebConfig, DamageNamesTheLine) {
  EXPECT_TRUE(damage("").starts_with("cannot read x: line 1: "));
  EXPECT_EQ(
      damage("<configuration/>"),
      "cannot read x: line 1: there is no system.applicationHost/sites: this is no applicationHost.config");
  EXPECT_EQ(damage(replaced(config("ab"), "name=\"Agents\"", "")),
            "cannot read x: line 16: a site without 'name'");
  EXPECT_EQ(damage(replaced(config("ab"), "protocol=\"http\"", "")),
            "cannot read x: line 11: a binding without 'protocol'");
  const std::string good = config("ab");
  for (std::size_t size = 0; size + 2 < good.size(); ++size)
    ASSERT_NE(damage(good.substr(0, size)), "no error") << size;
}

class WebConfigItem : public testing::ItemTest {
 protected:
  void SetUp() override {
    clock.set({1'770'000'000, 0});
    path = write("inetsrv/applicationHost.config", config(testing::thumbprint(0)));
    crt = write("certs/web.crt.pem", certificate(0).certificate_pem);
    key = write("certs/web.key.pem", certificate(0).key_pem, 0600);
    static const Bytes sealed = crypto::make_pkcs12(certificate(0), "web", "GEHEIM");   // slow
    p12 = write("certs/web.p12", sealed, 0600);
    spec = testing::spec_of(
        "web-config", "web_config",
        {{"path", path.string()},
         {"certificates", std::vector<std::string>{crt.string(), key.string(), p12.string()}},
         {"password_file", write("certs/p12.password", "GEHEIM", 0600).string()}});
  }
  Path path, crt, key, p12;
  WebConfigAdapter adapter;
  ItemSpec spec;
};

TEST_F(WebConfigItem, ComesBackAsItWas) {
  expect_round_trip(adapter, spec, {path, crt, key, p12});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("sites"), "2");
  EXPECT_EQ(fact("bindings"), "4");
  EXPECT_EQ(fact("thumbprint"), testing::thumbprint(0));
  EXPECT_EQ(everything_said().find("GEHEIM"), std::string::npos);
}

TEST_F(WebConfigItem, ABindingWhoseCertificateIsNotCapturedIsFound) {
  write("inetsrv/applicationHost.config", config(testing::thumbprint(1)));
  capture(adapter, spec);
  EXPECT_EQ(codes(), "binding_certificate_not_captured binding_certificate_not_captured ");
  spec.options["certificates"] = std::vector<std::string>{
      crt.string(), key.string(), write("certs/other.pem", certificate(1).certificate_pem).string()};
  capture(adapter, spec);   // there, but without a key
  EXPECT_EQ(codes(), "binding_key_not_proven binding_key_not_proven ");
  spec.options.erase("certificates");
  capture(adapter, spec);
  EXPECT_EQ(codes(), "binding_certificate_not_captured binding_certificate_not_captured ");
  write("inetsrv/applicationHost.config", config(""));
  capture(adapter, spec);
  EXPECT_EQ(codes(), "binding_certificate_unknown binding_certificate_unknown ");
}

TEST_F(WebConfigItem, AMissingAgentSiteIsFoundUnlessThereIsNone) {
  write("inetsrv/applicationHost.config", replaced(config(testing::thumbprint(0)), "*:4726:", "*:4727:"));
  capture(adapter, spec);
  EXPECT_EQ(codes(), "agent_site_missing ");
  spec.options["agent_port"] = INT64_C(4727);
  capture(adapter, spec);
  EXPECT_EQ(codes(), "");
  spec.options["agent_port"] = INT64_C(0);
  capture(adapter, spec);
  EXPECT_EQ(codes(), "");
}

TEST_F(WebConfigItem, ACertificateWithoutItsKeyFailsTheItem) {
  spec.options["certificates"] = std::vector<std::string>{crt.string()};
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::precondition);
}

TEST_F(WebConfigItem, NoOrDamagedConfigurationFailsTheItem) {
  write("inetsrv/applicationHost.config", config("ab").substr(0, 400));
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::damaged);
  std::filesystem::remove(path);
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
}

TEST_F(WebConfigItem, DifferenceIsBySiteAndBinding) {
  const auto before = capture(adapter, spec);
  std::string changed = replaced(config(testing::thumbprint(0)), "http,https", "http");
  changed = replaced(changed, "sslFlags=\"1\"", "sslFlags=\"3\"");
  changed = replaced(changed, "*:80:", "*:81:");
  changed = replaced(changed, "GEHEIM", "ANDERS");
  write("inetsrv/applicationHost.config", changed);
  const std::string hash = testing::thumbprint(0);
  EXPECT_EQ(testing::text_of(adapter.diff(before, capture(adapter, spec))),
            "~ pools, locations and everything else | (changed) | (changed)\n"
            "~ site Default Web Site, application /Altiris | pool NS, enabledProtocols http,https | pool NS, "
            "enabledProtocols http\n"
            "- site Default Web Site, binding http/*:80 | certificate none, sslFlags 0 | \n"
            "+ site Default Web Site, binding http/*:81 |  | certificate none, sslFlags 0\n"
            "~ site Default Web Site, binding https/[::1]:443:ns01.example.test | certificate " +
                hash + ", sslFlags 1 | certificate " + hash + ", sslFlags 3\n");
}

}  // namespace
}  // namespace holdfast::item
