#include <fmt/format.h>

#include "sample/settings.h"

namespace holdfast::sample {

namespace {

constexpr std::string_view kPools = R"(    <applicationPools>
      <add name="DefaultAppPool" />
      <add name="Altiris-NS" managedRuntimeVersion="v4.0" startMode="AlwaysRunning">
        <processModel identityType="SpecificUser" userName="EXAMPLE\svc-altiris" idleTimeout="00:00:00" />
        <recycling><periodicRestart time="1.05:00:00" /></recycling>
      </add>
    </applicationPools>
)";

std::string document(std::string_view pools, std::string_view sites, std::string_view locations) {
  return fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
{}    <sites>
{}    </sites>
  </system.applicationHost>
{}</configuration>
)",
                     pools, sites, locations);
}

}  // namespace

std::string clean_web_config() {
  return document("    <applicationPools>\n      <add name=\"DefaultAppPool\" />\n    </applicationPools>\n",
                  R"(      <site name="Default Web Site" id="1" serverAutoStart="true">
        <application path="/" applicationPool="DefaultAppPool">
          <virtualDirectory path="/" physicalPath="%SystemDrive%\inetpub\wwwroot" />
        </application>
        <bindings>
          <binding protocol="http" bindingInformation="*:80:" />
        </bindings>
      </site>
)",
                  "");
}

std::string web_config(const ServerNames& names, const std::string& certificate_thumbprint) {
  const std::string sites = fmt::format(
      R"(      <site name="Default Web Site" id="1" serverAutoStart="true">
        <application path="/" applicationPool="DefaultAppPool">
          <virtualDirectory path="/" physicalPath="%SystemDrive%\inetpub\wwwroot" />
        </application>
        <application path="/Altiris" applicationPool="Altiris-NS" enabledProtocols="http,https">
          <virtualDirectory path="/" physicalPath="C:\Program Files\Altiris\Notification Server\Web" />
          <virtualDirectory path="/NS/NSCap" physicalPath="C:\Program Files\Altiris\Notification Server\NSCap" />
        </application>
        <bindings>
          <binding protocol="http" bindingInformation="*:80:" />
          <binding protocol="https" bindingInformation="*:443:{0}" sslFlags="1" certificateHash="{1}" certificateStoreName="My" />
        </bindings>
      </site>
      <site name="Cloud-enabled Management Agent Site" id="2" serverAutoStart="true">
        <application path="/" applicationPool="Altiris-NS" enabledProtocols="https">
          <virtualDirectory path="/" physicalPath="C:\Program Files\Altiris\Notification Server\Web\Agent" />
        </application>
        <bindings>
          <binding protocol="https" bindingInformation="*:4726:" sslFlags="0" certificateHash="{1}" certificateStoreName="My" />
        </bindings>
      </site>
)",
      names.full(), certificate_thumbprint);
  return document(kPools, sites, R"(  <location path="Default Web Site/Altiris">
    <system.webServer>
      <security><access sslFlags="Ssl" /></security>
    </system.webServer>
  </location>
  <location path="Cloud-enabled Management Agent Site">
    <system.webServer>
      <security><access sslFlags="Ssl, SslNegotiateCert" /></security>
    </system.webServer>
  </location>
)");
}

}  // namespace holdfast::sample
