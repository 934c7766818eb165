#include <fmt/format.h>

#include "sample/catalogue.h"
#include "sample/settings.h"

namespace holdfast::sample {

std::string share_description(const ServerNames& names) {
  return fmt::format(R"([share]
name = "SoftwareLibrary"
unc = '\\{}\SoftwareLibrary'
path = 'D:\SoftwareLibrary'
comment = "Software library; files are added through the product only"

[[permission]]
account = '{}'
access = "full"
type = "allow"

[[permission]]
account = 'EXAMPLE\Package Builders'
access = "change"
type = "allow"

[[permission]]
account = 'EXAMPLE\Domain Computers'
access = "read"
type = "allow"

[[permission]]
account = 'BUILTIN\Guests'
access = "full"
type = "deny"
)",
                     names.host, kApplicationIdentity);
}

std::string cem_sheet(const ServerNames& names, const std::string& certificate_thumbprint) {
  return fmt::format(R"(CLOUD-ENABLED MANAGEMENT: WHAT MUST BE SET UP AGAIN BY HAND
Notification Server   {}
Agent site port       4726 (the same in the gateway manager, in the policy and in the firewall)
Certificate of site   {}
Gateways              gw01.example.test:443, gw02.example.test:443
Policy                Cloud-enabled Management Settings > "Roaming notebooks"
Site servers          bern-ss1, geneve-ss1 (both allowed for internet agents)
Kept by               client management team, last walked through with the network team
)",
                     names.full(), certificate_thumbprint);
}

std::string hierarchy_sheet(const ServerNames& names) {
  return fmt::format(R"(HIERARCHY: PARENT AND CHILDREN
Parent    https://{}/Altiris/NS
Child     https://ns-west.example.test/Altiris/NS     resources up, policies down, nightly
Child     https://ns-lab.example.test/Altiris/NS      policies down only
Accounts  EXAMPLE\svc-hierarchy (passwords are in the database, encrypted under the KMS keys)
Note      all servers of a hierarchy need the same version
)",
                     names.full());
}

}  // namespace holdfast::sample
