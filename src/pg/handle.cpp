#include "handle.h"

#include <algorithm>
#include <new>

#include "core/cycles.h"
#include "errors.h"
#include "floor.h"
#include "mark.h"
#include "settings.h"

namespace idgen::pg {

namespace {

// Counts invalidations. From 1 on, so that a handle never prepared is never current.
constinit std::uint64_t invalidations = 1;

constinit Handle snowflake;
constinit Handle* handles = nullptr;

void Link(Handle& handle, const Layout& layout) {
  handle.layout = &layout;
  handle.next = handles;
  handles = &handle;
}

}  // namespace

Handle& SnowflakeHandle() {
  if (snowflake.layout == nullptr) Link(snowflake, kBuiltinLayouts[0]);
  return snowflake;
}

Handle& HandleOf(std::string_view generator) {
  if (generator == kSnowflake.name) return SnowflakeHandle();
  for (Handle* handle = handles; handle != nullptr; handle = handle->next) {
    if (handle->layout->name == generator) return *handle;
  }
  const Layout* layout = FindBuiltinLayout(generator);
  if (layout == nullptr) ReportUnknownGenerator(generator);
  auto* handle = new (MemoryContextAlloc(TopMemoryContext, sizeof(Handle))) Handle;
  Link(*handle, *layout);
  return *handle;
}

bool IsPrepared(const Handle& handle) { return handle.preparation == invalidations; }

void PrepareHandle(Handle& handle) {
  if (RecoveryInProgress()) ReportRecovery();

  const Layout& layout = *handle.layout;
  handle.cursor.Close();
  // What follows may itself take in invalidations; then the loop in the slow path
  // prepares the handle once more.
  const std::uint64_t preparation = invalidations;

  const Identity identity = IdentityFromSettings();
  CheckIdentity(layout, identity);
  const std::uint64_t identity_bits = layout.IdentityBits(identity);

  Root& shared = SharedRoot();
  DatabaseMark& database = CurrentDatabaseMark();
  // The first session of a database after a start finds the mark of an earlier run and
  // claims the page for this one. For all others this is a look at the page.
  AdvanceMark(database, 0, 0);
  FindFloor(shared);

  const std::uint64_t floor_ms = LoadShared(shared.floor_ms);
  Slot& slot = SlotOf(layout.SpaceOf(identity_bits),
                      layout.PositionLimit(static_cast<std::int64_t>(floor_ms)));

  static constinit std::uint64_t cycles_per_us = 0;
  static constinit bool asked = false;
  if (!asked) cycles_per_us = CyclesPerUs();
  asked = true;

  handle.cursor = Cursor(layout, static_cast<std::uint64_t>(BlockSize()), cycles_per_us);
  handle.composer = layout.ComposerFor(identity_bits);
  handle.position = &slot.position;
  handle.slot = &slot;
  handle.database = &database;
  handle.floor_ms = 0;  // the slot may be older than the floor: it is compared again
  handle.preparation = preparation;
}

void InvalidateHandles() {
  ++invalidations;
  for (Handle* handle = handles; handle != nullptr; handle = handle->next) {
    handle->cursor.Close();
  }
}

}  // namespace idgen::pg
