// The settings (docs/settings.md). The values are plain variables that PostgreSQL's GUC machinery
// writes. All other code reads them through these functions.
#pragma once

#include "pg.h"

#include <string_view>

#include "core/guard.h"
#include "core/layout.h"

namespace idgen::pg {

// Defines the settings; once, from _PG_init.
void DefineSettings();

// Reports an error if a setting of idgen was given and refused, or has an unknown name. Otherwise
// IDs would be made with settings that nobody meant, perhaps with another server's identity.
// PostgreSQL itself only warns when the module is loaded.
void CheckSettings();

// What CheckSettings() reports, in the current memory context; empty if it reports nothing. Not for
// parallel workers.
const char* RefusedSettings();

// Notes that the session's settings were reset: all of them (nullptr), or one.
void OnSettingsReset(const char* name);

// Returns this server's identity from the settings. An unset shard is 0 here.
Identity IdentityFromSettings();

// Whether anybody has ever set idgen.machine_id or idgen.datacenter_id, be it to 0.
bool IdentityWasSet();

// Whether idgen.shard_id is set.
bool ShardIsSet();

// Returns the guard's settings in the core's units.
GuardSettings GuardFromSettings();

// idgen.max_clock_offset
std::int64_t MaxClockOffsetUs();

// idgen.reserve_window, in milliseconds.
int ReserveWindowMs();

// idgen.max_clock_step; 0: off.
std::int64_t MaxClockStepUs();

// idgen.max_clock_error; 0: off.
std::int64_t MaxClockErrorUs();

// idgen.block_size: IDs that a session takes at a time.
int BlockSize();

// idgen.ticket_reserve: the most numbers that a sequence sets aside.
int TicketReserve();

// idgen.ticket_servers: addresses, separated by white space; empty: there are none.
const char* TicketServers();
inline constexpr int kMostTicketServers = 4;
inline constexpr std::size_t kLongestTicketServers = 1000;

// Cuts the next address off the list; empty if there is none.
std::string_view CutTicketServer(std::string_view& list);

// idgen.ticket_segment: the least numbers to fetch at a time.
int TicketSegment();

// idgen.machine_id_source
enum class MachineIdSource : std::uint8_t { kSetting, kHostname, kCitus, kRegistry };
MachineIdSource SourceOfMachineId();

// idgen.uuid_node
enum class UuidNode : std::uint8_t { kRandom, kIdentity, kMac };
UuidNode SourceOfUuidNode();

// idgen.registry; empty: there is none.
const char* RegistryAddress();

// idgen.registry_pool: at most kLongestPool plain characters.
const char* RegistryPool();
inline constexpr std::size_t kLongestPool = 63;

// idgen.registry_machines, idgen.lease_term, idgen.max_lease_wait
int RegistryMachines();
int LeaseTermMs();
int MaxLeaseWaitMs();

}  // namespace idgen::pg
