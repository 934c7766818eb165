// Items of kind `web_config`: IIS's applicationHost.config (sites, bindings, applications) and the
// certificate of its https bindings. Kept verbatim, parsed and checked at capture, compared by site and
// binding.
//
// On Windows the certificate of a binding is also in HTTP.SYS; this is the file only. Public format:
// IIS_schema.xml, section system.applicationHost/sites.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "item/files/files.h"

namespace holdfast::item {

struct WebBinding {
  std::string protocol;           // "https"
  std::string address;            // "*" or an IP address
  std::string port;               // "443"; "" for protocols without one
  std::string host;               // host name, may be ""
  std::string certificate_hash;   // SHA-1, upper-case hex; "" when the file does not say
  std::string ssl_flags;
};
struct WebApplication {
  std::string path, pool, enabled_protocols;
  std::vector<std::pair<std::string, std::string>> directories;   // virtual path, physical path
};
struct WebSite {
  std::string name, id;
  std::vector<WebBinding> bindings;
  std::vector<WebApplication> applications;
};

struct WebConfig {
  std::vector<WebSite> sites;
  std::string
      rest;  // the XML of everything else (pools, locations, modules), to notice changes; may hold secrets
};

// Error(damaged) naming file and line: not well-formed, no sites section, a site without name or a binding
// without protocol.
WebConfig parse_web_config(ByteView xml, std::string_view what);

class WebConfigAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "web_config"; }
  std::vector<OptionSpec> options() const override;
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
  void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                  CaptureContext& context) const override;
};

}  // namespace holdfast::item
