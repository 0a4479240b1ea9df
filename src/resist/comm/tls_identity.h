#pragma once

#include <string>

namespace resist {

// What all who know a job's token show each other over TLS, as PEM: a key pair that follows from the token, and its
// certificate, the same bytes everywhere. Who trusts this certificate alone talks only to those who know the token.
struct TlsIdentity {
  std::string private_key;
  std::string certificate;
};

inline constexpr const char* kTlsName = "resist";  // the host that the certificate names

// HKDF-SHA256 of the token is an Ed25519 key. Anybody who connects is shown its public half, so the token must be too
// long to be guessed.
TlsIdentity tls_identity(const std::string& token);

}  // namespace resist
