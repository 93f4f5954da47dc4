// The test clock (docs/testing.md): a time that a session sets for itself, for tests. While it is
// on, all IDs of the session are of that time and come from positions of its own
// (session/test_take.h). So they may be anybody's: a transaction that wrote something and made such
// IDs does not commit unless the session says so.
//
// Its state is a setting. So turning it on needs a privilege, a rollback takes it back, RESET ALL
// and DISCARD ALL end it. Only the session itself turns it on: what a server, a database or a role
// sets for every session could reach production.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

inline constexpr char kTestClockName[] = "idgen.test_clock";
inline constexpr char kTestClockCommitName[] = "idgen.test_clock_commit";

bool TestClockIsOn();

// Microseconds since 1970: what was set, and what waits have let pass since. The clock is on.
std::int64_t TestClockUs();

// Lets time pass, instead of waiting.
void PassTestTime(std::int64_t us);

// Which run of the test clock this is: from the first, each turning on begins one. A rollback that
// turns the clock on again continues its run. What a run has made begins anew with the next one.
std::uint64_t TestClockRun();

// Returns random bits of the run: the same ones in each.
std::uint64_t TestRandomBits();

// Notes that an ID of the test clock is about to be made in this transaction. An error in a
// parallel worker, which has no positions of the session.
void NoteTestId();

// Defines the settings; once, when the others are.
void DefineTestClock();

// Registers what is called when the clock was turned on or off. It may be called at the end of a
// transaction, so it must not fail. Once, from _PG_init.
using TestClockSwitched = void (*)();
void WatchTestClock(TestClockSwitched switched);

// Returns a time as the setting is written: in UTC. In the current memory context.
char* TestClockText(std::int64_t us);

// Turns the clock on, or sets another time; needs the right to set it. `is_local`: until the end of
// the transaction.
void SetTestClock(std::int64_t us, bool is_local);
// Whether its time is only set until the end of the transaction, or of a function's call.
bool TestClockIsLocal();
// Turns it off.
void EndTestClock();

}  // namespace idgen::pg
