// A tree in memory: what other versions wrote, what a hand has spoilt, and what happens after days.
// Needs no registry.
//
//   edited [ADDRESS] [--term MS] [--only CASE]     (the first two are for dev/registry_trees)
#include <set>

#include "../harness.h"
#include "registry/tree_values.h"

namespace idgen::registry::test {
namespace {

int wrong = 0;

void Check(bool right, const char* what, int line) {
  if (!right && wrong++ < 5) std::printf("      line %d: not so: %s\n", line, what);
}
#define CHECK(condition) Check(condition, #condition, __LINE__)

// Whether it failed, and says that this entry is spoilt.
bool Names(Status status, const Error& error, const std::string& path) {
  const bool right = status == Status::kFailed &&
                     std::strstr(error.message, (path + " is not as it was written").c_str());
  if (!right) std::printf("      said: %s\n", error.message);
  return right;
}

class Memory final : public Tree {
 public:
  Memory() : Tree(PollHost(nullptr)) {}

  struct Node {
    std::string value;
    std::int64_t version;
  };

  void Put(const std::string& path, const std::string& value) { nodes[path] = {value, ++version_}; }
  void Kill(const Holder& holder) { alive.erase(holder.token); }

  // Each begins anew, as calls of the driver do.
  Memory& Call() {
    Begin(Server::In(2000), error);
    return *this;
  }

  std::map<std::string, Node> nodes;
  std::set<std::string> alive;
  Error error;

 private:
  bool Read() override {
    for (const std::string& token : wanted_holders_) AddOne(HolderPath(token));
    for (const std::string& step : wanted_identities_) AddOne(IdentityPath(step));
    for (const std::int64_t version : wanted_schemes_) AddOne(SchemePath(version));
    if (wants_latest_) AddOne(LatestPath());
    return true;
  }
  bool ReadAll() override {
    holders_.clear();
    identities_.clear();
    for (const auto& [path, node] : nodes) AddOne(path);
    return true;
  }
  bool ReadHolders() override { return ReadAll(); }
  bool ReadExpiries() override { return true; }
  Outcome Commit() override {
    for (const Operation& operation : operations_) {
      const auto it = nodes.find(operation.path);
      switch (operation.kind) {
        case Kind::kCheck:
        case Kind::kUpdate:
          if (it == nodes.end() || it->second.version != operation.version) {
            return Outcome::kConflict;
          }
          break;
        case Kind::kCreate:
          if (it != nodes.end()) return Outcome::kConflict;
          break;
        case Kind::kAbsent:
          if (alive.contains(operation.path.substr(AlivePath("").size()))) {
            return Outcome::kConflict;
          }
          break;
        case Kind::kDelete:
        case Kind::kAlive:
          break;
      }
    }
    for (const Operation& operation : operations_) {
      if (operation.kind == Kind::kCreate || operation.kind == Kind::kUpdate) {
        Put(operation.path, operation.value);
      } else if (operation.kind == Kind::kDelete) {
        nodes.erase(operation.path);
      } else if (operation.kind == Kind::kAlive) {
        alive.insert(own_token_);
      }
    }
    const auto first = nodes.find(operations_[0].path);
    if (first != nodes.end()) written_version_ = first->second.version;
    return Outcome::kDone;
  }
  Outcome CommitRenewal(std::int64_t, bool& lives) override {
    const Outcome outcome = Commit();
    AddOne(LatestPath());
    lives = alive.contains(own_token_);
    return outcome;
  }
  bool PrepareAlive(std::int64_t) override { return true; }
  Awaited AwaitScheme(std::int64_t) override { return Awaited::kNothing; }

  void AddOne(const std::string& path) {
    const auto it = nodes.find(path);
    if (it == nodes.end()) return;
    const auto& [value, version] = it->second;
    const std::string step = path.substr(path.rfind('/') + 1);
    if (path == LatestPath()) AddLatest(latest_, value, version);
    if (path == SweptPath()) AddSwept(value, version);
    if (path == IdentityPath(step)) AddIdentity(step, value, version);
    if (path == SchemePath(std::atoll(step.c_str()))) AddScheme(std::atoll(step.c_str()), value);
    if (path == HolderPath(step)) {
      AddHolder(step, value, version);
      if (alive.contains(step)) MarkAlive(step);
    }
  }

  std::int64_t version_ = 0;
};

std::vector<SchemeText> ReadScheme(Memory& tree, std::int64_t version, Status& status) {
  std::vector<SchemeText> all;
  status = tree.Call().ReadScheme(
      "p", version,
      [](void* context, const Scheme& read) {
        static_cast<std::vector<SchemeText>*>(context)->push_back(
            {read.version, read.text, read.changed_by, read.changed_ms});
      },
      &all);
  return all;
}

std::vector<ListedHolder> Holders(Memory& tree, Status& status, bool end_expired = false) {
  std::vector<ListedHolder> all;
  status = tree.Call().Holders(
      "p", end_expired,
      [](void* context, const ListedHolder& listed) {
        static_cast<std::vector<ListedHolder>*>(context)->push_back(listed);
      },
      &all);
  return all;
}

bool Write(Memory& tree, std::int64_t version) {
  bool written = false;
  CHECK(tree.Call().WriteScheme("p", {version, "text", "me", 1}, written) == Status::kDone);
  return written;
}

std::string OldHolder(std::int64_t used_until_ms, bool ended, std::int64_t ended_ago_ms) {
  return Json{{"name", "old"},
              {"used_until_ms", used_until_ms},
              {"ended", ended},
              {"ended_at_ms", ended ? SystemMs() - ended_ago_ms : 0}}
      .dump();
}

// What versions wrote that knew no schemes.
void OldValues() {
  Memory tree;
  const Holder holder = MakeHolder("p", "old");
  const std::string path = std::string("/p/holder/") + holder.token;
  tree.Put(path, OldHolder(1000, false, 0));
  tree.alive.insert(holder.token);
  Status status{};
  std::vector<ListedHolder> all = Holders(tree, status);
  CHECK(status == Status::kDone && all.size() == 1 && all[0].acknowledged == 0 && all[0].lives);
  CHECK(ReadScheme(tree, kAllSchemes, status).empty() && status == Status::kDone);
  SchemeVersions scheme;
  CHECK(tree.Call().Renew(holder, 2000, 1000, scheme) == Status::kDone && scheme.latest == 0);
  CHECK(Write(tree, 1));
  CHECK(tree.Call().Renew(holder, 2000, 1000, scheme) == Status::kDone && scheme.latest == 1);
  scheme.known = 1;
  CHECK(tree.Call().Renew(holder, 2000, 1000, scheme) == Status::kDone);
  all = Holders(tree, status);
  CHECK(all.size() == 1 && all[0].acknowledged == 1 && all[0].used_until_ms == 2000);
}

void SpoiltLatest() {
  for (const char* value : {"", "x", "{}", "[1]", R"({"version":-1})", R"({"version":"1"})",
                            R"({"version":1.5})", R"({"version":9223372036854775808})", "null"}) {
    Memory tree;
    const Holder holder = MakeHolder("p", "a");
    SchemeVersions scheme;
    CHECK(tree.Call().Enrol(holder, 1, 1000, scheme) == Status::kDone);
    tree.Put("/p/scheme", value);
    CHECK(Names(tree.Call().Renew(holder, 2, 1000, scheme), tree.error, "/p/scheme"));
    const Holder other = MakeHolder("p", "b");
    CHECK(Names(tree.Call().Enrol(other, 1, 1000, scheme), tree.error, "/p/scheme"));
    CHECK(!tree.nodes.contains(std::string("/p/holder/") + other.token));
    Status status{};
    for (const std::int64_t version : {kLatestScheme, kAllSchemes, std::int64_t{1}}) {
      CHECK(ReadScheme(tree, version, status).empty());
      CHECK(Names(status, tree.error, "/p/scheme"));
    }
    bool written = false;
    CHECK(Names(tree.Call().WriteScheme("p", {1, "", "", 1}, written), tree.error, "/p/scheme"));
    CHECK(!written);
    CHECK(Holders(tree, status).size() == 1 && status == Status::kDone);
    CHECK(tree.Call().Release(holder, 1) == Status::kDone);
  }
}

void SpoiltVersions() {
  Memory tree;
  for (std::int64_t version = 1; version <= 40; ++version) CHECK(Write(tree, version));
  Status status{};
  CHECK(ReadScheme(tree, kAllSchemes, status).size() == 40);
  const std::string path = "/p/schemes/0000000000000000033";
  CHECK(tree.nodes.contains(path));
  const auto spoilt = [&] {
    CHECK(ReadScheme(tree, kAllSchemes, status).empty());
    CHECK(Names(status, tree.error, path));
    CHECK(ReadScheme(tree, 33, status).empty());
    CHECK(Names(status, tree.error, path));
    CHECK(ReadScheme(tree, 34, status).size() == 1);
    CHECK(ReadScheme(tree, kLatestScheme, status).size() == 1);
  };
  tree.nodes.erase(path);
  spoilt();
  for (const Json& value :
       {Json{{"changed_by", ""}, {"changed_at_ms", 1}},
        Json{{"text", ""}, {"changed_by", ""}, {"changed_at_ms", -1}},
        Json{{"text", std::string("a\0b", 3)}, {"changed_by", ""}, {"changed_at_ms", 1}},
        Json{{"text", std::string(kSchemeSize, 'x')}, {"changed_by", ""}, {"changed_at_ms", 1}},
        Json(7)}) {
    tree.Put(path, value.dump());
    spoilt();
  }
  // Longer names than can be.
  tree.Put(path,
           Json{{"text", ""}, {"changed_by", std::string(999, 'x')}, {"changed_at_ms", 1}}.dump());
  const std::vector<SchemeText> read = ReadScheme(tree, 33, status);
  CHECK(read.size() == 1 && read[0].changed_by.size() == kNameSize - 1);
  // Without `scheme`, or with one that is too small, no version is written over another.
  bool written = false;
  tree.Put("/p/scheme", R"({"version":20})");
  CHECK(Names(tree.Call().WriteScheme("p", {21, "", "", 1}, written), tree.error, "/p/scheme"));
  tree.nodes.erase("/p/scheme");
  CHECK(Names(tree.Call().WriteScheme("p", {1, "", "", 1}, written), tree.error, "/p/scheme"));
  CHECK(!written);
  // What cannot be kept as it is.
  CHECK(tree.Call().WriteScheme("q", {1, "\xff", "", 1}, written) == Status::kFailed && !written);
  CHECK(std::strstr(tree.error.message, "UTF-8") != nullptr);
}

void SpoiltHolders() {
  for (const char* value : {"", "{}", R"("x")", R"(,"acknowledged":-1})", R"(,"acknowledged":"1"})",
                            R"(,"acknowledged":null})"}) {
    Memory tree;
    const Holder a = MakeHolder("p", "a"), b = MakeHolder("p", "b");
    SchemeVersions scheme;
    CHECK(tree.Call().Enrol(a, 1, 1000, scheme) == Status::kDone);
    CHECK(tree.Call().Enrol(b, 1, 1000, scheme) == Status::kDone);
    const std::string path = std::string("/p/holder/") + a.token;
    std::string whole = OldHolder(1, false, 0);
    if (value[0] == ',') whole.replace(whole.size() - 1, 1, value);
    tree.Put(path, value[0] == ',' ? whole : value);
    Status status{};
    for (const bool end_expired : {false, true}) {
      tree.Kill(b);
      CHECK(Holders(tree, status, end_expired).empty());
      CHECK(Names(status, tree.error, path));
    }
    CHECK(tree.Call().Renew(a, 5, 1000, scheme) == Status::kLost);
    CHECK(tree.Call().Enrol(a, 5, 1000, scheme) == Status::kLost);
  }
}

// Those whose time is up are ended, in as many steps as it takes, and no others.
void ManyExpired() {
  Memory tree;
  std::vector<Holder> holders;
  SchemeVersions scheme;
  for (int i = 0; i < 250; ++i) {
    holders.push_back(MakeHolder("p", std::to_string(i)));
    CHECK(tree.Call().Enrol(holders.back(), i, 1000, scheme) == Status::kDone);
    if (i % 5 != 0) tree.Kill(holders.back());
  }
  Status status{};
  int living = 0;
  for (const ListedHolder& listed : Holders(tree, status)) living += listed.lives ? 1 : 0;
  CHECK(living == 250);
  living = 0;
  for (const ListedHolder& listed : Holders(tree, status, true)) living += listed.lives ? 1 : 0;
  CHECK(living == 50);
  CHECK(tree.Call().Renew(holders[1], 9, 1000, scheme) == Status::kLost);
  CHECK(tree.Call().Renew(holders[5], 9, 1000, scheme) == Status::kDone);
}

// Holders that ended days ago are deleted, but what they used is not forgotten.
void Sweeping() {
  Memory tree;
  constexpr std::int64_t kDay = 86'400'000;
  const auto old = [&](const char* token, std::int64_t used_until_ms, std::int64_t ended_ago_ms) {
    tree.Put(std::string("/p/holder/") + token, OldHolder(used_until_ms, true, ended_ago_ms));
  };
  const auto sweep = [&] {
    const Holder holder = MakeHolder("p", "new");
    SchemeVersions scheme;
    Claimed claimed;
    CHECK(tree.Call().Enrol(holder, 1, 1000, scheme) == Status::kDone);
    CHECK(tree.Call().ClaimAny(holder, 0, 1, 99, 5, claimed) == Status::kDone &&
          claimed.claim == Claim::kGranted);
  };
  // What the list says of those that are gone; -1: nothing.
  const auto swept = [&] {
    Status status{};
    std::int64_t used_until_ms = -1;
    for (const ListedHolder& listed : Holders(tree, status)) {
      if (std::strcmp(listed.name, "(deleted holders)") != 0) continue;
      CHECK(!listed.lives && used_until_ms == -1);
      used_until_ms = listed.used_until_ms;
    }
    CHECK(status == Status::kDone);
    return used_until_ms;
  };
  old("recent", 99'000, kDay / 2);
  sweep();
  CHECK(tree.nodes.contains("/p/holder/recent") && swept() == -1);
  old("first", 5000, 2 * kDay);
  old("second", 4000, 2 * kDay);
  sweep();
  CHECK(!tree.nodes.contains("/p/holder/first") && !tree.nodes.contains("/p/holder/second"));
  CHECK(tree.nodes.contains("/p/holder/recent"));
  CHECK(swept() == 5000);
  old("third", 3000, 2 * kDay);
  sweep();
  CHECK(!tree.nodes.contains("/p/holder/third") && swept() == 5000);
  old("fourth", 999'000'000'000'000, 2 * kDay);
  sweep();
  CHECK(!tree.nodes.contains("/p/holder/fourth") && swept() == 999'000'000'000'000);
  // Where that cannot be kept, nobody is deleted.
  tree.Put("/p/swept", "{}");
  old("fifth", 1, 2 * kDay);
  sweep();
  CHECK(tree.nodes.contains("/p/holder/fifth"));
  Status status{};
  CHECK(Holders(tree, status).empty() && Names(status, tree.error, "/p/swept"));
}

constexpr struct {
  const char* name;
  void (*run)();
} kCases[] = {{"old_values", OldValues},           {"spoilt_latest", SpoiltLatest},
              {"spoilt_versions", SpoiltVersions}, {"spoilt_holders", SpoiltHolders},
              {"many_expired", ManyExpired},       {"sweeping", Sweeping}};

}  // namespace
}  // namespace idgen::registry::test

int main(int argc, char** argv) {
  using namespace idgen::registry::test;
  std::string only;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
  }
  int failures = 0;
  for (const auto& test : kCases) {
    if (!only.empty() && only != test.name) continue;
    wrong = 0;
    test.run();
    std::printf("%s%s\n", wrong == 0 ? "ok    " : "FAIL  ", test.name);
    if (wrong != 0) ++failures;
  }
  return failures == 0 ? 0 : 1;
}
