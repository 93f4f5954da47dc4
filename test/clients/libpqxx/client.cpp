// libpqxx. usage: client setup | work WORKER SINGLE BULK
#include <algorithm>
#include <iostream>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace {

using Keys = std::vector<long long>;

void Setup(pqxx::connection& db) {
  pqxx::work transaction(db);
  transaction.exec(
      "CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)");
  transaction.commit();
}

void Work(pqxx::connection& db, int worker, int single, int bulk) {
  Keys keys;
  for (int n = 0; n < single; ++n) {
    pqxx::work transaction(db);
    const auto row = transaction.exec_params1(
        "INSERT INTO orders (worker, n, item) VALUES ($1, $2, 'one') RETURNING id", worker, n);
    keys.push_back(row[0].as<long long>());
    transaction.commit();
  }
  // COPY returns no keys, so they are taken first: one statement, whatever their number.
  pqxx::work transaction(db);
  Keys made;
  for (const auto& row : transaction.exec_params("SELECT id FROM snowflake_nextval_batch($1) AS id", bulk)) {
    made.push_back(row[0].as<long long>());
  }
  pqxx::stream_to stream(transaction, "orders", std::vector<std::string>{"id", "worker", "n", "item"});
  for (int n = 0; n < bulk; ++n) stream << std::make_tuple(made[n], worker, single + n, "many");
  stream.complete();
  transaction.commit();
  keys.insert(keys.end(), made.begin(), made.end());

  pqxx::work reading(db);
  Keys read;
  for (const auto& row : reading.exec_params("SELECT id FROM orders WHERE worker = $1 ORDER BY n", worker)) {
    read.push_back(row[0].as<long long>());
  }
  if (keys != read || !std::is_sorted(keys.begin(), keys.end())) throw std::runtime_error("keys read back");
  const auto found = reading.exec_params1(
      "SELECT count(*) FROM orders WHERE id >= snowflake_min_id(now() - interval '1 hour') AND worker = $1", worker);
  if (found[0].as<int>() != single + bulk) throw std::runtime_error("time range");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    pqxx::connection db;
    if (std::string(arguments[1]) == "setup") {
      Setup(db);
    } else if (count == 5) {
      Work(db, std::stoi(arguments[2]), std::stoi(arguments[3]), std::stoi(arguments[4]));
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
