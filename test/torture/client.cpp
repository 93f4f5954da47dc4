// Sessions that make IDs in every way there is, and write down what they got and when.
//
// usage: client dir=DIRECTORY target=FILE [option=value ...], until SIGTERM
//
// The target file has a line for each database that sessions may use: the number of its
// server, a space, and a connection string. It is read again whenever it changes: then all
// sessions end their call and connect anew. Without a line they wait.
#include <libpq-fe.h>
#include <poll.h>
#include <sys/stat.h>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "history.h"

namespace {

constexpr Oid kInt8 = 20;
constexpr Oid kInt8Array = 1016;
constexpr std::int64_t kPostgresEpochUs = 946684800000000;

std::int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void SleepMs(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// --- what to call -------------------------------------------------------------------------

enum class How {
  kPlain,
  kShared,  // never from a block of the session's
  kNamed,   // by the generator "fixed"
  kShard,   // $2 is the shard, 0 to 2
  kShards,  // $2 is the first shard, and each call's is $3 further
};

struct Operation {
  const char* name;
  const char* sql;  // $1 is a count
  Kind kind;
  LayoutName layout;
  int most;  // the count
  How how = How::kPlain;
};

// The layout torture_wide's.
constexpr int kWideShards = 64;

#define WITH_CLOCK(call) "SELECT clock_timestamp(), " call ", clock_timestamp()"
#define IN_ARRAY(call) WITH_CLOCK("ARRAY(SELECT " call " FROM generate_series(1, $1::int))")

const Operation kOperations[] = {
    {"single", WITH_CLOCK("snowflake_nextval() + 0 * $1::int"), Kind::kIds, LayoutName::kSnowflake,
     1},
    {"array", IN_ARRAY("snowflake_nextval()"), Kind::kIds, LayoutName::kSnowflake, 1000},
    {"batch", WITH_CLOCK("ARRAY(SELECT snowflake_nextval_batch($1::int))"), Kind::kIds,
     LayoutName::kSnowflake, 3000, How::kShared},
    {"reserve", WITH_CLOCK("idgen_reserve('snowflake', $1::int)"), Kind::kReserve,
     LayoutName::kSnowflake, 500, How::kShared},
    {"shard", IN_ARRAY("instagram_nextval($2::int)"), Kind::kIds, LayoutName::kInstagram, 300,
     How::kShard},
    {"named", IN_ARRAY("idgen_nextval('fixed')"), Kind::kIds, LayoutName::kSnowflake, 300,
     How::kNamed},
    {"sonyflake", IN_ARRAY("idgen_nextval('sonyflake2')"), Kind::kIds, LayoutName::kSonyflake2, 20},
    {"seconds", IN_ARRAY("idgen_nextval('torture_seconds')"), Kind::kIds, LayoutName::kSeconds,
     1000},
    {"ending", IN_ARRAY("idgen_nextval('torture_ending')"), Kind::kIds, LayoutName::kEnding, 300},
    {"wide",
     WITH_CLOCK("ARRAY(SELECT idgen_nextval('torture_wide', ($2::int + (n - 1) * $3::int) % 64) "
                "FROM generate_series(1, $1::int) AS n)"),
     Kind::kIds, LayoutName::kWide, 200, How::kShards},
    {"insert", "INSERT INTO orders (item) SELECT generate_series(1, $1::int) RETURNING id",
     Kind::kIds, LayoutName::kSnowflake, 50},
    {"parallel", "SELECT snowflake_nextval() FROM numbers WHERE n <= 100 * $1::int",
     Kind::kAnyOrder, LayoutName::kSnowflake, 20},
    // From a second behind the clock to 50 ms ahead of it.
    {"observe",
     WITH_CLOCK("idgen_observe('snowflake', snowflake_max_id(clock_timestamp() + "
                "(50 - $1::int) * interval '1 ms'))"),
     Kind::kObserve, LayoutName::kSnowflake, 1050, How::kShared},
};
constexpr int kOperationCount = sizeof(kOperations) / sizeof(kOperations[0]);

// --- options and what the sessions share -----------------------------------------------------

struct Options {
  std::string dir;
  std::string target;
  std::map<std::string, std::string> values;

  [[nodiscard]] int Number(const char* name, int otherwise) const {
    const auto found = values.find(name);
    return found == values.end() ? otherwise : atoi(found->second.c_str());
  }
  [[nodiscard]] std::vector<std::string> List(const char* name, const char* otherwise) const {
    const auto found = values.find(name);
    std::istringstream words(found == values.end() ? otherwise : found->second);
    std::vector<std::string> list;
    for (std::string word; std::getline(words, word, ',');) list.push_back(word);
    return list;
  }
};

// What a session has set; -1: as the server has it.
struct Settings {
  int datacenter = -1;
  int machine = -1;
  int block_size = 1;
};

struct Target {
  int server;
  std::string connection;
};

Options options;
std::vector<double> weights;  // of the operations
std::atomic<bool> stopping{false};
std::atomic<int> generation{0};  // of the targets
std::atomic<std::int64_t> ids_made{0};
std::mutex targets_mutex;
std::vector<Target> targets;

void ReadTargets() {
  std::ifstream file(options.target);
  std::vector<Target> read;
  for (std::string line; std::getline(file, line);) {
    const auto space = line.find(' ');
    if (space != std::string::npos) read.push_back({atoi(line.c_str()), line.substr(space + 1)});
  }
  const std::lock_guard lock(targets_mutex);
  targets = read;
  ++generation;
}

// --- one session ----------------------------------------------------------------------------

class Session {
 public:
  Session(int number, unsigned seed) : number_(number), random_(seed), pick_(PickFrom(weights)) {
    const std::string name = std::to_string(number);
    history_ = fopen((options.dir + "/history." + name).c_str(), "wb");
    messages_ = fopen((options.dir + "/messages." + name).c_str(), "w");
    if (history_ == nullptr || messages_ == nullptr) {
      perror(options.dir.c_str());
      exit(2);
    }
  }

  void Run() {
    const int most = options.Number("ids", 2'000'000);
    const int pause_us = options.Number("pause_us", 0);
    while (!stopping) {
      if (connection_ == nullptr || seen_ != generation) Connect();
      if (connection_ == nullptr) {
        SleepMs(Random(5, 40));
        continue;
      }
      OneCall();
      if (pause_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
      if (ids_made > most) SleepMs(Random(10, 60));
      if (Random(1, 150) == 1) SleepMs(Random(1, 400));  // idle, and comes back
      if (PQstatus(connection_) != CONNECTION_OK || Random(1, 1000) == 1) Disconnect();
    }
    Disconnect();
    fclose(history_);
    fclose(messages_);
  }

 private:
  using Values = std::vector<int>;
  static std::discrete_distribution<int> PickFrom(const std::vector<double>& w) {
    return {w.begin(), w.end()};
  }

  int Random(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  bool Percent(int percent) { return Random(1, 100) <= percent; }
  template <typename List>
  const auto& OneOf(const List& list) {
    return list[static_cast<std::size_t>(Random(0, static_cast<int>(list.size()) - 1))];
  }

  void Disconnect() {
    if (connection_ != nullptr) PQfinish(connection_);
    connection_ = nullptr;
  }

  void Connect() {
    Disconnect();
    Target target;
    {
      const std::lock_guard lock(targets_mutex);
      seen_ = generation;
      if (targets.empty()) return;
      target = OneOf(targets);
    }
    server_ = target.server;
    connection_ =
        PQconnectdb((target.connection + " application_name=torture connect_timeout=20").c_str());
    if (PQstatus(connection_) != CONNECTION_OK) {
      Note("08001", PQerrorMessage(connection_));
      RecordError("08001", kOperations[0], NowNs());
      Disconnect();
      return;
    }
    const std::string mode = OneOf(options.List("modes", "wait"));
    mode_ = mode == "lead" ? Mode::kLead : mode == "error" ? Mode::kError : Mode::kWait;
    const int lead_ms = atoi(OneOf(options.List("lead_ms", "10000")).c_str());
    lead_us_ = mode_ == Mode::kLead ? std::int64_t{lead_ms} * 1000 : 0;
    settings_ = {};
    if (Percent(options.Number("blocks", 0))) settings_.block_size = BlockSize();
    // With the place in the source that an error comes from.
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
    prepares_ = Percent(50);
    prepared_ = {};
    std::string setup = "LOAD 'idgen'; SET idgen.clock_regression = " + mode +
                        "; SET idgen.max_clock_lead = " + std::to_string(lead_ms) +
                        "; SET idgen.max_clock_wait = " + OneOf(options.List("wait_ms", "2000")) +
                        "; SET idgen.block_size = " + std::to_string(settings_.block_size);
    if (Percent(options.Number("timeouts", 0))) {
      setup += "; SET statement_timeout = " + std::to_string(Random(1, 60));
    }
    PGresult* result = PQexec(connection_, setup.c_str());
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
      RecordError(StateOf(result), kOperations[0], NowNs());
      PQclear(result);
      Disconnect();
      return;
    }
    PQclear(result);
  }

  // The statement's result, or nullptr when it took so long that something hangs.
  PGresult* Await() {
    const std::int64_t end = NowNs() + std::int64_t{options.Number("stuck_s", 90)} * 1'000'000'000;
    PGresult* last = nullptr;
    for (;;) {
      while (PQisBusy(connection_) != 0) {
        pollfd socket{PQsocket(connection_), POLLIN, 0};
        if (socket.fd < 0) break;
        poll(&socket, 1, 1000);
        if (NowNs() > end) {
          if (last != nullptr) PQclear(last);
          return nullptr;
        }
        if (PQconsumeInput(connection_) == 0) break;
      }
      PGresult* next = PQgetResult(connection_);
      if (next == nullptr) return last;
      if (last != nullptr) PQclear(last);
      last = next;
    }
  }

  PGresult* Execute(int operation, const Values& values) {
    std::vector<std::string> texts;
    std::vector<const char*> parameters;
    for (const int value : values) texts.push_back(std::to_string(value));
    for (const auto& text : texts) parameters.push_back(text.c_str());
    const auto count = static_cast<int>(values.size());
    const Operation& what = kOperations[operation];
    if (!prepares_) {
      PQsendQueryParams(connection_, what.sql, count, nullptr, parameters.data(), nullptr, nullptr,
                        1);
      return Await();
    }
    if (!prepared_[operation]) {
      PQsendPrepare(connection_, what.name, what.sql, count, nullptr);
      PGresult* result = Await();
      if (PQresultStatus(result) != PGRES_COMMAND_OK) return result;
      PQclear(result);
      prepared_[operation] = true;
    }
    PQsendQueryPrepared(connection_, what.name, count, parameters.data(), nullptr, nullptr, 1);
    return Await();
  }

  bool Command(const char* sql) {
    PQsendQuery(connection_, sql);
    PGresult* result = Await();
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
  }

  int BlockSize() { return atoi(OneOf(options.List("block_sizes", "64")).c_str()); }

  // Changes one of the settings that the next ID depends on, perhaps to what it is; with
  // "LOCAL " until the transaction ends.
  bool ChangeSetting(const std::string& local) {
    const int which = Random(0, 3);
    const char* name = which == 0 ? "datacenter_id" : which == 1 ? "machine_id" : "block_size";
    int& value = which == 0   ? settings_.datacenter
                 : which == 1 ? settings_.machine
                              : settings_.block_size;
    value = which == 0 ? Random(1, 2) : which == 1 ? Random(3, 5) : Percent(50) ? 1 : BlockSize();
    return Command(("SET " + local + "idgen." + name + " = " + std::to_string(value)).c_str());
  }

  void OneCall() {
    const int operation = pick_(random_);
    const Operation& what = kOperations[operation];
    Values values{Percent(25) ? 1 : Random(1, what.most)};
    Shards shards;
    if (what.how == How::kShard) values.push_back(shards.first = Random(0, 2));
    if (what.how == How::kShards) {
      values.push_back(shards.first = Random(0, kWideShards - 1));
      values.push_back(shards.stride = Random(1, kWideShards - 1));
    }
    const int changes = options.Number("settings", 0);  // percent of the calls
    if (Percent(changes) && !ChangeSetting("")) return Disconnect();
    const bool transaction = Percent(15) && options.Number("acknowledged", 0) == 0;
    if (transaction && !Command("BEGIN")) return Disconnect();
    const Settings outside = settings_;
    if (transaction && Percent(changes) && !ChangeSetting("LOCAL ")) return Disconnect();

    const std::int64_t invoked_ns = NowNs();
    PGresult* result = Execute(operation, values);
    const std::int64_t completed_ns = NowNs();
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) {
      Record(what, result, values[0], shards, invoked_ns, completed_ns);
    } else if (result == nullptr && PQstatus(connection_) == CONNECTION_OK) {
      RecordError(kStuck, what, invoked_ns);
      Disconnect();
    } else {
      const std::string state = IsStalePlan(result) ? kStale : StateOf(result);
      RecordError(state.c_str(), what, invoked_ns);
      Note(state.c_str(), PQerrorMessage(connection_));
    }
    PQclear(result);
    if (connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK) return Disconnect();
    if (transaction && !Command(Percent(50) ? "COMMIT" : "ROLLBACK")) Disconnect();
    settings_ = outside;
  }

  static const char* StateOf(const PGresult* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state != nullptr ? state : "08006";
  }

  // PostgreSQL takes no locks on functions. Where one is dropped after a statement's names were
  // looked up and before the plan is kept, the plan has the dropped one: an internal error, and for
  // a prepared statement at each use until something else lets all plans be made anew. The same
  // befalls any function, and is not idgen's to prevent.
  static bool IsStalePlan(const PGresult* result) {
    static const std::regex message("cache lookup failed for function [0-9]+");
    const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return text != nullptr && strcmp(StateOf(result), "XX000") == 0 &&
           std::regex_match(text, message);
  }

  static std::int64_t Integer(const char* bytes, int size) {
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return static_cast<std::int64_t>(value);
  }

  void AddIds(const PGresult* result, int row, int column) {
    const char* value = PQgetvalue(result, row, column);
    if (PQftype(result, column) == kInt8) ids_.push_back(Integer(value, 8));
    if (PQftype(result, column) != kInt8Array || Integer(value, 4) == 0) return;
    // Of a binary array: dimensions, flags, type, size, lower bound; then each with its length.
    const std::int64_t count = Integer(value + 12, 4);
    for (std::int64_t i = 0; i < count; ++i) ids_.push_back(Integer(value + 24 + i * 12, 8));
  }

  // That a call named: the one of its first ID, or -1; and by how many each next one is further.
  struct Shards {
    int first = -1;
    int stride = 0;
  };

  void Record(const Operation& what, const PGresult* result, int count, const Shards& shards,
              std::int64_t invoked_ns, std::int64_t completed_ns) {
    ids_.clear();
    Call call = NewCall(what, invoked_ns);
    call.shard = static_cast<std::int16_t>(shards.first);
    call.stride = static_cast<std::int16_t>(shards.stride);
    call.completed_ns = completed_ns;
    if (PQnfields(result) == 3) {
      call.clock_before_us = Integer(PQgetvalue(result, 0, 0), 8) + kPostgresEpochUs;
      call.clock_after_us = Integer(PQgetvalue(result, 0, 2), 8) + kPostgresEpochUs;
      AddIds(result, 0, 1);
    } else {
      for (int row = 0; row < PQntuples(result); ++row) AddIds(result, row, 0);
    }
    if (what.kind == Kind::kReserve) {
      for (int i = 1; i < count; ++i) ids_.push_back(ids_[0] + i);
    }
    call.kind = what.kind;
    Write(call);
    if (what.kind != Kind::kObserve) ids_made += static_cast<std::int64_t>(ids_.size());
  }

  void RecordError(const char* state, const Operation& what, std::int64_t invoked_ns) {
    ids_.clear();
    Call call = NewCall(what, invoked_ns);
    call.completed_ns = NowNs();
    call.kind = Kind::kError;
    snprintf(call.state, sizeof(call.state), "%s", state);
    Write(call);
  }

  [[nodiscard]] Call NewCall(const Operation& what, std::int64_t invoked_ns) const {
    Call call{};
    call.invoked_ns = invoked_ns;
    call.lead_us = lead_us_;
    call.session = static_cast<std::uint32_t>(number_);
    call.shard = -1;
    call.datacenter = static_cast<std::int16_t>(settings_.datacenter);
    call.machine = static_cast<std::int16_t>(settings_.machine);
    call.server = static_cast<std::uint8_t>(server_);
    call.asked = what.kind;
    call.layout = what.layout;
    call.mode = mode_;
    call.named = what.how == How::kNamed;
    call.blocks = settings_.block_size > 1 && what.how != How::kShared;
    return call;
  }

  void Write(Call& call) {
    call.count = static_cast<std::uint32_t>(ids_.size());
    fwrite(&call, sizeof(call), 1, history_);
    fwrite(ids_.data(), sizeof(ids_[0]), ids_.size(), history_);
  }

  // What the errors said, some of each kind.
  void Note(const char* state, const char* message) {
    if (++noted_[state] <= 20) fprintf(messages_, "%s %s", state, message);
  }

  int number_;
  std::mt19937 random_;
  std::discrete_distribution<int> pick_;
  FILE* history_ = nullptr;
  FILE* messages_ = nullptr;
  PGconn* connection_ = nullptr;
  int seen_ = -1;  // the targets' generation
  int server_ = 0;
  Mode mode_ = Mode::kWait;
  std::int64_t lead_us_ = 0;
  Settings settings_;
  bool prepares_ = false;
  std::array<bool, kOperationCount> prepared_{};
  std::vector<std::int64_t> ids_;
  std::map<std::string, int> noted_;
};

bool ReadOptions(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const char* equals = strchr(arguments[i], '=');
    if (equals == nullptr) return false;
    options.values[std::string(arguments[i], static_cast<std::size_t>(equals - arguments[i]))] =
        equals + 1;
  }
  options.dir = options.values["dir"];
  options.target = options.values["target"];
  // mix=NAME:WEIGHT,...; otherwise all alike.
  weights.assign(kOperationCount, options.values.contains("mix") ? 0.0 : 1.0);
  for (const std::string& part : options.List("mix", "")) {
    const auto colon = part.find(':');
    bool known = false;
    for (int i = 0; i < kOperationCount; ++i) {
      if (part.substr(0, colon) != kOperations[i].name) continue;
      weights[static_cast<std::size_t>(i)] = atof(part.c_str() + colon + 1);
      known = true;
    }
    if (!known) return false;
  }
  return !options.dir.empty() && !options.target.empty();
}

void Stop(int) { stopping = true; }

}  // namespace

int main(int count, char** arguments) {
  if (!ReadOptions(count, arguments)) {
    fprintf(stderr, "usage: client dir=DIRECTORY target=FILE [option=value ...]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, Stop);
  signal(SIGINT, Stop);
  ReadTargets();
  std::vector<std::thread> threads;
  const auto seed = static_cast<unsigned>(options.Number("seed", 1));
  for (int i = 0; i < options.Number("threads", 8); ++i) {
    threads.emplace_back([i, seed] { Session(i, seed * 1000U + static_cast<unsigned>(i)).Run(); });
  }
  struct stat last {};
  stat(options.target.c_str(), &last);
  while (!stopping) {
    SleepMs(5);
    struct stat now {};
    if (stat(options.target.c_str(), &now) == 0 && now.st_ino != last.st_ino) {
      last = now;
      ReadTargets();
    }
  }
  for (auto& thread : threads) thread.join();
  return 0;
}
