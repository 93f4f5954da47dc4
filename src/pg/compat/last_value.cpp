#include "last_value.h"

#include "handle.h"
#include "last_made.h"
#include "ticket_handle.h"
#include "try.h"

namespace idgen::pg {

namespace {

// What lastval() returns as long as no source has made a number since.
struct Answer {
  enum class Kind : std::uint8_t { kNone, kValue, kUnknown } kind = Kind::kNone;
  std::int64_t value = 0;
  Oid sequence = InvalidOid;  // that must be readable, unless it is a generator's
  Oid reader = InvalidOid;    // or: who was found to have the right to a value of PostgreSQL's
};

constinit Answer answer;
constinit std::uint64_t forgotten = 0;  // LastIdsForgotten() when the answer was noted
// The last number of the extension's own sequence, and whether there was one.
constinit std::int64_t own_number = 0;
constinit bool has_own_number = false;

std::int64_t PostgresLastval() {
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  return DatumGetInt64(lastval(call));
}

// Returns whether somebody has called PostgreSQL's nextval() since the last look, and which number
// he got. The number of our own sequence is read as a superuser: nobody else has a right to it. The
// error that is caught is the first thing that lastval() reports, with nothing in hand yet.
bool IsNewInPostgres(std::int64_t& number) {
  Oid user = InvalidOid;
  int context = 0;
  GetUserIdAndSecContext(&user, &context);
  SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, context | SECURITY_LOCAL_USERID_CHANGE);
  std::int64_t last = 0;
  ErrorData* const error = TryAlone([&] { last = PostgresLastval(); });
  SetUserIdAndSecContext(user, context);
  if (error != nullptr && error->sqlerrcode != ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE) {
    ReThrowError(error);
  }
  if (error != nullptr || (has_own_number && last == own_number)) return false;
  number = PostgresLastval();
  return true;
}

// The sequence is beside the function that was called.
void TakeOwnNumber(FunctionCallInfo fcinfo) {
  const Oid schema = get_func_namespace(fcinfo->flinfo->fn_oid);
  own_number = nextval_internal(get_relname_relid("idgen_compat_looks", schema), false);
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

Answer LatestAnswer(FunctionCallInfo fcinfo) {
  LastMade made;
  std::int64_t number = 0;
  const bool is_postgres = IsNewInPostgres(number);
  if (is_postgres) made.Add(number);
  AddNew(made, false);
  Answer latest = forgotten == LastIdsForgotten() ? answer : Answer{};
  if (made.sources == 1) {
    latest = {.kind = Answer::Kind::kValue,
              .value = made.last,
              .reader = is_postgres ? GetUserId() : InvalidOid};
  } else if (made.sources > 1) {
    latest = {.kind = Answer::Kind::kUnknown};
  }
  if (XactReadOnly) return latest;
  TakeOwnNumber(fcinfo);
  Note(latest);
  return latest;
}

bool MayRead(const Answer& latest) {
  if (OidIsValid(latest.sequence)) {
    return pg_class_aclcheck(latest.sequence, GetUserId(), ACL_SELECT | ACL_USAGE) == ACLCHECK_OK;
  }
  return !OidIsValid(latest.reader) || has_privs_of_role(GetUserId(), latest.reader);
}

}  // namespace

void NoteLastIsPostgres() { Note({}); }

void NoteLastValue(FunctionCallInfo fcinfo, Oid sequence, std::int64_t value) {
  TakeOwnNumber(fcinfo);
  Note({.kind = Answer::Kind::kValue, .value = value, .sequence = sequence});
}

std::int64_t LastValue(FunctionCallInfo fcinfo) {
  const Answer latest = LatestAnswer(fcinfo);
  if (latest.kind == Answer::Kind::kUnknown) {
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("which value this session got last is not known"),
         errdetail("Since the last call of nextval() or lastval() of idgen_compat, more than one "
                   "of its generators and of PostgreSQL's sequences has made some."),
         errhint("Use INSERT ... RETURNING, or call lastval() after each INSERT.")));
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

}  // namespace idgen::pg
