#include "item/certificate/certificate.h"

#include "item/certificate/prove.h"

namespace holdfast::item {

std::vector<OptionSpec> CertificateAdapter::options() const {
  return {{"files",
           OptionSpec::Type::path_list,
           true,
           "All files of one certificate and its private key: PEM, DER or PKCS#12; the password file may be "
           "among them.",
           {}},
          {"password_file",
           OptionSpec::Type::path,
           false,
           "A file whose first line is the password of the PKCS#12 files and encrypted keys.",
           {}}};
}

FileSet CertificateAdapter::file_set(const ItemSpec& spec) const {
  FileSet set;
  for (const std::string& file : spec.list("files")) set.files.emplace_back(file);
  return set;
}

void CertificateAdapter::understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                                    CaptureContext& context) const {
  const crypto::Secret password = certificate_password(spec, context);
  const ProvenCertificate proven =
      prove_certificate(spec.name, certificate_files(spec, files), password.view());
  add_certificate_facts(proven, context.facts);
  add_certificate_findings(spec, proven, context);
}

std::vector<CheckResult> CertificateAdapter::check(const ItemSpec& spec, tree::NodePtr stored,
                                                   CaptureContext& context) const {
  std::vector<CheckResult> results = FileSetAdapter::check(spec, stored, context);
  for (CheckResult& result : check_certificate_item(spec, file_set(spec), stored, context))
    results.push_back(std::move(result));
  return results;
}

}  // namespace holdfast::item
