// What the drivers for ZooKeeper and etcd share: both keep a tree of small values that can be
// changed together, each on the condition that it is as it was read. This file, tree.cpp and
// tree_scheme.cpp have the operations of registry.h in those terms; zookeeper.cpp and etcd.cpp have
// the terms.
//
//   <prefix>/<pool>/holder/<token>   {"name", "used_until_ms", "ended", "ended_at_ms",
//                                    "acknowledged"}: without the last (from before there were
//                                    schemes) it is 0
//   <prefix>/<pool>/alive/<token>    is there as long as the holder may not be ended: an ephemeral
//                                    node, or a key with a lease
//   <prefix>/<pool>/id/<d>.<m>.<s>   {"holder", "name", "used_until_ms", "banned"}
//   <prefix>/<pool>/scheme           {"version"}: the latest one; not there: 0
//   <prefix>/<pool>/schemes/<version>  {"text", "changed_by", "changed_at_ms"}; 19 digits
//   <prefix>/<pool>/swept            {"used_until_ms"}: the latest one of all holders that were
//                                    deleted; not there: none was
//
// Every change names the versions of what it rests on. What that gives:
//
//   - Whoever ends a holder, and the holder when it renews or releases, compare the holder's key.
//   So
//     its used_until is final once it has ended, and the next holder begins at that.
//   - A claim compares the identity's key, and the claiming holder's own. So an identity has one
//     holder, and nobody gets one after it ended.
//   - Whoever ends a holder because its time is up also compares that alive/<token> does not exist.
//     Uniqueness does not need that; a holder that comes back at that moment does.
//   - An enrolment compares `scheme`, and makes it if it is not there. So it is before the version
//     that is written next, whose writer sees the holder; or it is refused, and the holder goes by
//     that version.
//   - A version is written with `scheme`, which is compared. So there are no two of one number.
//
// A holder's key is never deleted as long as an identity refers to it: it has the floor of the next
// holder. An identity that refers to a holder without a key was edited by hand, and is not given
// out. For the agreement on a scheme a holder that has ended counts only by its used_until, and of
// those that were deleted only the latest counts: that is what `swept` keeps.
//
// The host's wait may not return (see Host), so no function here has an object with a destructor
// across a call that may wait. What must last is a member.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "registry/address.h"
#include "registry/registry.h"

namespace idgen::registry {

// Writes a message: one line, cut to its size.
void SetError(Error& error, const char* format, ...) __attribute__((format(printf, 2, 3)));

// A name as one step of a path: letters, digits, '_' and '-' stay, the rest is %XX.
std::string PathStep(const char* name);

class Tree {
 public:
  struct HolderRow {
    std::string name;
    std::int64_t used_until_ms = 0;
    bool ended = false;
    std::int64_t ended_at_ms = -1;  // by the clock of whoever ended it; -1: unknown
    bool alive = false;
    std::int64_t version = 0;
    std::int64_t expires_in_ms = 0;  // see ReadExpiries
    std::int64_t acknowledged = 0;
  };
  struct IdentityRow {
    Identity identity;
    std::string token;  // empty: never held
    std::string name;
    std::int64_t used_until_ms = 0;
    bool banned = false;
    bool there = false;
    bool broken = false;  // its value is not what this file writes
    std::int64_t version = 0;
  };
  // A node with one number: `scheme`, `swept`.
  struct NumberRow {
    std::int64_t number = 0;
    bool there = false;
    bool broken = false;
    std::int64_t version = 0;
  };
  struct SchemeRow {
    std::string text;
    std::string changed_by;
    std::int64_t changed_ms = 0;
    bool broken = false;
  };

  virtual ~Tree() = default;

  Status Enrol(const Holder& holder, std::int64_t used_until_ms, std::int64_t term_ms,
               SchemeVersions& scheme);
  Status Renew(const Holder& holder, std::int64_t used_until_ms, std::int64_t term_ms,
               SchemeVersions& scheme);
  Status Claim(const Holder& holder, const Identity* identities, std::size_t count,
               Claimed* claimed);
  Status ClaimAny(const Holder& holder, std::int32_t datacenter, std::int32_t least,
                  std::int32_t most, std::int64_t now_ms, Claimed& claimed);
  Status Release(const Holder& holder, std::int64_t used_until_ms);
  Status List(const char* pool, void (*each)(void*, const Listed&), void* context);
  Status Evict(const char* pool, const Identity& identity, bool& found);
  Status Ban(const char* pool, const Identity& identity, bool banned);
  Status ReadScheme(const char* pool, std::int64_t version, void (*each)(void*, const Scheme&),
                    void* context);
  Status WriteScheme(const char* pool, const Scheme& scheme, bool& written);
  Status Holders(const char* pool, bool end_expired, void (*each)(void*, const ListedHolder&),
                 void* context);
  Status Watch(const char* pool, SchemeVersions& scheme);

  void Begin(std::int64_t deadline_us, Error& error) {
    deadline_us_ = deadline_us;
    stopped_ = false;
    error_ = &error;
    error.message[0] = '\0';
  }

 protected:
  enum class Outcome { kDone, kConflict, kFailed };
  enum class Kind {
    kCheck,   // the key has this version
    kCreate,  // it did not exist
    kUpdate,  // it has this version
    kDelete,  // the same; without a version (-1) it need only exist
    kAbsent,  // it does not exist
    kAlive,   // alive/<token> of this connection's holder, made or made anew
  };
  struct Operation {
    Kind kind;
    std::string path;
    std::string value;
    std::int64_t version;
  };

  enum class Awaited { kNews, kNothing, kFailed };

  explicit Tree(const Host& host)
      : host_{this, &Tree::OnWait, &Tree::OnMonotonic}, real_host_(host) {}

  // --- What a driver provides. Each waits until deadline_us_ at most and sets *error_.

  // Reads the holders (whether they are alive, too), identities and versions of the scheme that
  // wanted_holders_ and so on name, and then `scheme` if wants_latest_: not older than the call.
  virtual bool Read() = 0;
  // All holders, identities and `swept`. If it is not of one moment, holders come before
  // identities.
  virtual bool ReadAll() = 0;
  // All holders that are there when it is called, even if the registry's leader changes meanwhile,
  // and `swept` after them.
  virtual bool ReadHolders() = 0;
  // How long each living holder of holders_ has still to live.
  virtual bool ReadExpiries() = 0;
  // All of operations_ or none. Sets written_version_: that of the first operation's key.
  virtual Outcome Commit() = 0;
  // The same for operations_ with the one update of the own holder's key, with all that keeps it
  // alive, in one round trip if it can be. `alive` tells whether alive/<token> is there to stay.
  // Reads `scheme`, too, as it is after the update.
  virtual Outcome CommitRenewal(std::int64_t term_ms, bool& alive) = 0;
  // Makes ready what kAlive needs (a lease; a session of this length).
  virtual bool PrepareAlive(std::int64_t term_ms) = 0;
  // Waits until `scheme` is read into watched_ with another version than this one. kNothing: the
  // time is up, or the host stops; what was begun goes on with the next call.
  virtual Awaited AwaitScheme(std::int64_t known) = 0;

  // --- For drivers.

  bool AddHolder(const std::string& token, const std::string& value, std::int64_t version);
  bool AddIdentity(const std::string& step, const std::string& value, std::int64_t version);
  void AddScheme(std::int64_t number, const std::string& value);
  static void AddNumber(NumberRow& row, const char* name, const std::string& value,
                        std::int64_t version);
  void AddLatest(NumberRow& row, const std::string& value, std::int64_t version) {
    AddNumber(row, "version", value, version);
  }
  void AddSwept(const std::string& value, std::int64_t version) {
    AddNumber(swept_, "used_until_ms", value, version);
  }
  void MarkAlive(const std::string& token);
  Status Spoilt(const std::string& path);

  std::string HolderPath(const std::string& token) const { return base_ + "/holder/" + token; }
  std::string AlivePath(const std::string& token) const { return base_ + "/alive/" + token; }
  std::string IdentityPath(const std::string& step) const { return base_ + "/id/" + step; }
  std::string LatestPath() const { return base_ + "/scheme"; }
  std::string SchemePath(std::int64_t version) const;
  std::string SweptPath() const { return base_ + "/swept"; }

  std::int64_t LeftUs() const { return deadline_us_ - host_.monotonic_us(host_.context); }
  // Without a socket: only for the time.
  bool Wait(int socket, bool read, bool write, std::int64_t us) {
    return host_.wait(host_.context, socket, read, write, us);
  }

  static constexpr std::size_t kBatch = 100;  // operations at once; etcd allows 128
  // Versions of the scheme at once. Some of etcd's connections take no more than 4 MB.
  static constexpr std::int64_t kSchemeBatch = 16;

  const Host host_;  // the one that was given; stopped_ tells what it said
  bool stopped_ = false;
  std::int64_t deadline_us_ = 0;
  Error* error_ = nullptr;
  std::string prefix_;     // of all pools; empty, or begins with '/' and does not end with one
  std::string base_;       // of this operation's pool
  std::string own_token_;  // of this operation's holder
  std::map<std::string, HolderRow> holders_;       // by token
  std::map<std::string, IdentityRow> identities_;  // by step
  std::vector<std::string> wanted_holders_;
  std::vector<std::string> wanted_identities_;
  bool wants_latest_ = false;
  std::vector<std::int64_t> wanted_schemes_;
  NumberRow latest_, swept_;
  std::map<std::int64_t, SchemeRow> schemes_;
  std::string broken_holder_;  // the token of one whose value is not what this file writes
  NumberRow watched_;
  std::vector<Operation> operations_;
  std::int64_t written_version_ = 0;

 private:
  // A free identity of a range.
  struct Candidate {
    bool later;  // used later than now
    enum { kSameName, kNever, kOther } kind;
    std::int64_t since_ms;  // free
    std::int32_t machine;
  };

  void Use(const char* pool);
  void Use(const Holder& holder);
  bool ReadOwn();
  bool KnowOwn(bool& ended);
  bool ReadIdentities();
  bool Broken(const IdentityRow& row);
  IdentityRow& Row(const Identity& identity);
  bool Decide(const IdentityRow& row, Claimed& claimed, bool& takes);
  void AddTake(const IdentityRow& row, Claimed& claimed);
  Outcome CommitTakes();
  void EndDead(const std::string& token, const HolderRow& holder);
  void FindCandidates(std::int32_t datacenter, std::int32_t least, std::int32_t most,
                      std::int64_t now_ms, std::size_t window);
  bool PauseAfterConflict(unsigned attempt);
  std::uint64_t Random();
  void Sweep();
  bool ReadVersions(std::int64_t first, std::int64_t last);
  Outcome EndExpired(bool& ended);

  static bool OnWait(void* self, int socket, bool read, bool write, std::int64_t us) {
    Tree& tree = *static_cast<Tree*>(self);
    const Host& host = tree.real_host_;
    if (host.wait(host.context, socket, read, write, us)) return true;
    tree.stopped_ = true;
    return false;
  }
  static std::int64_t OnMonotonic(void* self) {
    const Host& host = static_cast<Tree*>(self)->real_host_;
    return host.monotonic_us(host.context);
  }

  const Host real_host_;

  // What this connection knows of its holder since it last read or wrote it.
  bool own_known_ = false;
  std::string own_path_;
  HolderRow own_;
  std::int64_t own_term_ms_ = 0;

  // Of one operation.
  std::string own_name_;
  std::map<std::string, Claimed*> order_;  // each identity once, with its answer
  std::vector<Claimed*> takes_;            // what operations_ takes
  std::vector<std::string> ending_;        // tokens of holders that operations_ ends
  std::vector<Candidate> candidates_;
  std::vector<const IdentityRow*> sorted_;
  std::vector<const std::pair<const std::string, HolderRow>*> sorted_holders_;
  std::uint64_t random_ = 0;
};

// A driver's functions, of which a Connection is a Tree. No exception leaves them.
struct TreeFunctions {
  static void Close(Connection* connection);
  static Status Enrol(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
                      std::int64_t term_ms, SchemeVersions& scheme, std::int64_t deadline_us,
                      Error& error);
  static Status Renew(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
                      std::int64_t term_ms, SchemeVersions& scheme, std::int64_t deadline_us,
                      Error& error);
  static Status Claim(Connection* connection, const Holder& holder, const Identity* identities,
                      std::size_t count, Claimed* claimed, std::int64_t deadline_us, Error& error);
  static Status ClaimAny(Connection* connection, const Holder& holder, std::int32_t datacenter,
                         std::int32_t least, std::int32_t most, std::int64_t now_ms,
                         Claimed& claimed, std::int64_t deadline_us, Error& error);
  static Status Release(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
                        std::int64_t deadline_us, Error& error);
  static Status List(Connection* connection, const char* pool, void (*each)(void*, const Listed&),
                     void* context, std::int64_t deadline_us, Error& error);
  static Status Evict(Connection* connection, const char* pool, const Identity& identity,
                      bool& found, std::int64_t deadline_us, Error& error);
  static Status Ban(Connection* connection, const char* pool, const Identity& identity, bool banned,
                    std::int64_t deadline_us, Error& error);
  static Status ReadScheme(Connection* connection, const char* pool, std::int64_t version,
                           void (*each)(void*, const Scheme&), void* context,
                           std::int64_t deadline_us, Error& error);
  static Status WriteScheme(Connection* connection, const char* pool, const Scheme& scheme,
                            bool& written, std::int64_t deadline_us, Error& error);
  static Status Holders(Connection* connection, const char* pool, bool end_expired,
                        void (*each)(void*, const ListedHolder&), void* context,
                        std::int64_t deadline_us, Error& error);
  static Status Watch(Connection* connection, const char* pool, SchemeVersions& scheme,
                      std::int64_t until_us, Error& error);
  // etcd shows no clock. ZooKeeper's is that of its leader, which changes.
  static ClockOffset Clock(const Connection*) { return {}; }
};

// The driver of a kind of tree. Besides what Tree asks for, a kind has
//   static constexpr char kScheme[]
//   static bool Parse(const char* text, Address& address, Error& error)
//   Address& address(), which is set before bool Open() connects
template <class Kind>
struct TreeDriver {
  static bool CheckAddress(const char* text, Error& error) {
    try {
      Address address;
      return Kind::Parse(text, address, error);
    } catch (...) {
      SetError(error, "out of memory");
      return false;
    }
  }

  static Connection* Open(const char* text, const Host& host, std::int64_t deadline_us,
                          Error& error) {
    Kind* kind = nullptr;
    try {
      kind = new Kind(host);
      kind->Begin(deadline_us, error);
      if (Kind::Parse(text, kind->address(), error) && kind->Open()) {
        return reinterpret_cast<Connection*>(static_cast<Tree*>(kind));
      }
    } catch (...) {
      SetError(error, "out of memory");
    }
    delete kind;
    return nullptr;
  }

  using F = TreeFunctions;
  static constexpr Driver kDriver = {
      kDriverVersion, Kind::kScheme,  &CheckAddress,   &Open,       &F::Close, &F::Enrol,
      &F::Renew,      &F::Claim,      &F::ClaimAny,    &F::Release, &F::List,  &F::Evict,
      &F::Ban,        &F::ReadScheme, &F::WriteScheme, &F::Holders, &F::Watch, &F::Clock};
};

}  // namespace idgen::registry
