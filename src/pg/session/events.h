// What the operator's log is told of the clock: that it was set, that IDs began to be ahead of
// it and no longer are, that somebody waits for long. Once an event for the whole server,
// whichever session sees it first. For the slow path only.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Compares the wall clock with the monotonic one, as they were when anybody last looked.
void NoteClock();

// The next ID is of `next_us`, ahead of the clock, which shows `now_us`.
void NoteAhead(const char* generator, std::int64_t next_us, std::int64_t now_us);

// An ID was issued that is not ahead of the clock.
void NoteOnTime(std::int64_t now_us);

// This session has waited for the clock for so long, and goes on waiting.
void NoteWait(const char* generator, std::int64_t waited_us);

// Refuses to go on after a step forward of more than idgen.max_clock_step that nobody has
// accepted. For when the mark is about to follow the clock: one ID would take it along for good.
void CheckClockStep();

// Accepts the clock as it is now.
void AcceptClock();

}  // namespace idgen::pg
