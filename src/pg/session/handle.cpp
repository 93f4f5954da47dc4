#include "handle.h"

#include <algorithm>
#include <new>

#include "citus.h"
#include "core/cycles.h"
#include "core/builtin_layouts.h"
#include "core/mark.h"
#include "errors.h"
#include "start_over.h"
#include "invalidate.h"
#include "mark.h"
#include "scheme_fence.h"
#include "settings.h"
#include "source.h"
#include "test_clock.h"

namespace idgen::pg {

namespace {

// What this session has seen of the mark is of this count of its invalidations.
constinit std::uint64_t mark_seen = 0;
constinit DatabaseMark* mark = nullptr;

constinit Handle snowflake;
constinit Handle instagram;
constinit Handle* handles = nullptr;
constinit std::uint64_t times_forgotten = 0;
constinit BeforePreparation before_preparation = nullptr;

// All handles by name.
struct NamedHandle {
  char name[NAMEDATALEN];  // the key
  Handle* handle;
};
constinit HTAB* handles_by_name = nullptr;

void CloseAllowances() {
  for (Handle* handle = handles; handle != nullptr; handle = handle->next) {
    handle->allowance.Close();
  }
}

void Link(Handle& handle, std::string_view name) {
  WatchInvalidations(CloseAllowances);
  const std::size_t length = std::min<std::size_t>(name.size(), NAMEDATALEN - 1);
  std::copy_n(name.data(), length, handle.name);
  handle.has_name = true;
  handle.next = handles;
  handles = &handle;
}

void ForgetLastId(Handle& handle) { handle.last_id = handle.seen_id = -1; }

Handle& BuiltinHandle(Handle& handle, const Layout& layout) {
  if (unlikely(!handle.has_name)) {
    Link(handle, layout.name);
    handle.generator = {.layout = layout};
  }
  return handle;
}

NamedHandle* EntryOf(const char* name, HASHACTION action) {
  if (handles_by_name == nullptr) {
    HASHCTL control{};
    control.keysize = NAMEDATALEN;
    control.entrysize = sizeof(NamedHandle);
    handles_by_name = hash_create("idgen generators", 16, &control, HASH_ELEM | HASH_STRINGS);
  }
  return static_cast<NamedHandle*>(hash_search(handles_by_name, name, action, nullptr));
}

constexpr std::size_t kLine = 64;
static_assert(alignof(Handle) == kLine);

// The beginning of the first cache line from here on.
char* FirstLine(char* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  return memory + (TYPEALIGN(kLine, address) - address);
}

std::uint64_t CyclesPerUsOnce() {
  static constinit std::uint64_t cycles_per_us = 0;
  static constinit bool asked = false;
  if (!asked) cycles_per_us = CyclesPerUs();
  asked = true;
  return cycles_per_us;
}

// Sets the handle's layout. The layout's own name lies where it was read to: it is copied.
void SetLayout(Handle& handle, const Layout& layout) {
  handle.generator.layout = layout;
  const std::size_t length = std::min(layout.name.size(), sizeof(handle.layout_name));
  std::copy_n(layout.name.data(), length, handle.layout_name);
  handle.generator.layout.name = {handle.layout_name, length};
}

// Raises a position so that none is taken below `end`.
void EndBefore(Slot& slot, std::uint64_t end) {
  if (end > 0) RaisePosition(slot.position, end - 1);
}

// Returns how many stages two successions have in common at their beginning.
std::size_t SameStages(const Succession& a, const Succession& b) {
  std::size_t same = 0;
  while (same < a.count && same < b.count && a.SinceOf(same) == b.SinceOf(same) &&
         a.stages[same].layout == b.stages[same].layout) {
    ++same;
  }
  return same;
}

// Sets what the handle's name stands for.
void Define(Handle& handle, const GeneratorDefinition& definition) {
  const Layout before = handle.generator.layout;
  handle.generator = definition;
  handle.generator.layout = before;
  handle.generator.changes = nullptr;  // it does not live as long as the handle
  const bool is_altered = handle.changes != nullptr || definition.changes != nullptr;
  if (likely(!is_altered)) return SetLayout(handle, definition.layout);
  if (handle.changes == nullptr) {
    handle.changes =
        static_cast<Succession*>(MemoryContextAllocZero(TopMemoryContext, sizeof(Succession)));
    *handle.changes = Succession(before);
  }
  const Succession layouts = LayoutsOf(definition);
  // A stage that a session has entered is not left again, whatever the clock shows. It is gone
  // where the session's own transaction made the change and was rolled back; what is at its place
  // then is another stage.
  const std::uint64_t run = TestClockIsOn() ? TestClockRun() : 0;
  const std::size_t same = SameStages(layouts, *handle.changes);
  const std::size_t entered =
      handle.stage_run == run && same > 0 ? std::min(handle.stage, same - 1) : 0;
  handle.stage_run = run;
  std::size_t stage = layouts.StageAt(TestClockIsOn() ? TestClockUs() : WallClockUs());
  while (stage < entered && stage + 1 < layouts.count) ++stage;
  *handle.changes = layouts;
  for (std::size_t i = 0; i < layouts.count; ++i) handle.changes->stages[i].layout.name = {};
  handle.stage = stage;
  handle.stage_end = stage + 1 < layouts.count ? layouts.EndOf(stage) : kNoEnd;
  SetLayout(handle, layouts.stages[stage].layout);
}

// Returns the slot of the ID space of an identity under another layout of the generator, as far as
// the identity fits it; nullptr if nobody has used it.
Slot* SlotOfStage(const Layout& layout, const Identity& identity) {
  if (layout.FindMisfit(identity) != FieldKind::kTimestamp) return nullptr;
  return FindSlot(SlotKeyOf(layout, layout.IdentityBits(identity)));
}

// Keeps the IDs of a generator in order where its layout changes. A session that comes to a stage
// takes the stage's first position, and then ends the stages before. One that comes to an ID space
// of an earlier stage looks whether somebody has taken that position, and then ends its own. Both
// first make their own slot and then look at the others, so at least one of them sees the other.
void LinkStages(const Handle& handle, std::uint64_t identity_bits, Slot& slot) {
  const Succession& layouts = *handle.changes;
  // What the present layout has no field for is the server's.
  Identity identity = handle.server;
  const Identity shown = handle.layout().Parse(identity_bits).identity;
  for (const IdentityField& field : kIdentityFields) {
    if (handle.layout().Has(field.kind)) identity.*field.value = shown.*field.value;
  }
  if (handle.stage > 0) {
    const std::uint64_t begin = layouts.BeginOf(handle.stage);
    if (RaisePosition(slot.position, begin)) RaiseShared(slot.start, begin + 1);
  }
  for (std::size_t stage = 0; stage < layouts.count; ++stage) {
    Slot* const other =
        stage == handle.stage ? nullptr : SlotOfStage(layouts.stages[stage].layout, identity);
    if (other == nullptr) continue;
    if (stage < handle.stage) {
      EndBefore(*other, layouts.EndOf(stage));
    } else if (LoadPosition(other->position) >= layouts.BeginOf(stage)) {
      EndBefore(slot, handle.stage_end);
    }
  }
}

// Refuses a shard that a call names and that the generator cannot make IDs for.
void CheckShard(const Handle& handle, std::int64_t shard) {
  const Layout& layout = handle.layout();
  if (!layout.Has(FieldKind::kShard)) {
    Report(NoField(layout, FieldKind::kShard, "Leave out the shard."));
  }
  if (shard < 0 || AsField(shard) > layout[FieldKind::kShard].Largest()) {
    Report(Misfit(layout, FieldKind::kShard, shard));
  }
  const std::int32_t fixed = handle.generator.shard_id;
  if (fixed >= 0 && shard != fixed) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("generator \"%s\" makes IDs of shard %d, not %lld", handle.name, fixed,
                           static_cast<long long>(shard)),
                    errhint("Leave out the shard, or use another generator.")));
  }
}

// What the session goes by, looked up again when the mark's sequence may have changed.
DatabaseMark& CurrentMark() {
  if (mark_seen != MarkInvalidations()) {
    const std::uint64_t seen = MarkInvalidations();
    mark = &AttachMark();
    mark_seen = seen;
  }
  return *mark;
}

// Goes by another grant, or (nullptr) by the one that comes with the next identity: every identity
// has to be asked for again.
void UseGrant(Handle& handle, const Grant* grant) {
  if (handle.grant == grant) return;
  handle.grant = grant;
  handle.held_until_ms = 0;
  handle.slots.Reset();
}

bool NeedsLease(const Handle& handle) { return handle.is_leased && LeasesAreOn(); }

// Returns the time up to which other servers may have used an ID space. The lease may be under
// another grant than the handle's: then the handle must be prepared anew.
std::int64_t FloorOfLease(Handle& handle, std::uint64_t identity_bits) {
  const Lease lease = RequireLease(LeaseKeyOf(handle.layout(), identity_bits));
  if (handle.grant == nullptr) handle.grant = lease.grant;
  if (handle.grant != lease.grant) {
    UseGrant(handle, lease.grant);
    InvalidateHandles();
  }
  handle.held_until_ms = std::max(handle.held_until_ms, lease.floor_ms);
  return lease.floor_ms;
}

// The entry of an ID space, made on first use.
const SlotTable::Entry& EntryOfSpace(Handle& handle, std::uint64_t identity_bits) {
  const SlotTable::Entry* known = handle.slots.Find(identity_bits);
  if (known != nullptr) return *known;
  const Layout& layout = handle.layout();
  std::int64_t floor_ms = FloorOf(handle.machine_id);
  if (NeedsLease(handle)) floor_ms = std::max(floor_ms, FloorOfLease(handle, identity_bits));
  Slot& slot = SlotOf(SlotKeyOf(handle, identity_bits), layout, PositionLimit(layout, floor_ms),
                      handle.machine_id);
  // Other servers may have used the ID space since this one did.
  StartAbove(slot.position, slot.start, layout, floor_ms);
  CheckRestart(SharedRoot());  // after the slot was made: see idgen_start_over()
  if (unlikely(handle.changes != nullptr)) LinkStages(handle, identity_bits, slot);
  return handle.slots.Add(identity_bits, UseOf(slot), layout[FieldKind::kShard].shift);
}

}  // namespace

void CheckFits(const Layout& layout, const Identity& identity) {
  const FieldKind misfit = layout.FindMisfit(identity);
  // Where all fit, this is none of them.
  for (const IdentityField& field : kIdentityFields) {
    if (field.kind != misfit) continue;
    Complaint complaint = Misfit(layout, misfit, static_cast<std::int64_t>(identity.*field.value));
    complaint.hint = HintForMisfit(layout, misfit);
    Report(complaint);
  }
}

const SlotTable::Entry& SlotTable::Add(std::uint64_t identity_bits, SpaceUse& use,
                                       std::uint8_t shard_shift) {
  if (entries_ == nullptr) shard_shift_ = shard_shift;
  if (entries_ == nullptr || 2 * (count_ + 1) > mask_ + 1) Grow();
  ++count_;
  return entries_[Place({identity_bits, &use})];
}

std::uint64_t SlotTable::Place(const Entry& entry) {
  std::uint64_t i = Home(entry.identity_bits);
  while (entries_[i].use != nullptr) i = (i + 1) & mask_;
  entries_[i] = entry;
  return i;
}

Cursor& SlotTable::CursorAt(std::uint64_t place) {
  if (cursors_ == nullptr) {
    cursors_ = static_cast<Cursor*>(MemoryContextAllocExtended(
        TopMemoryContext, (mask_ + 1) * sizeof(Cursor), MCXT_ALLOC_HUGE));
    for (std::uint64_t i = 0; i <= mask_; ++i) new (&cursors_[i]) Cursor;
  }
  return cursors_[place];
}

void SlotTable::Grow() {
  constexpr std::uint64_t kLeast = 2U << kGroupBits;
  const std::uint64_t old_size = entries_ == nullptr ? 0 : mask_ + 1;
  const std::uint64_t size = std::max(2 * old_size, kLeast);
  // All that is allocated comes first: an error leaves the table as it was.
  auto* const memory = static_cast<char*>(MemoryContextAllocExtended(
      TopMemoryContext, size * sizeof(Entry) + kLine, MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE));
  // Cursors are not moved along: what they hold is dropped, once for each doubling.
  if (cursors_ != nullptr) pfree(cursors_);
  cursors_ = nullptr;
  const SlotTable old = *this;
  memory_ = memory;
  entries_ = reinterpret_cast<Entry*>(FirstLine(memory));
  mask_ = size - 1;
  group_shift_ = static_cast<std::uint8_t>(64 - (__builtin_ctzll(size) - kGroupBits));
  for (std::uint64_t i = 0; i < old_size; ++i) {
    if (old.entries_[i].use != nullptr) (void)Place(old.entries_[i]);
  }
  if (old.memory_ != nullptr) pfree(old.memory_);
}

void SlotTable::Reset() {
  if (memory_ != nullptr) pfree(memory_);
  if (cursors_ != nullptr) pfree(cursors_);
  *this = {};
}

void SwitchCursors(Handle& handle, const SlotTable::Entry& entry) {
  SessionSlot& shard = handle.shard;
  const std::uint64_t place = handle.slots.PlaceOf(entry);
  Cursor& next = handle.slots.CursorAt(place);
  if (shard.slot != nullptr) handle.slots.CursorAt(shard.place) = shard.cursor;
  shard = SessionSlotOf(entry);
  shard.cursor = next;
  next = Cursor{};  // there is one of them: what is left of a block must not come back
  shard.place = place;
}

Handle& SnowflakeHandle() { return BuiltinHandle(snowflake, kSnowflake); }

Handle& InstagramHandle() { return BuiltinHandle(instagram, kInstagram); }

Handle& HandleOf(std::string_view generator) {
  if (generator == kSnowflake.name) return SnowflakeHandle();
  if (generator == kInstagram.name) return InstagramHandle();
  char name[NAMEDATALEN] = {};
  if (generator.size() < sizeof(name)) {
    std::copy(generator.begin(), generator.end(), name);
    const NamedHandle* known = EntryOf(name, HASH_FIND);
    if (known != nullptr) return *known->handle;
  }
  const GeneratorDefinition found = FindGenerator(generator);
  auto* const memory =
      static_cast<char*>(MemoryContextAlloc(TopMemoryContext, sizeof(Handle) + kLine));
  auto* handle = new (FirstLine(memory)) Handle;
  EntryOf(name, HASH_ENTER)->handle = handle;
  Link(*handle, generator);
  Define(*handle, found);
  return *handle;
}

void StartHandle(Handle& handle, std::string_view name, void (*define)(Handle&)) {
  Link(handle, name);
  handle.define = define;
  define(handle);
}

void ResolveGenerator(Handle& handle) {
  if (handle.define != nullptr) return handle.define(handle);
  const GeneratorDefinition found = FindGenerator(handle.name);
  const Layout before = handle.layout();
  const Layout first = handle.changes != nullptr ? handle.changes->stages[0].layout : before;
  Define(handle, found);
  if (handle.layout() == before) return;
  handle.space = nullptr;
  handle.own = handle.shard = {};
  handle.slots.Reset();
  // Dropped and made anew; or it has only come to its next layout.
  if (LayoutsOf(found).stages[0].layout != first) ForgetLastId(handle);
}

void WatchPreparations(BeforePreparation before) { before_preparation = before; }

bool IsPrepared(const Handle& handle) { return handle.preparation == HandleInvalidations(); }

void PrepareHandle(Handle& handle) {
  if (RecoveryInProgress()) ReportRecovery();
  CheckSettings();
  if (before_preparation != nullptr) before_preparation();

  handle.allowance.Close();
  handle.space = nullptr;
  handle.own = handle.shard = {};
  handle.largest_shard = -1;
  handle.own_bits = SessionSlot::kNoIdentity;
  // What follows may itself take in invalidations; then the loop in the slow path
  // prepares the handle once more.
  const std::uint64_t preparation = HandleInvalidations();

  ResolveGenerator(handle);
  const GeneratorDefinition& generator = handle.generator;
  const Layout& layout = handle.layout();
  if (!layout.CanGenerate()) Report(DecodeOnly(layout));
  const bool is_test = TestClockIsOn();
  if (is_test) {
    // What the session holds is as it was when the clock is off again.
  } else if (!NeedsLease(handle)) {
    UseGrant(handle, &UnboundedGrant());
  } else if (handle.grant == &UnboundedGrant() || GrantHasEnded(handle)) {
    UseGrant(handle, nullptr);
  }
  if (!is_test && NeedsLease(handle)) FenceByScheme(handle);
  const Identity identity = IdentityOf(generator, !is_test);
  const Identity server{identity.datacenter, identity.machine, 0};
  CheckFits(layout, server);
  handle.server = identity;

  if (!is_test) {
    CheckRestart(SharedRoot());
    handle.database = &CurrentMark();
  }

  // A kind's IDs are in order across sessions, whatever the setting.
  const int block_size = handle.define != nullptr ? 1 : BlockSize();
  const std::int64_t oldest_us =
      handle.may_be_late ? ClockReading::kOldestUs : ClockReading::OldestUs(layout.tick_us);
  handle.allowance.Restart(
      Allowance(layout, static_cast<std::uint64_t>(block_size), CyclesPerUsOnce(), oldest_us));
  handle.keeps_blocks = block_size > 1;
  handle.composer = layout.ComposerFor(0);
  handle.server_bits = layout.IdentityBits(server);
  handle.machine_id = handle.renews ? kFreshAnyway
                      : layout.Has(FieldKind::kMachine)
                          ? static_cast<std::int64_t>(identity.machine)
                          : kNoMachine;
  const bool takes_shard = layout.Has(FieldKind::kShard) && generator.shard_id < 0;
  if (takes_shard) {
    handle.largest_shard = static_cast<std::int64_t>(layout[FieldKind::kShard].Largest());
    handle.shard_shift = layout[FieldKind::kShard].shift;
  }
  // A shard that is not set, or does not fit, is no error before a call relies on it.
  if (!takes_shard || (ShardIsSet() && layout.FindMisfit(identity) == FieldKind::kTimestamp)) {
    handle.own_bits = layout.IdentityBits(identity);
  }
  if (!is_test) {
    if (handle.own_bits != SessionSlot::kNoIdentity) {
      handle.own = SessionSlotOf(EntryOfSpace(handle, handle.own_bits));
      handle.space = &handle.own;
    }
    WarnIfCitusWithoutIdentity(handle);
  }
  handle.preparation = preparation;
}

std::uint64_t IdentityBitsOf(const Handle& handle, std::int64_t shard) {
  if (shard == kNoShard) {
    if (handle.own_bits != SessionSlot::kNoIdentity) return handle.own_bits;
    CheckFits(handle.layout(), IdentityOf(handle.generator, !TestClockIsOn()));
    ReportNoShard(handle.layout());
  }
  CheckShard(handle, shard);
  return handle.generator.shard_id >= 0 ? handle.own_bits : ShardBits(handle, shard);
}

std::int64_t ShardOfId(const Handle& handle, std::uint64_t id) {
  // An ID of a layout before is below all of this one: to observe it changes nothing.
  const Layout& layout = handle.changes != nullptr
                             ? handle.changes->stages[handle.changes->StageOf(id)].layout
                             : handle.layout();
  const Parts parts = layout.Parse(CheckId(layout, static_cast<int64>(id)));
  return handle.largest_shard >= 0 ? static_cast<std::int64_t>(parts.identity.shard) : kNoShard;
}

std::int64_t FirstIdOfStage(const Handle& handle) {
  return handle.changes == nullptr
             ? PG_INT64_MIN
             : static_cast<std::int64_t>(handle.changes->FirstIdOf(handle.stage));
}

IdSpaceKey SlotKeyOf(const Handle& handle, std::uint64_t identity_bits) {
  IdSpaceKey space = SlotKeyOf(handle.layout(), identity_bits);
  space.family = static_cast<std::uint8_t>(handle.family);
  return space;
}

SessionSlot& SpaceFor(Handle& handle, std::int64_t shard) {
  const std::uint64_t bits = IdentityBitsOf(handle, shard);
  if (bits == handle.own_bits) return *handle.space;
  SessionSlot* const known = KnownSlot(handle, bits);
  if (known != nullptr) return *known;
  // Places change with what is added, so the cursor in hand has none.
  handle.shard = {};
  (void)EntryOfSpace(handle, bits);
  return *KnownSlot(handle, bits);
}

void ForgetLastIds() {
  ++times_forgotten;
  for (Handle* handle = handles; handle != nullptr; handle = handle->next) ForgetLastId(*handle);
}

std::uint64_t LastIdsForgotten() { return times_forgotten; }

void AddNewIds(LastMade& made, bool notes) {
  for (Handle* handle = handles; handle != nullptr; handle = handle->next) {
    if (handle->family != Family::kIds || handle->last_id == handle->seen_id) continue;
    if (handle->last_id >= 0) made.Add(handle->last_id);
    if (notes) handle->seen_id = handle->last_id;
  }
}

}  // namespace idgen::pg
