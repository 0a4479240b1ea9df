#include "resist/comm/tls_identity.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

TEST(TlsIdentity, FollowsFromTheTokenAlone) {
  const TlsIdentity one = tls_identity("0123456789abcdef0123456789abcdef");
  const TlsIdentity again = tls_identity("0123456789abcdef0123456789abcdef");
  EXPECT_EQ(one.private_key, again.private_key);
  EXPECT_EQ(one.certificate, again.certificate);
  const TlsIdentity other = tls_identity("0123456789abcdef0123456789abcdeF");
  EXPECT_NE(one.private_key, other.private_key);
  EXPECT_NE(one.certificate, other.certificate);
}

// Workers of one job may have other builds of OpenSSL, and another resist one day: the bytes must stay. Computed with
// `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:0123456789abcdef0123456789abcdef
// -kdfopt info:"resist rendezvous 1" HKDF`, behind the 16 bytes with which a PKCS #8 key of Ed25519 begins.
TEST(TlsIdentity, IsTheOneThatOpensslDerives) {
  EXPECT_EQ(tls_identity("0123456789abcdef0123456789abcdef").private_key,
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDWkZyv0QLAeUPT0egwv+3f0z3zWxaXfRqNrZHw/owX1\n-----END "
            "PRIVATE KEY-----\n");
}

TEST(TlsIdentity, SaysNothingOfTheToken) {
  const TlsIdentity identity = tls_identity("0123456789abcdef0123456789abcdef");
  EXPECT_EQ(identity.certificate.find("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(identity.private_key.find("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace resist
