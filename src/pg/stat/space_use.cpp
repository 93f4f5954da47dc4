#include "space_use.h"

#include "core/clock.h"
#include "transaction.h"

namespace idgen::pg {

namespace {

// How often the slow path publishes.
constexpr std::int64_t kOftenUs = 500'000;

constinit HTAB* uses = nullptr;
constinit SpaceUse* first_used = nullptr;
constinit std::int64_t published_us = 0;

void Publish(SpaceUse& use, std::uint64_t now_us) {
  SpaceStats& stats = StatsOf(*use.slot);
  CountMore(stats.ids, use.made + 1);
  if (use.rest->batches > 0) CountMore(stats.batches, use.rest->batches);
  if (LoadWord(stats.first_used_us) == 0) {
    std::uint64_t not_yet = 0;
    std::atomic_ref(stats.first_used_us).compare_exchange_strong(not_yet, now_us);
  }
  StoreWord(stats.last_used_us, now_us);
  use.made = SpaceUse::kNone;
  use.rest->batches = 0;
}

// Returns memory for one, next to that of the one before.
SpaceUse* NewUse() {
  constexpr Size kAtOnce = 32;
  static constinit SpaceUse* spare = nullptr;
  static constinit Size spare_left = 0;
  if (spare_left == 0) {
    spare =
        static_cast<SpaceUse*>(MemoryContextAlloc(TopMemoryContext, kAtOnce * sizeof(SpaceUse)));
    spare_left = kAtOnce;
  }
  --spare_left;
  return spare++;
}

extern "C" {

// Errors are forbidden here. What is written was mapped when the session began to use it.
static void OnEndOfTransaction(XactEvent event, void*) {
  if (IsEndOfTransaction(event)) PublishUses();
}

}  // extern "C"

}  // namespace

SpaceUse& UseOf(Slot& slot) {
  if (uses == nullptr) {
    HASHCTL control{};
    control.keysize = sizeof(void*);
    control.entrysize = sizeof(SpaceUseRest);
    uses = hash_create("idgen ID spaces", 16, &control, HASH_ELEM | HASH_BLOBS);
  }
  Slot* const key = &slot;
  auto* rest = static_cast<SpaceUseRest*>(hash_search(uses, &key, HASH_FIND, nullptr));
  if (rest != nullptr) return *rest->use;
  // All that is allocated comes first.
  SpaceUse* const use = NewUse();
  rest = static_cast<SpaceUseRest*>(hash_search(uses, &key, HASH_ENTER, nullptr));
  rest->use = use;
  rest->batches = 0;
  rest->next = nullptr;
  rest->floor_ms = 0;
  *use = {&slot, SpaceUse::kNone, rest};
  return *use;
}

void NoteUsed(SpaceUse& use) {
  use.rest->next = first_used;
  first_used = &use;
}

void PublishUses() {
  if (first_used == nullptr) return;
  const std::int64_t now_us = WallClockUs();
  while (first_used != nullptr) {
    SpaceUse& use = *first_used;
    first_used = use.rest->next;
    Publish(use, static_cast<std::uint64_t>(now_us));
  }
  published_us = now_us;
}

void PublishUsesNowAndThen(std::int64_t now_us) {
  // A clock that went back counts too.
  const std::int64_t since_us = now_us - published_us;
  if (since_us < 0 || since_us >= kOftenUs) PublishUses();
}

void WatchUses() { RegisterXactCallback(OnEndOfTransaction, nullptr); }

}  // namespace idgen::pg
