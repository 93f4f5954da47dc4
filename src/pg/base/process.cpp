#include "process.h"

#include "core/clock.h"
#include "shared.h"

namespace idgen::pg {

namespace {

// One that did not come up is asked for again after this time.
constexpr std::uint64_t kStartAgainUs = 1'000'000;
constexpr int kRestartSeconds = 1;

BackgroundWorker DescriptionOf(const WorkerKind& kind) {
  BackgroundWorker description{};
  strlcpy(description.bgw_name, kind.name, sizeof(description.bgw_name));
  strlcpy(description.bgw_type, kind.name, sizeof(description.bgw_type));
  description.bgw_flags = BGWORKER_SHMEM_ACCESS;
  description.bgw_start_time = BgWorkerStart_RecoveryFinished;
  description.bgw_restart_time = kRestartSeconds;
  strlcpy(description.bgw_library_name, "idgen", sizeof(description.bgw_library_name));
  strlcpy(description.bgw_function_name, kind.function, sizeof(description.bgw_function_name));
  return description;
}

extern "C" {

static void WithdrawWorker(int, Datum place) {
  StoreWord(reinterpret_cast<WorkerPlace*>(DatumGetPointer(place))->worker, std::uint64_t{0});
}

}  // extern "C"

}  // namespace

void WakeWorker(WorkerPlace& place, const WorkerKind& kind, bool is_needed) {
  const std::uint64_t worker = LoadShared(place.worker);
  if (worker != 0) {
    SetLatch(&GetPGProcByNumber(static_cast<int>(worker - 1))->procLatch);
    return;
  }
  const auto now_us = static_cast<std::uint64_t>(MonotonicUs());
  std::uint64_t asked_us = LoadShared(place.asked_us);
  if (asked_us != 0 && now_us - asked_us < kStartAgainUs) return;
  if (!std::atomic_ref(place.asked_us).compare_exchange_strong(asked_us, now_us)) return;
  BackgroundWorker description = DescriptionOf(kind);
  if (!RegisterDynamicBackgroundWorker(&description, nullptr)) {
    StoreWord(place.asked_us, std::uint64_t{0});
    if (!is_needed) return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                    errmsg("no background worker is free to %s", kind.task),
                    errhint("Raise max_worker_processes, or add idgen to "
                            "shared_preload_libraries, which reserves one.")));
  }
}

BackgroundWorkerHandle* StartTask(const WorkerKind& kind, Datum argument) {
  BackgroundWorker description = DescriptionOf(kind);
  description.bgw_flags |= BGWORKER_BACKEND_DATABASE_CONNECTION;
  description.bgw_restart_time = BGW_NEVER_RESTART;
  description.bgw_notify_pid = MyProcPid;
  description.bgw_main_arg = argument;
  BackgroundWorkerHandle* handle = nullptr;
  return RegisterDynamicBackgroundWorker(&description, &handle) ? handle : nullptr;
}

void RegisterWorker(const WorkerKind& kind) {
  BackgroundWorker description = DescriptionOf(kind);
  RegisterBackgroundWorker(&description);
}

MemoryContext BecomeWorker(WorkerPlace& place, const WorkerKind& kind) {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  BackgroundWorkerUnblockSignals();
  CurrentResourceOwner = ResourceOwnerCreate(nullptr, kind.name);
  MemoryContext work =
      AllocSetContextCreate(TopMemoryContext, "idgen worker", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(work);
  std::uint64_t nobody = 0;
  if (!std::atomic_ref(place.worker).compare_exchange_strong(nobody, MyProcPlace() + 1)) {
    proc_exit(0);  // two sessions asked at once
  }
  before_shmem_exit(WithdrawWorker, PointerGetDatum(&place));
  return work;
}

}  // namespace idgen::pg
