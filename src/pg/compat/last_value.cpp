#include "last_value.h"

#include "handle.h"
#include "last_made.h"
#include "ticket_handle.h"
#include "try.h"

namespace idgen::pg {

namespace {

constexpr const char* kExtension = "idgen_compat";  // and its schema, which has no other name

// What lastval() returns as long as no source has made a number since.
struct Answer {
  enum class Kind : std::uint8_t { kNone, kValue, kRefused, kUnknown } kind = Kind::kNone;
  std::int64_t value = 0;
  Oid sequence = InvalidOid;  // that must be readable, unless it is a generator's
  Oid reader = InvalidOid;    // or: who was found to have the right to a value of PostgreSQL's
};

constinit Answer answer;
constinit std::uint64_t forgotten = 0;  // LastIdsForgotten() when the answer was noted
// The last number of our own sequence, and whether there was one.
constinit std::int64_t own_number = 0;
constinit bool has_own_number = false;
constinit bool is_watching = false;
constinit ExecutorStart_hook_type next_start_hook = nullptr;
constinit ProcessUtility_hook_type next_utility_hook = nullptr;

// Our own sequence, if the extension is there. A schema of its name may be anybody's.
Oid OwnSequence() {
  static constinit Oid known = InvalidOid;
  if (OidIsValid(known) && SearchSysCacheExists1(RELOID, ObjectIdGetDatum(known))) return known;
  known = InvalidOid;
  const Oid schema = get_namespace_oid(kExtension, true);
  if (!OidIsValid(schema)) return InvalidOid;
  const Oid found = get_relname_relid("idgen_compat_looks", schema);
  const Oid extension = get_extension_oid(kExtension, true);
  if (OidIsValid(found) && OidIsValid(extension) &&
      getExtensionOfObject(RelationRelationId, found) == extension) {
    known = found;
  }
  return known;
}

std::int64_t PostgresLastval() {
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  return DatumGetInt64(lastval(call));
}

enum class InPostgres : std::uint8_t { kNothing, kNew, kOwn };

// Reads PostgreSQL's last value. It is our own number if nobody has called nextval() since the last
// look. The number is read as a superuser: nobody else has a right to it. The error that is caught
// is the first thing that lastval() reports, with nothing in hand yet.
InPostgres ReadPostgres(std::int64_t& number) {
  Oid user = InvalidOid;
  int context = 0;
  GetUserIdAndSecContext(&user, &context);
  SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, context | SECURITY_LOCAL_USERID_CHANGE);
  ErrorData* const error = TryAlone([&] { number = PostgresLastval(); });
  SetUserIdAndSecContext(user, context);
  if (error != nullptr && error->sqlerrcode != ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE) {
    ReThrowError(error);
  }
  if (error != nullptr) return InPostgres::kNothing;
  return has_own_number && number == own_number ? InPostgres::kOwn : InPostgres::kNew;
}

// Whether a look may be noted.
bool CanNote() { return !XactReadOnly && !IsInParallelMode() && OidIsValid(OwnSequence()); }

void TakeOwnNumber() {
  own_number = nextval_internal(OwnSequence(), false);
  has_own_number = true;
}

void AddNew(LastMade& made, bool notes) {
  AddNewIds(made, notes);
  AddNewTickets(made, notes);
}

void Note(const Answer& noted) {
  LastMade seen;
  AddNew(seen, true);
  answer = noted;
  forgotten = LastIdsForgotten();
}

Answer OfPostgres(std::int64_t number) {
  Answer found{.kind = Answer::Kind::kValue, .value = number, .reader = GetUserId()};
  if (Try([] { (void)PostgresLastval(); }) != nullptr) found.kind = Answer::Kind::kRefused;
  return found;
}

// Takes a look. Returns what is the last value by now.
Answer Look() {
  LastMade made;
  std::int64_t number = 0;
  const InPostgres in_postgres = ReadPostgres(number);
  if (in_postgres == InPostgres::kNew) made.Add(number);
  AddNew(made, false);
  Answer latest = forgotten == LastIdsForgotten() ? answer : Answer{};
  if (made.sources > 1) {
    latest = {.kind = Answer::Kind::kUnknown};
  } else if (in_postgres == InPostgres::kNew) {
    latest = OfPostgres(number);
  } else if (made.sources == 1) {
    latest = {.kind = Answer::Kind::kValue, .value = made.last};
  }
  if (!CanNote()) return latest;
  if (in_postgres != InPostgres::kOwn) TakeOwnNumber();
  Note(latest);
  return latest;
}

bool MayRead(const Answer& latest) {
  if (latest.kind == Answer::Kind::kRefused) return false;
  if (OidIsValid(latest.sequence)) {
    return pg_class_aclcheck(latest.sequence, GetUserId(), ACL_SELECT | ACL_USAGE) == ACLCHECK_OK;
  }
  return !OidIsValid(latest.reader) || has_privs_of_role(GetUserId(), latest.reader);
}

extern "C" {

static void OnStart(QueryDesc* query, int flags) {
  if (CanNote()) (void)Look();
  if (next_start_hook != nullptr) return next_start_hook(query, flags);
  standard_ExecutorStart(query, flags);
}

// COPY is the only statement that inserts rows and does not come by there.
static void OnUtility(PlannedStmt* statement, const char* query, bool read_only_tree,
                      ProcessUtilityContext context, ParamListInfo params,
                      QueryEnvironment* environment, DestReceiver* dest,
                      QueryCompletion* completion) {
  if (IsA(statement->utilityStmt, CopyStmt) && CanNote()) (void)Look();
  ProcessUtility_hook_type run =
      next_utility_hook != nullptr ? next_utility_hook : standard_ProcessUtility;
  run(statement, query, read_only_tree, context, params, environment, dest, completion);
}

}  // extern "C"

void BeginToWatch() {
  if (is_watching) return;
  next_start_hook = ExecutorStart_hook;
  ExecutorStart_hook = OnStart;
  next_utility_hook = ProcessUtility_hook;
  ProcessUtility_hook = OnUtility;
  is_watching = true;
}

// The session is about to make its first ID, or another kind of it: what PostgreSQL's sequences
// gave until now was before.
void BeforeFirstId() {
  if (is_watching || !CanNote()) return;
  List* const path = fetch_search_path(false);
  const bool is_in_path = list_member_oid(path, get_namespace_oid(kExtension, true));
  list_free(path);
  if (!is_in_path) return;
  (void)Look();
  BeginToWatch();
}

}  // namespace

void NoteLastIsPostgres() { Note({}); }

void NoteLastValue(Oid sequence, std::int64_t value) {
  TakeOwnNumber();
  Note({.kind = Answer::Kind::kValue, .value = value, .sequence = sequence});
}

std::int64_t LastValue() {
  const Answer latest = Look();
  BeginToWatch();
  if (latest.kind == Answer::Kind::kUnknown) {
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("which value this session got last is not known"),
         errdetail("One statement got values of more than one source, or several did before the "
                   "session knew of idgen_compat."),
         errhint("Use INSERT ... RETURNING, or currval().")));
  }
  // As PostgreSQL's: a value of a sequence that was dropped is none.
  if (latest.kind == Answer::Kind::kNone ||
      (OidIsValid(latest.sequence) && get_rel_name(latest.sequence) == nullptr)) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("lastval is not yet defined in this session")));
  }
  if (!MayRead(latest)) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for the last value of this session")));
  }
  return latest.value;
}

void WatchLastValues() { WatchPreparations(BeforeFirstId); }

}  // namespace idgen::pg
