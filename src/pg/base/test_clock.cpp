#include "test_clock.h"

#include "convert.h"
#include "core/description.h"
#include "core/guard.h"
#include "guc.h"
#include "invalidate.h"
#include "random.h"
#include "refused.h"

namespace idgen::pg {

namespace {

// What PostgreSQL keeps beside a value of the setting, with the value that it is to restore, too.
// So a rollback restores the time that had passed then.
struct TestClock {
  std::int64_t set_us;
  std::int64_t passed_us;
  std::uint64_t run;  // 0: this value was not in force yet
};

constinit TestClock* clock_set = nullptr;  // nullptr: off
constinit std::uint64_t last_run = 0;
constinit TestClockSwitched on_switch = nullptr;

// The settings. The text is only kept: its meaning is in the TestClock.
constinit char* text_set = nullptr;
constinit bool may_commit = false;

// Whether IDs were made by the test clock in the present transaction. A savepoint that is rolled
// back changes nothing: a variable of the client or of a function may keep an ID.
constinit bool was_used = false;

// A server's files and a database's or role's settings would reach sessions that do not know of
// it, and so would options of a connection, which poolers share. PGC_S_TEST is for the SET clause
// of a function; ALTER ROLE and ALTER DATABASE are refused before (sql/utility.cpp).
bool IsBySession(GucSource source) { return source == PGC_S_SESSION || source == PGC_S_TEST; }

bool Refuse(const char* name) {
  GUC_check_errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM);
  GUC_check_errmsg("parameter \"%s\" can only be set by the session itself", name);
  GUC_check_errhint("Use SET or SET LOCAL, where the test runs.");
  return false;
}

extern "C" {

static bool CheckTestClock(char** value, void** extra, GucSource source) {
  if (**value == '\0') return true;
  if (!IsBySession(source)) return Refuse(kTestClockName);
  TestClock clock{};
  TimestampTz timestamp = 0;
  if (!ParseInstant(*value, clock.set_us) || !ToTimestamp(clock.set_us, timestamp)) {
    GUC_check_errdetail("A time is written in UTC, as 2026-01-31 23:59:59.999Z.");
    GUC_check_errhint("idgen_test_clock() takes any timestamp with time zone.");
    return false;
  }
  *extra = AllocateForSetting(sizeof(clock));
  if (*extra == nullptr) return false;
  *static_cast<TestClock*>(*extra) = clock;
  return true;
}

static void AssignTestClock(const char*, void* extra) {
  const TestClock* const before = clock_set;
  clock_set = static_cast<TestClock*>(extra);
  if (clock_set != nullptr && clock_set->run == 0) {
    clock_set->run = before != nullptr ? before->run : ++last_run;
  }
  if ((before != nullptr) == (clock_set != nullptr)) return;
  // No position, no random bits and no plan may be used on the other side of the switch.
  InvalidateHandles();
  random_buffer.left = 0;
  ResetPlanCache();
  if (on_switch != nullptr) on_switch();
}

static const char* ShowTestClock() {
  return clock_set == nullptr ? "" : TestClockText(TestClockUs());
}

static bool CheckTestClockCommit(bool* value, void**, GucSource source) {
  return !*value || IsBySession(source) || Refuse(kTestClockCommitName);
}

// Deferred triggers have run, and the transaction can still fail.
static void OnTransaction(XactEvent event, void*) {
  const bool commits = event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE;
  if (commits && was_used && !may_commit && TransactionIdIsValid(GetTopTransactionIdIfAny())) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("cannot commit IDs of a test clock"),
             errdetail("This transaction made IDs while idgen.test_clock was set, and it wrote to "
                       "the database. They may be equal to IDs that exist."),
             errhint("Roll back at the end of a test. In a database that only tests use, set "
                     "idgen.test_clock_commit.")));
  }
  switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
      was_used = false;
      break;
    default:
      break;
  }
}

}  // extern "C"

void Set(const char* value, GucAction action) {
  (void)set_config_option(kTestClockName, value, superuser() ? PGC_SUSET : PGC_USERSET,
                          PGC_S_SESSION, action, true, 0, false);
}

}  // namespace

bool TestClockIsOn() { return clock_set != nullptr; }

std::int64_t TestClockUs() { return SumUs(clock_set->set_us, clock_set->passed_us); }

void PassTestTime(std::int64_t us) { clock_set->passed_us = SumUs(clock_set->passed_us, us); }

std::uint64_t TestClockRun() { return clock_set->run; }

std::uint64_t TestRandomBits() {
  static constinit std::uint64_t run = 0;
  static constinit std::uint64_t state = 0;
  if (run != clock_set->run) state = 0;
  run = clock_set->run;
  // SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
  std::uint64_t bits = state += 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31);
}

void NoteTestId() {
  if (IsParallelWorker()) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("parallel workers cannot make IDs of a test clock"),
                    errhint("Set max_parallel_workers_per_gather to 0.")));
  }
  static constinit bool is_watched = false;
  if (!is_watched) RegisterXactCallback(OnTransaction, nullptr);
  is_watched = true;
  was_used = true;
}

void DefineTestClock() {
  constexpr int kFlags = GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE;
  GivenSetting given = LookAtGiven(kTestClockName);
  DefineCustomStringVariable(kTestClockName, "Time of this session's IDs, for tests.",
                             "Empty: the clock's. Only the session itself can set it.", &text_set,
                             "", PGC_SUSET, kFlags, CheckTestClock, AssignTestClock, ShowTestClock);
  NoteIfRefused(given);
  given = LookAtGiven(kTestClockCommitName);
  DefineCustomBoolVariable(kTestClockCommitName,
                           "Lets transactions commit that made IDs of a test clock.",
                           "For databases that only tests use.", &may_commit, false, PGC_SUSET,
                           kFlags, CheckTestClockCommit, nullptr, nullptr);
  NoteIfRefused(given);
}

void WatchTestClock(TestClockSwitched switched) { on_switch = switched; }

char* TestClockText(std::int64_t us) {
  TimestampTz timestamp = 0;
  pg_tm time{};
  fsec_t fraction = 0;
  // What the years of the written form do not reach is written as a number.
  if (!ToTimestamp(us, timestamp) ||
      timestamp2tm(timestamp, nullptr, &time, &fraction, nullptr, nullptr) != 0 ||
      time.tm_year < 1 || time.tm_year > 9999) {
    return psprintf(INT64_FORMAT "us", us);
  }
  return psprintf("%04d-%02d-%02d %02d:%02d:%02d.%06dZ", time.tm_year, time.tm_mon, time.tm_mday,
                  time.tm_hour, time.tm_min, time.tm_sec, static_cast<int>(fraction));
}

void SetTestClock(std::int64_t us, bool is_local) {
  Set(TestClockText(us), is_local ? GUC_ACTION_LOCAL : GUC_ACTION_SET);
}

bool TestClockIsLocal() {
  const config_generic* const setting = FindSetting(kTestClockName);
  return setting->stack != nullptr && setting->stack->state != GUC_SET;
}

void EndTestClock() { Set(nullptr, GUC_ACTION_SET); }

}  // namespace idgen::pg
