// Items of kind `certificate`: one certificate with its private key, as PEM, DER or PKCS#12 files. Kept
// verbatim, and only when the private key is among the files and fits: a certificate without its key cannot
// be brought back.
#pragma once

#include "item/files/files.h"

namespace holdfast::item {

class CertificateAdapter final : public FileSetAdapter {
 public:
  std::string kind() const override { return "certificate"; }
  std::vector<OptionSpec> options() const override;
  // Files equal, "certificate fits its key", "same certificate as stored".
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;

 protected:
  FileSet file_set(const ItemSpec& spec) const override;
  // Errors of prove_certificate().
  void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                  CaptureContext& context) const override;
};

}  // namespace holdfast::item
