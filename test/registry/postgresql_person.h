// Somebody with psql, for the tests of PostgreSQL registries.
#pragma once

#include <libpq-fe.h>

#include "harness.h"

namespace idgen::registry::test {

class Person {
 public:
  // `right` becomes false if a statement fails.
  Person(const Settings& settings, bool& right)
      : connection_(PQconnectdb(settings.address.c_str())), right_(right) {
    Do("SET default_transaction_read_only = off");
    Do("SET default_transaction_isolation = 'read committed'");
    Do("SET synchronous_commit = on");
    Do("SET search_path = pg_catalog");
    Do("SET client_min_messages = warning");
  }
  ~Person() { PQfinish(connection_); }
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;

  // Returns the first value.
  std::string Do(const std::string& sql) {
    std::string value;
    if (!State(sql, &value).empty()) {
      std::printf("      %s: %s\n", sql.substr(0, 200).c_str(), PQerrorMessage(connection_));
      right_ = false;
    }
    return value;
  }

  // Returns the SQLSTATE of its error, empty if there is none.
  std::string State(const std::string& sql, std::string* value = nullptr) {
    PGresult* result = PQexec(connection_, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    std::string state;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
      state = field != nullptr ? field : "none";
    }
    if (value != nullptr && PQntuples(result) > 0) *value = PQgetvalue(result, 0, 0);
    PQclear(result);
    return state;
  }

 private:
  PGconn* connection_;
  bool& right_;
};

inline std::string Of(const Holder& holder) {
  return std::string(" WHERE pool = '") + holder.pool + "' AND token = '" + holder.token + "'";
}

}  // namespace idgen::registry::test
