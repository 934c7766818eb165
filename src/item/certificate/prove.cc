#include "item/certificate/prove.h"

#include "base/error.h"
#include "base/text.h"
#include "item/settings/whole_content.h"

namespace holdfast::item {
namespace {

// Long enough to replace a root certificate on every agent: a distribution takes weeks.
constexpr std::int64_t kSoonDays = 60;
constexpr std::uint64_t kMaxPasswordFile = 1 << 20;

std::string base_name(const ItemSpec& spec, const std::string& option) {
  return Path(spec.text(option)).filename().string();
}

bool is_certificate_file(const ItemSpec& spec, const std::string& name) {
  return name != base_name(spec, "password_file") && name != base_name(spec, "path");
}

// The password is the first line, as everywhere in Holdfast: up to LF, a CR before it dropped.
crypto::Secret first_line(Bytes content) {
  std::string_view text = as_text(content);
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  auto secret = crypto::Secret::copy_of(as_bytes(text));
  crypto::wipe(content);
  return secret;
}

[[noreturn]] void not_saved(const std::string& object, Code code, const std::string& why) {
  throw Error(code, "cannot capture " + object + ": " + why + ": the certificate does not count as saved")
      .hint(
          "export the certificate again together with its private key, and name all its files in the "
          "configuration");
}

// One file by itself, so that errors name it.
crypto::CertificateCheck check_one(const std::string& object, const std::string& name, const Bytes& content,
                                   std::string_view password) {
  try {
    return crypto::check_certificate({content}, password);
  } catch (const Error& e) {
    if (e.code() == Code::wrong_key)
      not_saved(object, Code::wrong_key, printable(name) + " does not open with the password given for it");
    if (e.code() == Code::damaged)
      not_saved(object, Code::damaged,
                printable(name) + " is neither a certificate nor a private key, or is damaged");
    throw;
  }
}

}  // namespace

crypto::Secret certificate_password(const ItemSpec& spec, CaptureContext& context) {
  const std::string file = spec.text("password_file");
  if (!file.empty()) return first_line(context.world.files.read_all(file, kMaxPasswordFile));
  auto given = context.password ? context.password(spec) : std::nullopt;
  if (!given) return {};
  auto secret = crypto::Secret::copy_of(as_bytes(*given));
  crypto::wipe({reinterpret_cast<std::uint8_t*>(given->data()), given->size()});
  return secret;
}

NamedBytes certificate_files(const ItemSpec& spec, const std::vector<LiveFile>& files) {
  NamedBytes named;
  for (const LiveFile& file : files)
    if (is_certificate_file(spec, file.name)) named.emplace_back(file.name, whole_content(file));
  return named;
}

NamedBytes certificate_files(const ItemSpec& spec, const tree::NodePtr& stored) {
  NamedBytes named;
  for (const StoredFile& file : stored_files(stored))
    if (is_certificate_file(spec, file.name)) named.emplace_back(file.name, stored_content(file));
  return named;
}

ProvenCertificate prove_certificate(const std::string& object, const NamedBytes& files, ByteView password) {
  struct One { std::string name; crypto::CertificateCheck check; };
  std::vector<One> each;
  std::vector<Bytes> contents, loose;   // loose: files that have not both, a certificate and its key
  bool loose_key = false, loose_certificate = false;
  for (const auto& [name, content] : files) {
    each.push_back({name, check_one(object, name, content, as_text(password))});
    contents.push_back(content);
    if (each.back().check.key_matches) continue;
    loose.push_back(content);
    loose_key = loose_key || each.back().check.has_private_key;
    loose_certificate = loose_certificate || each.back().check.certificate;
  }
  auto all = crypto::check_certificate(contents, as_text(password));
  if (!all.certificate) not_saved(object, Code::precondition, "there is no certificate in its files");
  const std::string what = printable(all.certificate->subject);
  if (!all.has_private_key)
    not_saved(object, Code::precondition, "the private key of " + what + " is not among its files");
  if (!all.key_matches)
    not_saved(object, Code::precondition, "the private key among its files is not that of " + what);
  // A whole PKCS#12 file must not hide that the PEM pair beside it does not fit.
  if (loose_key && loose_certificate && !crypto::check_certificate(loose, as_text(password)).key_matches)
    not_saved(object, Code::precondition,
              "a private key among its files belongs to none of the certificates beside it");

  ProvenCertificate proven{*std::move(all.certificate), std::move(all.chain), {}};
  for (const One& one : each) {
    if (!one.check.certificate || one.check.certificate->sha256 == proven.certificate.sha256) continue;
    if (one.check.key_matches || one.check.certificate->subject == proven.certificate.subject)
      proven.other.push_back(one.name);
  }
  return proven;
}

void add_certificate_facts(const ProvenCertificate& proven, Facts& facts) {
  const auto& c = proven.certificate;
  facts.emplace_back("subject", printable(c.subject));
  facts.emplace_back("issuer", printable(c.issuer));
  facts.emplace_back("thumbprint", c.thumbprint);
  facts.emplace_back("not_after", format_utc(c.not_after));
  facts.emplace_back("key_type", c.key_type);
}

void add_certificate_findings(const ItemSpec& spec, const ProvenCertificate& proven,
                              CaptureContext& context) {
  const auto& c = proven.certificate;
  const std::string what = printable(c.subject);
  const Timestamp now = context.world.clock.now();
  Timestamp soon = now;
  soon.seconds += kSoonDays * 24 * 60 * 60;
  if (c.not_after < now)
    context.finding({"certificate_expired", spec.name, what + " expired on " + format_utc(c.not_after),
                     "replace the certificate; a recovered server would come back with an expired one"});
  else if (c.not_after < soon)
    context.finding({"certificate_expires_soon", spec.name, what + " expires on " + format_utc(c.not_after),
                     "replace the certificate while its agents still trust it, then back up again"});
  if (now < c.not_before)
    context.finding({"certificate_not_yet_valid", spec.name,
                     what + " is valid from " + format_utc(c.not_before) + " only",
                     "check the clock of this server and the certificate"});
  for (const std::string& file : proven.other)
    context.finding({"certificate_differs", spec.name,
                     printable(file) + " holds another certificate than the one that is proven: " + what,
                     "all files of one item should be the same certificate: export them again"});
}

std::vector<CheckResult> check_certificate_item(const ItemSpec& spec, const FileSet& set,
                                                const tree::NodePtr& stored, CaptureContext& context) {
  CheckResult fits{"certificate fits its key", false, ""}, same{"same certificate as stored", false, ""};
  try {
    const crypto::Secret password = certificate_password(spec, context);
    auto live = prove_certificate(spec.name, certificate_files(spec, read_files(set, [](const Finding&) {})),
                                  password.view());
    fits.passed = true;
    fits.detail = printable(live.certificate.subject) + ", " + live.certificate.key_type;
    const auto kept = stored_content(stored, base_name(spec, "password_file"));
    const crypto::Secret stored_password = kept ? first_line(*kept) : password.clone();
    auto then = prove_certificate(spec.name, certificate_files(spec, stored), stored_password.view());
    same.passed = live.certificate.sha256 == then.certificate.sha256;
    same.detail = "thumbprint " + live.certificate.thumbprint +
                  (same.passed ? "" : ", stored is " + then.certificate.thumbprint);
  } catch (const Error& e) {
    (fits.passed ? same : fits).detail = e.message();
  }
  return {fits, same};
}

}  // namespace holdfast::item
