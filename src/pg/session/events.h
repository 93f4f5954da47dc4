// Tells the server log about the clock: that it was set, that IDs began to be ahead of it and no
// longer are, that a session waits for long. Each event is logged once for the whole server, by the
// session that sees it first. For the slow path only.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Compares the difference between the wall clock and the monotonic clock with that at the last look
// of any session.
void NoteClock();

// Notes that the next ID is of `next_us`, ahead of the clock, which shows `now_us`.
void NoteAhead(const char* generator, std::int64_t next_us, std::int64_t now_us);

// Notes that an ID was issued that is not ahead of the clock.
void NoteOnTime(std::int64_t now_us);

// Notes that this session has waited this long for the clock and goes on waiting.
void NoteWait(const char* generator, std::int64_t waited_us);

// Reports an error after a step forward of more than idgen.max_clock_step that nobody has accepted.
// Call it when the mark is about to follow the clock: a single ID would move the mark for good.
void CheckClockStep();

// Accepts the clock as it is now.
void AcceptClock();

}  // namespace idgen::pg
