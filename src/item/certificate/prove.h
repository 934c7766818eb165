// Proving that captured files are a certificate with its private key. Used by the kinds `certificate` and
// `web_config`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/secret.h"
#include "item/adapter.h"
#include "item/files/files.h"

namespace holdfast::item {

using NamedBytes = std::vector<std::pair<std::string, Bytes>>;   // file name and content

// The password that opens sealed files: first line of the file in option password_file, else what
// context.password says; empty when there is none. Error(not_found) names a password file that is not there.
crypto::Secret certificate_password(const ItemSpec& spec, CaptureContext& context);

// Every one of `files` but those that the options password_file and path (a web configuration) name.
NamedBytes certificate_files(const ItemSpec& spec, const std::vector<LiveFile>& files);
NamedBytes certificate_files(const ItemSpec& spec, const tree::NodePtr& stored);

struct ProvenCertificate {
  crypto::CertificateFacts certificate;
  std::vector<crypto::CertificateFacts> chain;
  std::vector<std::string> other;   // files that hold another certificate in its place: an older or newer one
};
// `object` names the item in errors. The message always says why the certificate does not count as saved:
// Error(precondition): no certificate, no private key, or a key of another certificate; Error(damaged) names
// the file that is neither; Error(wrong_key) names the file that the password does not open.
ProvenCertificate prove_certificate(const std::string& object, const NamedBytes& files, ByteView password);

// Facts subject, issuer, thumbprint, not_after, key_type.
void add_certificate_facts(const ProvenCertificate& proven, Facts& facts);
// Findings certificate_expired, certificate_expires_soon (within 60 days), certificate_not_yet_valid,
// certificate_differs.
void add_certificate_findings(const ItemSpec& spec, const ProvenCertificate& proven, CaptureContext& context);

// After a recovery: "certificate fits its key" and "same certificate as stored".
std::vector<CheckResult> check_certificate_item(const ItemSpec& spec, const FileSet& set,
                                                const tree::NodePtr& stored, CaptureContext& context);

}  // namespace holdfast::item
