#include <idgen/public_address.h>

#include <gtest/gtest.h>

#include <string>

namespace idgen {
namespace {

std::string Shown(std::string_view text) {
  const PublicAddress address = PublicAddressOf(text);
  std::string shown(address.kind);
  for (const std::string_view part :
       {address.hosts, address.port, address.database, address.service}) {
    shown += '|';
    shown += part;
  }
  return shown;
}

TEST(PublicAddress, ShowsWhereTheRegistryIs) {
  EXPECT_EQ(Shown(""), "||||");
  EXPECT_EQ(Shown("postgresql://host"), "postgresql|host|||");
  EXPECT_EQ(Shown("postgres://u:secret@h1:5433,h2/db?passfile=secret"), "postgres|h1:5433,h2||db|");
  EXPECT_EQ(Shown("postgresql://u@[::1]:5432/"), "postgresql|[::1]:5432|||");
  EXPECT_EQ(Shown("zookeeper://u:secret@a:2181,b:2181/ids/x"), "zookeeper|a:2181,b:2181||ids/x|");
  EXPECT_EQ(Shown("etcds://etcd.example"), "etcds|etcd.example|||");
  EXPECT_EQ(Shown("service=idgen_registry"), "postgresql||||idgen_registry");
  EXPECT_EQ(Shown("host = a,b  port=5433 dbname='d' password='se''cret'"), "postgresql||||");
  EXPECT_EQ(Shown("host = a,b  port=5433 dbname='d' password='se\\'cret'"),
            "postgresql|a,b|5433|d|");
  EXPECT_EQ(Shown("hostaddr=10.0.0.1 user=secret"), "postgresql|10.0.0.1|||");
}

// What is unclear may be a part of a password.
TEST(PublicAddress, ShowsNoSecret) {
  for (const char* const text : {
           "postgresql://u:secret@host/db",
           "postgresql://u:secret",
           "postgresql://u:secret/db",
           "postgresql://u:a@secret@host/db",
           "postgresql://u:a/secret@host/db",
           "postgresql://u:a?secret@host/db",
           "postgresql://u:secret/a?x@host/db",
           "postgresql://u:a/secret?b@host/db",
           "postgresql://host/db?password=secret",
           "postgresql://host?password=secret",
           "postgresql://host?password=a/secret",
           "postgresql://host/db?password=a@secret",
           "postgresql://u:p@host/db?password=a@secret/secret",
           "postgresql://host/a b secret",
           "password=secret",
           "password='a b' password = secret",
           "password=a\\ secret host=h",
           "password='secret",
           "password='a' secret",
           "dbname=postgresql://u:secret@host/db",
           "dbname='password=secret'",
           "host=h password=a host=u:x@secret",
           "secret",
           "://secret secret",
       }) {
    EXPECT_EQ(Shown(text).find("secret"), std::string::npos) << text << " shows " << Shown(text);
  }
}

}  // namespace
}  // namespace idgen
