// A registry of identities: who holds which, and until when. One interface for all kinds of
// registries (PostgreSQL, ZooKeeper, etcd), which the database's worker, the C++ library and the
// tests use. Nothing here is PostgreSQL's.
//
// What a registry keeps:
//
//   holder   one run of a server: a random token, a name for people, `used_until`, and whether it
//            has ended. No ID of any identity that it holds is later than `used_until`. The holder
//            raises that *before* it uses the time, and nobody else ever changes it. It lives while
//            it is renewed; after a term without renewal anybody may end it. Once ended, for
//            whatever reason, it stays so, and its `used_until` is final.
//   identity the fields that tell IDs of different servers apart (datacenter, machine, shard);
//            which holder it was given to; `used_until`, below which earlier holders made IDs; and
//            whether it is banned. It is free if its holder has ended or there is none.
//
// A grant is a rectangle: an identity, times the interval from its `used_until` when it was claimed
// to the `used_until` of its holder. Rectangles of one identity do not overlap: the next holder's
// begins where the one before ended for good. So it does not matter for uniqueness when a holder
// expires, whether it notices, or whose clock is right. All of that only costs waiting.
//
//   scheme   what all servers of a pool go by: a text, of which the drivers know nothing, in
//   versions
//            1, 2, 3 and so on. None is ever altered or deleted, and the latest counts. Version 0
//            is the empty text. Each holder says by which version it goes (`acknowledged`), and
//            nobody becomes a holder who does not go by the latest.
//
// So whoever writes a version of the scheme and then reads the holders sees all that do not go by
// it: one that he does not see enrols later, and goes by that version or a later one
// (core/scheme.h says what follows from that).
//
// All times are milliseconds since 1970 by the clock of the holder that says them, except `expires`
// and the like, which are the registry's own matter. A time T covers IDs earlier than T.
//
// No call waits beyond its deadline, and every wait goes through the host, who may end it. After a
// call that failed (Status::kFailed) it is not known whether the registry did what was asked: every
// operation may be repeated, and the connection is to be closed and opened anew.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace idgen::registry {

inline constexpr std::int32_t kNone = -1;  // the layout has no such field

// An identity as IDs show it. Layouts with a machine field are told apart by datacenter and
// machine, whatever shard is beside it (shard = kNone); layouts without one by datacenter and
// shard.
struct Identity {
  std::int32_t datacenter = kNone;
  std::int32_t machine = kNone;
  std::int32_t shard = kNone;

  // By datacenter, machine, shard: the order of lists.
  friend constexpr auto operator<=>(const Identity&, const Identity&) = default;
};

inline constexpr std::size_t kTokenSize = 33;   // 32 hexadecimal digits and the end
inline constexpr std::size_t kNameSize = 128;   // of a holder, with the end; longer ones are cut
inline constexpr std::size_t kErrorSize = 512;  // of a message, with the end

struct Holder {
  char pool[64];           // the name of the set of servers whose IDs must differ
  char token[kTokenSize];  // random, new for each run of a server and after each loss
  char name[kNameSize];    // for people
};

enum class Status : std::uint8_t {
  kDone,
  kLost,    // this holder has ended (or the registry does not know it): enrol as a new one
  kStale,   // there is another version of the scheme: read it, go by it, and enrol again
  kFailed,  // no answer, or a nonsensical one; Error says what. Nothing is known
};

// What went wrong, for a person: one line, without a full stop.
struct Error {
  char message[kErrorSize] = {};
};

// The answer to the claim of one identity.
enum class Claim : std::uint8_t {
  kGranted,
  kHeld,  // by somebody else, who has not ended
  kBanned,
  kFull,  // ClaimAny: no identity of the range is free
};

struct Claimed {
  Claim claim = Claim::kHeld;
  Identity identity;
  // kGranted: nobody before made an ID at this time or later. 0: it was never held.
  std::int64_t used_until_ms = 0;
  // kHeld: who holds it.
  char holder[kNameSize] = {};
};

// How far a holder's clock is ahead of the registry's. For people: no lease depends on it.
struct ClockOffset {
  bool known;
  std::int64_t offset_us;  // below 0: it is behind
  std::int64_t error_us;   // the offset is wrong by this at most: half of the round trip
};

// A row of the list for people.
struct Listed {
  Identity identity;
  bool held = false;  // its holder lives
  bool banned = false;
  std::int64_t used_until_ms = 0;  // that of its living holder, else that of those before
  std::int64_t expires_in_ms = 0;  // until its holder may be ended; of a living holder
  char holder[kNameSize] = {};     // the last one's name
  ClockOffset clock = {};          // of a living holder
};

// A version of the scheme.
struct Scheme {
  std::int64_t version;
  const char* text;         // shorter than kSchemeSize
  const char* changed_by;   // for people; longer ones than kNameSize are cut
  std::int64_t changed_ms;  // when, by the clock of whoever wrote it
};
inline constexpr std::size_t kSchemeSize = 64 * 1024;  // with the end
inline constexpr std::int64_t kLatestScheme = -1;
inline constexpr std::int64_t kAllSchemes = -2;

// Versions of the scheme, as a holder and the registry say them to each other.
struct SchemeVersions {
  std::int64_t known = 0;   // the one that the holder goes by
  std::int64_t latest = 0;  // the answer
};

// A holder, for the agreement of all of them.
struct ListedHolder {
  char token[kTokenSize];
  char name[kNameSize];
  bool lives;  // it has not ended, even if it may be
  std::int64_t used_until_ms;
  std::int64_t expires_in_ms;  // until it may be ended; of a living holder
  std::int64_t acknowledged;   // the version of the scheme that it goes by
};

// What a driver asks of whoever runs it. Callbacks must not throw.
struct Host {
  void* context;
  // Waits until `socket` can be read or written (either flag; neither: only for the time), for at
  // most `us` microseconds. Returns false if the call is to end with kFailed: the host is stopping.
  // The process may end in it.
  bool (*wait)(void* context, int socket, bool read, bool write, std::int64_t us);
  std::int64_t (*monotonic_us)(void* context);
};

struct Connection;  // a driver's own

// The operations of a driver. `deadline_us` is by the host's monotonic clock. `error` is set with
// kFailed. All are right when several holders call them at once, from anywhere.
struct Driver {
  std::uint32_t version;  // kDriverVersion
  const char* scheme;     // of addresses: "postgresql", "zookeeper", "etcd"

  // Whether an address makes sense, without connecting. Never shows a password in the error.
  bool (*check_address)(const char* address, Error& error);

  // Connects. Returns nullptr on failure. Close also ends what is half done; it never waits.
  Connection* (*open)(const char* address, const Host& host, std::int64_t deadline_us,
                      Error& error);
  void (*close)(Connection* connection);

  // Makes a new holder with this used_until, that lives for `term_ms` without renewal, and goes by
  // `scheme.known`. kStale if that is not the latest version. Repeated with the same token: as
  // renew.
  Status (*enrol)(Connection*, const Holder&, std::int64_t used_until_ms, std::int64_t term_ms,
                  SchemeVersions& scheme, std::int64_t deadline_us, Error& error);

  // Raises the holder's used_until (a smaller one leaves it) and lets it live for another term.
  // Raises what it acknowledges to `scheme.known`, in the same step, and tells the latest version:
  // no older one than that before the call. kLost if the holder has ended. One round trip, however
  // much the holder has.
  Status (*renew)(Connection*, const Holder&, std::int64_t used_until_ms, std::int64_t term_ms,
                  SchemeVersions& scheme, std::int64_t deadline_us, Error& error);

  // Claims identities for a living holder; `claimed` has `count` answers, each with its identity.
  // Ends holders whose time is up. What the holder has already is granted again, with the same
  // used_until as the first time.
  Status (*claim)(Connection*, const Holder&, const Identity* identities, std::size_t count,
                  Claimed* claimed, std::int64_t deadline_us, Error& error);

  // Claims any machine from `least` to `most` of a datacenter: one that nobody used later than
  // `now_ms` before one that somebody did; of those the one that a holder of the same name held
  // last; else one that was never held, else the one that has been free longest. kHeld and kBanned
  // do not occur. A holder that has one of this range and datacenter is granted that one again.
  Status (*claim_any)(Connection*, const Holder&, std::int32_t datacenter, std::int32_t least,
                      std::int32_t most, std::int64_t now_ms, Claimed& claimed,
                      std::int64_t deadline_us, Error& error);

  // Ends the holder. `used_until_ms` is the truth at last and may be below what was granted. kDone
  // also if the holder had ended.
  Status (*release)(Connection*, const Holder&, std::int64_t used_until_ms,
                    std::int64_t deadline_us, Error& error);

  // For operators. `list` calls `each` for every identity ever held or banned in the pool, ordered
  // by datacenter, machine, shard. `evict` ends the holder of an identity, with all that it holds,
  // whether its time is up or not; `found` tells whether it had a living holder. `ban` keeps an
  // identity from being claimed; it evicts nobody. Both may name an identity nobody ever held.
  Status (*list)(Connection*, const char* pool, void (*each)(void* context, const Listed&),
                 void* context, std::int64_t deadline_us, Error& error);
  Status (*evict)(Connection*, const char* pool, const Identity&, bool& found,
                  std::int64_t deadline_us, Error& error);
  Status (*ban)(Connection*, const char* pool, const Identity&, bool banned,
                std::int64_t deadline_us, Error& error);

  // Calls `each` for a version of the scheme, for the latest one (kLatestScheme), or for all of
  // them in order (kAllSchemes). For none where there is none.
  Status (*read_scheme)(Connection*, const char* pool, std::int64_t version,
                        void (*each)(void* context, const Scheme&), void* context,
                        std::int64_t deadline_us, Error& error);
  // Writes a version, if it is the one after the latest; `written` tells. Never two of one number.
  Status (*write_scheme)(Connection*, const char* pool, const Scheme& scheme, bool& written,
                         std::int64_t deadline_us, Error& error);
  // Calls `each` for every holder, in the order of their names and tokens; ended ones too, as long
  // as the registry has them. With `end_expired` it ends those whose time is up first; one that
  // is renewed at this moment lives on.
  Status (*holders)(Connection*, const char* pool, bool end_expired,
                    void (*each)(void* context, const ListedHolder&), void* context,
                    std::int64_t deadline_us, Error& error);
  // Waits until there is another version than `scheme.known`, or until `until_us` by the host's
  // clock, or until the host's wait returns false; kDone in each case, with what is known of the
  // latest. News that may come late or not at all: the next renewal tells for sure.
  Status (*watch)(Connection*, const char* pool, SchemeVersions& scheme, std::int64_t until_us,
                  Error& error);

  // What this connection last saw of the registry's clock: when it connected, enrolled or renewed.
  // Each enrolment and renewal also leaves there, for the list, what was seen before it. Unknown
  // where the registry does not show its clock. Asks nobody.
  ClockOffset (*clock)(const Connection*);
};

inline constexpr std::uint32_t kDriverVersion = 3;

}  // namespace idgen::registry

// A driver's module exports this function (and PostgreSQL's magic).
extern "C" {
typedef const idgen::registry::Driver* (*idgen_registry_driver_function)(void);
}
