#include "resist/comm/tls_identity.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <functional>
#include <memory>
#include <string_view>

#include "resist/core/error.h"

namespace resist {
namespace {

template <typename T, void (*Free)(T*)>
struct Freeing {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freeing<T, Free>>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;

constexpr int kKeyBytes = 32;
// Of a use of the token: another one would get another key.
constexpr std::string_view kUse = "resist rendezvous 1";
// Clocks of machines need not agree, and a token has no date.
constexpr const char* kNotBefore = "20000101000000Z";
constexpr const char* kNotAfter = "99991231235959Z";

void check(bool succeeded) {
  if (!succeeded) {
    std::array<char, 256> reason{};
    ::ERR_error_string_n(::ERR_get_error(), reason.data(), reason.size());
    throw Error(fmt::format("OpenSSL can't make a key from the job's token: {}", reason.data()));
  }
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::array<unsigned char, kKeyBytes> derive(const std::string& token) {
  std::array<unsigned char, kKeyBytes> secret{};
  std::size_t length = secret.size();
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(::EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  check(context != nullptr && ::EVP_PKEY_derive_init(context.get()) > 0 &&
        ::EVP_PKEY_CTX_set_hkdf_md(context.get(), ::EVP_sha256()) > 0 &&
        ::EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes(token), static_cast<int>(token.size())) > 0 &&
        ::EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes(kUse), static_cast<int>(kUse.size())) > 0 &&
        ::EVP_PKEY_derive(context.get(), secret.data(), &length) > 0);
  return secret;
}

Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate(::X509_new());
  check(certificate != nullptr);
  X509* x509 = certificate.get();
  X509_NAME* name = ::X509_get_subject_name(x509);
  check(::X509_set_version(x509, X509_VERSION_3) > 0 && ::ASN1_INTEGER_set(::X509_get_serialNumber(x509), 1) > 0 &&
        ::ASN1_TIME_set_string(::X509_getm_notBefore(x509), kNotBefore) > 0 &&
        ::ASN1_TIME_set_string(::X509_getm_notAfter(x509), kNotAfter) > 0 &&
        ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, bytes(kTlsName), -1, -1, 0) > 0 &&
        ::X509_set_issuer_name(x509, name) > 0 && ::X509_set_pubkey(x509, key) > 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> names(
      ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, fmt::format("DNS:{}", kTlsName).c_str()));
  // Ed25519 signs with a hash of its own, and the same bytes each time.
  check(names != nullptr && ::X509_add_ext(x509, names.get(), -1) > 0 && ::X509_sign(x509, key, nullptr) > 0);
  return certificate;
}

std::string as_pem(const std::function<int(BIO*)>& write) {
  const Owned<BIO, BIO_free_all> memory(::BIO_new(::BIO_s_mem()));
  check(memory != nullptr && write(memory.get()) > 0);
  char* data = nullptr;
  const long length = ::BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

}  // namespace

TlsIdentity tls_identity(const std::string& token) {
  const auto secret = derive(token);
  const Key key(::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()));
  check(key != nullptr);
  const Certificate certificate = self_signed(key.get());
  return {.private_key = as_pem([&](BIO* out) {
            return ::PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          .certificate = as_pem([&](BIO* out) { return ::PEM_write_bio_X509(out, certificate.get()); })};
}

}  // namespace resist
