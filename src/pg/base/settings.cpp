#include "settings.h"

#include <algorithm>

#include "core/fields.h"
#include "core/builtin_layouts.h"
#include "guc.h"
#include "invalidate.h"
#include "refused.h"
#include "test_clock.h"

namespace idgen::pg {

namespace {

constinit int datacenter_id = 0;
constinit int server_machine_id = 0;
constinit int shard_id = -1;
constinit int clock_regression = static_cast<int>(ClockRegression::kWait);
constinit int max_clock_wait_ms = 2000;
constinit int max_clock_lead_ms = 10000;
constinit int max_clock_offset_ms = 500;
constinit int reserve_window_ms = 1000;
constinit int block_size = 1;
constinit int ticket_reserve = 32768;
constinit char* ticket_servers = nullptr;
constinit int ticket_segment = 1000;
constinit int max_clock_step_s = 0;
constinit int max_clock_error_ms = 5000;
constinit int machine_id_source = static_cast<int>(MachineIdSource::kSetting);
constinit int uuid_node = static_cast<int>(UuidNode::kRandom);
constinit char* registry = nullptr;
constinit char* registry_pool = nullptr;
constinit int registry_machines = 32;
constinit int lease_term_ms = 30'000;
constinit int max_lease_wait_ms = 5'000;

// While the settings are being defined, PostgreSQL assigns the values given earlier once more.
constinit bool is_being_defined = false;

constexpr int kDayMs = 24 * 60 * 60 * 1000;

const config_enum_entry kClockRegressionOptions[] = {
    {"wait", static_cast<int>(ClockRegression::kWait), false},
    {"lead", static_cast<int>(ClockRegression::kLead), false},
    {"error", static_cast<int>(ClockRegression::kError), false},
    {nullptr, 0, false},
};

const config_enum_entry kMachineIdSourceOptions[] = {
    {"setting", static_cast<int>(MachineIdSource::kSetting), false},
    {"hostname", static_cast<int>(MachineIdSource::kHostname), false},
    {"citus", static_cast<int>(MachineIdSource::kCitus), false},
    {"registry", static_cast<int>(MachineIdSource::kRegistry), false},
    {nullptr, 0, false},
};

const config_enum_entry kUuidNodeOptions[] = {
    {"random", static_cast<int>(UuidNode::kRandom), false},
    {"identity", static_cast<int>(UuidNode::kIdentity), false},
    {"mac", static_cast<int>(UuidNode::kMac), false},
    {nullptr, 0, false},
};

extern "C" {

static void AssignHandleText(const char*, void*) { InvalidateHandles(); }

static bool CheckPoolSetting(char** value, void**, GucSource) {
  const std::size_t length = strlen(*value);
  const std::size_t plain = strspn(*value,
                                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-.");
  if (length > 0 && length <= kLongestPool && plain == length && **value != '.') return true;
  GUC_check_errdetail(
      "A pool's name has 1 to %d letters, digits, \"_\", \"-\" and \".\", and does "
      "not begin with \".\".",
      static_cast<int>(kLongestPool));
  return false;
}

// The addresses are separated by spaces. Whether libpq understands one is seen when it is used.
static bool CheckTicketServers(char** value, void**, GucSource) {
  int addresses = 0;
  std::string_view list = *value;
  for (std::string_view address = CutTicketServer(list); !address.empty();
       address = CutTicketServer(list)) {
    if (!address.starts_with("postgresql://") && !address.starts_with("postgres://")) {
      GUC_check_errdetail(
          "An address begins with \"postgresql://\"; several are separated by spaces.");
      return false;
    }
    ++addresses;
  }
  if (addresses <= kMostTicketServers && strlen(*value) <= kLongestTicketServers) return true;
  GUC_check_errdetail("There are at most %d addresses, of %d bytes altogether.", kMostTicketServers,
                      static_cast<int>(kLongestTicketServers));
  return false;
}

// A handle holds the identity and the block size with which it was prepared.
static void AssignHandleSetting(int, void*) { InvalidateHandles(); }

}  // extern "C"

// Accepts an identity that does not fit the most common layout, since other layouts are wider. But
// whoever sets it for later sessions is warned at once, not by the first INSERT that fails.
bool WarnIfTooLarge(const char* name, FieldKind kind, int value, GucSource source) {
  const std::uint64_t most = kSnowflake[kind].Largest();
  if (value < 0 || static_cast<std::uint64_t>(value) <= most) return true;
  // ALTER SYSTEM checks a value as if from a file, but within a transaction. ALTER DATABASE and
  // ALTER ROLE check it as a test.
  const bool for_later = source == PGC_S_TEST || (source == PGC_S_FILE && IsTransactionState());
  if (!for_later || is_being_defined || IsParallelWorker()) return true;
  ereport(WARNING,
          (errmsg("%s = %d does not fit layout \"snowflake\"", name, value),
           errdetail("Its %s field has %u bits: 0 to %llu. snowflake_nextval() will fail.",
                     NameOfField(kind).data(), static_cast<unsigned>(kSnowflake[kind].bits),
                     static_cast<unsigned long long>(most)),
           errhint("Generators of layouts with a wider field can use it.")));
  return true;
}

extern "C" {

static bool CheckDatacenterSetting(int* value, void**, GucSource source) {
  return WarnIfTooLarge("idgen.datacenter_id", FieldKind::kDatacenter, *value, source);
}

static bool CheckMachineSetting(int* value, void**, GucSource source) {
  return WarnIfTooLarge("idgen.machine_id", FieldKind::kMachine, *value, source);
}

}  // extern "C"

void DefineInt(const char* name, const char* short_text, const char* long_text, int* variable,
               int least, int most, GucContext context, int flags, GucIntAssignHook assign,
               GucIntCheckHook check = nullptr) {
  const GivenSetting given = LookAtGiven(name);
  DefineCustomIntVariable(name, short_text, long_text, variable, *variable, least, most, context,
                          flags, check, assign, nullptr);
  NoteIfRefused(given);
}

void DefineEnum(const char* name, const char* short_text, const char* long_text, int* variable,
                const config_enum_entry* options, GucContext context, GucEnumAssignHook assign) {
  const GivenSetting given = LookAtGiven(name);
  DefineCustomEnumVariable(name, short_text, long_text, variable, *variable, options, context, 0,
                           nullptr, assign, nullptr);
  NoteIfRefused(given);
}

void DefineText(const char* name, const char* short_text, const char* long_text, char** variable,
                const char* value, int flags, GucStringCheckHook check,
                GucContext context = PGC_SIGHUP) {
  const GivenSetting given = LookAtGiven(name);
  DefineCustomStringVariable(name, short_text, long_text, variable, value, context, flags, check,
                             AssignHandleText, nullptr);
  NoteIfRefused(given);
}

// Where the machine ID comes from, and leases.
void DefineRegistrySettings() {
  DefineEnum(
      "idgen.machine_id_source", "Where the machine ID of this server comes from.",
      "setting: idgen.machine_id. hostname: the number at the end of the host name, plus "
      "idgen.machine_id. citus: the group of this Citus node. registry: any free one of the pool.",
      &machine_id_source, kMachineIdSourceOptions, PGC_SIGHUP, AssignHandleSetting);
  DefineText("idgen.registry", "Registry in which this server holds its identities.",
             "postgresql://..., zookeeper://host:port,.../path, or etcd://host:port,.../prefix. "
             "Empty: no registry.",
             &registry, "", GUC_SUPERUSER_ONLY, nullptr);
  DefineText("idgen.registry_pool", "Name of the servers whose IDs must differ, in the registry.",
             nullptr, &registry_pool, "default", 0, CheckPoolSetting);
  DefineInt("idgen.registry_machines", "How many machine IDs the pool has: from 0 on.",
            "Applies where idgen.machine_id_source is registry.", &registry_machines, 1,
            PG_INT32_MAX, PGC_SIGHUP, 0, AssignHandleSetting);
  DefineInt("idgen.lease_term", "How long identities are held without renewal.",
            "They are renewed when a third of it is gone. A server that crashed waits this long at "
            "most for its own identity.",
            &lease_term_ms, 1000, kDayMs, PGC_SIGHUP, GUC_UNIT_MS, nullptr);
  DefineInt("idgen.max_lease_wait",
            "Longest time to wait for an answer of the registry or of a ticket server.",
            "The first ID after a start waits for it, or after the registry was away for a term.",
            &max_lease_wait_ms, 0, kDayMs, PGC_USERSET, GUC_UNIT_MS, nullptr);
}

}  // namespace

void DefineSettings() {
  is_being_defined = true;
  DefineRefused();
  DefineInt("idgen.datacenter_id", "Datacenter ID of this server in generated IDs.",
            "Servers that write to one data set need different pairs of datacenter and machine ID.",
            &datacenter_id, 0, PG_INT32_MAX, PGC_SUSET, 0, AssignHandleSetting,
            CheckDatacenterSetting);
  DefineInt("idgen.machine_id", "Machine ID of this server in generated IDs.",
            "Servers that write to one data set need different pairs of datacenter and machine ID.",
            &server_machine_id, 0, PG_INT32_MAX, PGC_SUSET, 0, AssignHandleSetting,
            CheckMachineSetting);
  DefineInt("idgen.shard_id", "Logical shard in generated IDs, where the layout has a shard field.",
            "-1 stands for unset.", &shard_id, -1, PG_INT32_MAX, PGC_USERSET, 0,
            AssignHandleSetting);
  DefineEnum(
      "idgen.clock_regression", "What to do when the clock is behind the last ID.",
      "wait: wait for the clock, at most idgen.max_clock_wait. lead: go on ahead of the clock, at "
      "most idgen.max_clock_lead. error: fail at once.",
      &clock_regression, kClockRegressionOptions, PGC_SUSET, nullptr);
  DefineInt("idgen.max_clock_wait", "Longest time to wait for a clock that is behind.",
            "Keep it longer than idgen.reserve_window, or the first ID after a restart may fail.",
            &max_clock_wait_ms, 0, kDayMs, PGC_USERSET, GUC_UNIT_MS, nullptr);
  DefineInt("idgen.max_clock_lead", "Longest time by which IDs may run ahead of the clock.",
            "Applies where idgen.clock_regression is lead, and to idgen_observe().",
            &max_clock_lead_ms, 0, kDayMs, PGC_SUSET, GUC_UNIT_MS, nullptr);
  DefineInt("idgen.max_clock_offset", "Furthest that the clocks of servers may be apart.",
            "hlc_observe() refuses timestamps that are further ahead of the clock.",
            &max_clock_offset_ms, 1, 60 * 1000, PGC_SUSET, GUC_UNIT_MS, nullptr);
  DefineInt("idgen.reserve_window", "How far ahead the high-water mark is written.",
            "The first ID after a restart may have to wait this long at most.", &reserve_window_ms,
            10, 60 * 60 * 1000, PGC_SUSET, GUC_UNIT_MS, nullptr);
  DefineInt("idgen.block_size", "IDs that a session takes at a time.",
            "Above 1, IDs of different sessions may be out of order by at most one tick, and what "
            "is left of a block at the end of its tick is dropped.",
            &block_size, 1, 1 << 20, PGC_USERSET, 0, AssignHandleSetting);
  DefineInt("idgen.ticket_reserve", "Most numbers that a sequence sets aside for tickets.",
            "A crash of the server skips this many at most. Fewer are set aside where they last.",
            &ticket_reserve, 1, 1 << 24, PGC_SUSET, 0, nullptr);
  DefineText("idgen.ticket_servers", "Servers that give segments of numbers to sequences here.",
             "postgresql://...; several are separated by spaces. Empty: none.", &ticket_servers, "",
             GUC_SUPERUSER_ONLY, CheckTicketServers, PGC_SUSET);
  DefineInt("idgen.ticket_segment", "Least numbers to fetch from a ticket server at a time.",
            "More are fetched where they last less than 15 minutes: up to a million.",
            &ticket_segment, 1, 10'000'000, PGC_SUSET, 0, nullptr);
  DefineInt("idgen.max_clock_step", "Longest step forward of the clock that is accepted.",
            "After a longer one no IDs are made until idgen_accept_clock() is called, or the clock "
            "is set back. 0: every step is accepted.",
            &max_clock_step_s, 0, PG_INT32_MAX, PGC_SIGHUP, GUC_UNIT_S, nullptr);
  DefineInt("idgen.max_clock_error", "Largest error of the clock that the log is not told of.",
            "The kernel's maximum error counts: it grows by 500 ppm from the last synchronization "
            "on. 0: the clock is not looked at.",
            &max_clock_error_ms, 0, kDayMs, PGC_SIGHUP, GUC_UNIT_MS, nullptr);
  DefineEnum("idgen.uuid_node", "What the node of UUIDs of versions 1 and 6 is.",
             "random: a number that each start of the server draws. identity: made of "
             "idgen.datacenter_id and idgen.machine_id. mac: a hardware address of this machine.",
             &uuid_node, kUuidNodeOptions, PGC_SUSET, AssignHandleSetting);
  DefineRegistrySettings();
  DefineTestClock();
  NoteUnknownSettings();
  MarkGUCPrefixReserved("idgen");
  PublishRefused();
  is_being_defined = false;
}

Identity IdentityFromSettings() {
  return {.datacenter = static_cast<std::uint64_t>(datacenter_id),
          .machine = static_cast<std::uint64_t>(server_machine_id),
          .shard = static_cast<std::uint64_t>(shard_id < 0 ? 0 : shard_id)};
}

bool IdentityWasSet() {
  static constinit const config_generic* machine = nullptr;
  static constinit const config_generic* datacenter = nullptr;
  return WasSet("idgen.machine_id", machine) || WasSet("idgen.datacenter_id", datacenter);
}

bool ShardIsSet() { return shard_id >= 0; }

GuardSettings GuardFromSettings() {
  return {.mode = static_cast<ClockRegression>(clock_regression),
          .max_clock_wait_us = std::int64_t{max_clock_wait_ms} * 1000,
          .max_clock_lead_us = std::int64_t{max_clock_lead_ms} * 1000,
          .max_start_wait_us = std::int64_t{reserve_window_ms} * 1000};
}

std::int64_t MaxClockOffsetUs() { return std::int64_t{max_clock_offset_ms} * 1000; }

int ReserveWindowMs() { return reserve_window_ms; }

std::int64_t MaxClockStepUs() { return std::int64_t{max_clock_step_s} * 1'000'000; }

std::int64_t MaxClockErrorUs() { return std::int64_t{max_clock_error_ms} * 1000; }

int BlockSize() { return block_size; }

int TicketReserve() { return ticket_reserve; }

const char* TicketServers() { return ticket_servers != nullptr ? ticket_servers : ""; }

std::string_view CutTicketServer(std::string_view& list) {
  constexpr std::string_view kSpaces = " \t\r\n";
  list.remove_prefix(std::min(list.find_first_not_of(kSpaces), list.size()));
  const std::string_view address = list.substr(0, list.find_first_of(kSpaces));
  list.remove_prefix(address.size());
  return address;
}

int TicketSegment() { return ticket_segment; }

MachineIdSource SourceOfMachineId() { return static_cast<MachineIdSource>(machine_id_source); }

UuidNode SourceOfUuidNode() { return static_cast<UuidNode>(uuid_node); }

const char* RegistryAddress() { return registry != nullptr ? registry : ""; }

const char* RegistryPool() { return registry_pool; }

int RegistryMachines() { return registry_machines; }

int LeaseTermMs() { return lease_term_ms; }

int MaxLeaseWaitMs() { return max_lease_wait_ms; }

}  // namespace idgen::pg
