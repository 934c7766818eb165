#include "item/web_config/web_config.h"

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "base/text.h"
#include "item/certificate/prove.h"
#include "item/settings/diff_by_key.h"
#include "item/settings/whole_content.h"
#include "item/settings/xml_text.h"

namespace holdfast::item {
namespace {

// Default port of the site that Cloud-enabled Management makes for its agents (docs/sample.md); 0 = the
// option says: none.
constexpr std::int64_t kAgentPort = 4726;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

class SiteReader {
 public:
  SiteReader(std::string_view what, std::string_view text) : what_(what), text_(text) {}

  WebSite site(const pugi::xml_node& node) const {
    WebSite site{required(node, "name"), node.attribute("id").value(), {}, {}};
    for (const auto& b : node.child("bindings").children("binding")) site.bindings.push_back(binding(b));
    for (const auto& a : node.children("application")) {
      site.applications.push_back({required(a, "path"), a.attribute("applicationPool").value(),
                                   a.attribute("enabledProtocols").value(), {}});
      for (const auto& d : a.children("virtualDirectory"))
        site.applications.back().directories.emplace_back(d.attribute("path").value(),
                                                          d.attribute("physicalPath").value());
    }
    return site;
  }

 private:
  std::string required(const pugi::xml_node& node, const char* attribute) const {
    std::string value = node.attribute(attribute).value();
    if (value.empty())
      xml_damaged(what_, text_, static_cast<std::size_t>(node.offset_debug()),
                  "a " + printable(node.name()) + " without '" + attribute + "'");
    return value;
  }

  // bindingInformation is "address:port:host" for http and https ("[::1]:80:" too), other protocols have
  // their own.
  WebBinding binding(const pugi::xml_node& node) const {
    WebBinding b{required(node, "protocol"), "", "", "", upper(node.attribute("certificateHash").value()),
                 node.attribute("sslFlags").value()};
    const std::string information = required(node, "bindingInformation");
    std::size_t host = information.rfind(':');
    std::size_t port =
        host == std::string::npos || host == 0 ? std::string::npos : information.rfind(':', host - 1);
    if (port == std::string::npos) {
      b.address = information;
      return b;
    }
    b.address = information.substr(0, port);
    b.port = information.substr(port + 1, host - port - 1);
    b.host = information.substr(host + 1);
    return b;
  }

  std::string_view what_, text_;
};

std::string endpoint(const WebBinding& b) {
  std::string text = printable(b.protocol) + "/" + printable(b.address);
  if (!b.port.empty()) text += ":" + printable(b.port);
  return b.host.empty() ? text : text + ":" + printable(b.host);
}

std::int64_t agent_port(const ItemSpec& spec) {
  auto option = spec.options.find("agent_port");
  const auto* port = option == spec.options.end() ? nullptr : std::get_if<std::int64_t>(&option->second);
  return port ? *port : kAgentPort;
}

Path config_path(const ItemSpec& spec) { return spec.text("path"); }

void put(Keyed& all, const std::string& key, const std::string& shown) {
  std::string unique = key;
  for (int n = 2; all.contains(unique); ++n) unique = key + " (" + std::to_string(n) + ")";
  all[unique] = {shown, shown};
}

// The configuration among the stored files; the others are certificates.
bool is_configuration(const std::string& name) { return to_lower_ascii(name).ends_with(".config"); }

void put_site(Keyed& all, const WebSite& site) {
  const std::string name = "site " + printable(site.name);
  put(all, name, "id " + printable(site.id));
  for (const WebBinding& b : site.bindings)
    put(all, name + ", binding " + endpoint(b),
        "certificate " + (b.certificate_hash.empty() ? "none" : printable(b.certificate_hash)) +
            ", sslFlags " + (b.ssl_flags.empty() ? "0" : printable(b.ssl_flags)));
  for (const WebApplication& a : site.applications) {
    const std::string application = name + ", application " + printable(a.path);
    put(all, application,
        "pool " + printable(a.pool) + ", enabledProtocols " + printable(a.enabled_protocols));
    for (const auto& [path, physical] : a.directories)
      put(all, application + ", directory " + printable(path), printable(physical));
  }
}

Keyed by_site(const tree::NodePtr& stored) {
  Keyed all;
  for (const StoredFile& file : stored_files(stored)) {
    if (!is_configuration(file.name)) continue;
    const WebConfig config = parse_web_config(stored_content(file), file.path);
    for (const WebSite& site : config.sites) put_site(all, site);
    all["pools, locations and everything else"] = {config.rest, ""};
  }
  return all;
}

// What of the sites would not come back, or not work, although the file does.
void report_sites(const ItemSpec& spec, const std::vector<WebSite>& sites,
                  const std::optional<ProvenCertificate>& proven, CaptureContext& context) {
  auto in_chain = [&](const std::string& hash) {
    return proven && std::any_of(proven->chain.begin(), proven->chain.end(),
                                 [&](const auto& c) { return c.thumbprint == hash; });
  };
  std::size_t bindings = 0;
  bool agent_site = false;
  for (const WebSite& site : sites) {
    for (const WebBinding& b : site.bindings) {
      ++bindings;
      agent_site = agent_site || b.port == std::to_string(agent_port(spec));
      if (to_lower_ascii(b.protocol) != "https") continue;
      const std::string object = printable(site.name) + " " + endpoint(b);
      if (b.certificate_hash.empty())
        context.finding({"binding_certificate_unknown", object,
                         "the file does not say which certificate this https binding has",
                         "after a recovery, bind the certificate by hand (netsh http show sslcert)"});
      else if (in_chain(b.certificate_hash))
        context.finding(
            {"binding_key_not_proven", object,
             "the certificate of this https binding is captured, but its private key is not proven: " +
                 printable(b.certificate_hash),
             "protect this certificate by an item of its own, of kind certificate"});
      else if (!proven || b.certificate_hash != proven->certificate.thumbprint)
        context.finding(
            {"binding_certificate_not_captured", object,
             "the certificate of this https binding is not among the captured ones: " +
                 printable(b.certificate_hash),
             "export it with its private key and add its files to 'certificates' of item " + spec.name});
    }
  }
  if (agent_port(spec) != 0 && !agent_site)
    context.finding({"agent_site_missing", spec.name,
                     "no site has a binding on port " + std::to_string(agent_port(spec)) +
                         ": agents that come over the internet would find nobody",
                     "set up Cloud-enabled Management again, or say agent_port = 0 when it is not used"});
  context.facts.emplace_back("sites", std::to_string(sites.size()));
  context.facts.emplace_back("bindings", std::to_string(bindings));
}

}  // namespace

WebConfig parse_web_config(ByteView xml, std::string_view what) {
  const std::string text = xml_text(xml, what);
  pugi::xml_document document;
  auto result = document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result) xml_damaged(what, text, static_cast<std::size_t>(result.offset), result.description());
  auto host = document.child("configuration").child("system.applicationHost");
  auto sites = host.child("sites");
  if (!sites)
    xml_damaged(what, text, 0, "there is no system.applicationHost/sites: this is no applicationHost.config");
  const SiteReader reader(what, text);
  WebConfig config;
  for (const auto& node : sites.children("site")) config.sites.push_back(reader.site(node));
  host.remove_child(sites);
  std::ostringstream rest;
  document.save(rest, "", pugi::format_raw);
  config.rest = rest.str();
  return config;
}

std::vector<OptionSpec> WebConfigAdapter::options() const {
  return {{"path", OptionSpec::Type::path, true, "IIS's applicationHost.config.", {}},
          {"certificates",
           OptionSpec::Type::path_list,
           false,
           "All files of the certificate of the https bindings, with its private key: PEM, DER or PKCS#12.",
           {}},
          {"password_file",
           OptionSpec::Type::path,
           false,
           "A file whose first line is the password of the PKCS#12 files and encrypted keys.",
           {}},
          {"agent_port",
           OptionSpec::Type::integer,
           false,
           "Port of the site for Cloud-enabled Management agents (4726); 0 when there is none on purpose.",
           {}}};
}

FileSet WebConfigAdapter::file_set(const ItemSpec& spec) const {
  FileSet set{{config_path(spec)}, std::nullopt};
  for (const std::string& file : spec.list("certificates")) set.files.emplace_back(file);
  return set;
}

void WebConfigAdapter::understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                                  CaptureContext& context) const {
  auto config = std::find_if(files.begin(), files.end(),
                             [&](const LiveFile& f) { return f.name == config_path(spec).filename(); });
  if (config == files.end())
    throw Error(Code::not_found, "cannot capture " + spec.name + ": " + spec.text("path") + " is not there");
  const WebConfig web = parse_web_config(whole_content(*config), config->path.string());

  std::optional<ProvenCertificate> proven;
  if (!spec.list("certificates").empty()) {
    const crypto::Secret password = certificate_password(spec, context);
    proven = prove_certificate(spec.name, certificate_files(spec, files), password.view());
    add_certificate_facts(*proven, context.facts);
    add_certificate_findings(spec, *proven, context);
  }
  report_sites(spec, web.sites, proven, context);
}

std::vector<Change> WebConfigAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  return diff_by_key(before, after, by_site);
}

std::vector<CheckResult> WebConfigAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                                 CaptureContext& context) const {
  std::vector<CheckResult> results = FileSetAdapter::check(spec, stored, context);
  if (!spec.list("certificates").empty())
    for (CheckResult& result : check_certificate_item(spec, file_set(spec), stored, context))
      results.push_back(std::move(result));
  return results;
}

}  // namespace holdfast::item
