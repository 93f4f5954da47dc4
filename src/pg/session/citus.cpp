#include "citus.h"

#include "errors.h"
#include "lease.h"
#include "settings.h"
#include "source.h"
#include "try.h"

namespace idgen::pg {

namespace {

constexpr int kMostShown = 200;     // bytes of another node's text
constexpr char kUnset[] = "unset";  // an identity that a call completes

bool CitusIsHere() { return OidIsValid(get_extension_oid("citus", true)); }

void Select(const char* query, Oid type, Datum value, bool read_only) {
  const int result = SPI_execute_with_args(query, 1, &type, &value, nullptr, read_only, 0);
  if (result != SPI_OK_SELECT) {
    elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  }
}

}  // namespace

char* IdentityText(const GeneratorDefinition& generator) {
  const Layout& layout = generator.layout;
  const bool shard_is_open =
      layout.Has(FieldKind::kShard) && generator.shard_id < 0 && !ShardIsSet();
  // A call names the shard. Nodes differ by the other fields, if there are any.
  if (shard_is_open && !layout.Has(FieldKind::kDatacenter) && !layout.Has(FieldKind::kMachine)) {
    return pstrdup(kUnset);
  }
  const Identity identity = IdentityOf(generator);
  StringInfoData text;
  initStringInfo(&text);
  for (const IdentityField& field : kIdentityFields) {
    if (text.len > 0) appendStringInfoChar(&text, ' ');
    if (!layout.Has(field.kind) || (field.kind == FieldKind::kShard && shard_is_open)) {
      appendStringInfoChar(&text, '-');
    } else {
      appendStringInfo(&text, "%llu", static_cast<unsigned long long>(identity.*field.value));
    }
  }
  return text.data;
}

namespace {

// A node's answer.
struct Answer {
  int32 node;
  char* text;
};

void WarnOfNode(int32 node, const char* text) {
  ereport(WARNING, (errmsg("identity of Citus node %d was not compared with the others", node),
                    errdetail("It says: %s", Excerpt(text, kMostShown))));
}

// Returns the answers of all nodes that gave one, ordered by their text.
List* AskNodes(const char* command) {
  List* answers = NIL;
  MemoryContext caller = CurrentMemoryContext;
  const ErrorData* error = Try([&] {
    SPI_connect();
    Select(
        "SELECT nodeid, success, result "
        "FROM pg_catalog.run_command_on_all_nodes(command => $1) ORDER BY 3, 1",
        TEXTOID, CStringGetTextDatum(command), false);
    MemoryContext inner = MemoryContextSwitchTo(caller);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
      HeapTuple row = SPI_tuptable->vals[i];
      TupleDesc columns = SPI_tuptable->tupdesc;
      const char* const node = SPI_getvalue(row, columns, 1);
      const char* const success = SPI_getvalue(row, columns, 2);
      const char* const text = SPI_getvalue(row, columns, 3);
      const int32 number = node != nullptr ? atoi(node) : 0;
      if (success == nullptr || success[0] != 't' || text == nullptr) {
        WarnOfNode(number, text != nullptr ? text : "nothing");
        continue;
      }
      auto* answer = static_cast<Answer*>(palloc(sizeof(Answer)));
      *answer = {number, pstrdup(text)};
      answers = lappend(answers, answer);
    }
    MemoryContextSwitchTo(inner);
    SPI_finish();
  });
  if (error == nullptr) return answers;
  ereport(WARNING, (errmsg("identities of the nodes of the Citus cluster were not compared"),
                    errdetail("The error was: %s", Excerpt(error->message, kMostShown))));
  return NIL;
}

}  // namespace

bool IsCitusWithoutIdentity() {
  return SourceOfMachineId() == MachineIdSource::kSetting && !LeasesAreOn() && !IdentityWasSet() &&
         CitusIsHere();
}

void WarnIfCitusWithoutIdentity(const Handle& handle) {
  static constinit bool looked = false;
  // Parallel workers are new each time and would repeat the warning.
  if (looked || IsParallelWorker()) return;
  if (!handle.layout().Has(FieldKind::kMachine) || handle.generator.machine_id >= 0) return;
  if (SourceOfMachineId() != MachineIdSource::kSetting || LeasesAreOn()) return;
  if (IdentityWasSet()) return;
  looked = true;
  if (!CitusIsHere()) return;
  ereport(WARNING, (errmsg("this Citus node makes IDs of machine 0, and was never told to"),
                    errdetail("Every node is machine 0 until idgen.machine_id is set on it, and "
                              "nodes with one identity make the same IDs."),
                    errhint("Set idgen.machine_id and idgen.datacenter_id on each node, from its "
                            "group ID in pg_dist_local_group; also where 0 is meant.")));
}

bool IsCitusTable(Oid relation) {
  if (!CitusIsHere()) return false;
  bool found = false;
  const ErrorData* error = Try([&] {
    SPI_connect();
    Select(
        "SELECT 1 FROM pg_catalog.pg_dist_partition "
        "WHERE logicalrelid::pg_catalog.oid OPERATOR(pg_catalog.=) $1",
        OIDOID, ObjectIdGetDatum(relation), true);
    found = SPI_processed > 0;
    SPI_finish();
  });
  // If Citus does not tell, assume that it may be one.
  return found || error != nullptr;
}

List* SharedIdentities(const char* schema, std::string_view generator) {
  if (!CitusIsHere()) return NIL;
  const GeneratorDefinition here = FindGenerator(generator);
  char* const name = pnstrdup(generator.data(), generator.size());
  const List* answers = AskNodes(psprintf("SELECT %s.idgen_get_identity(%s::pg_catalog.text)",
                                          quote_identifier(schema), quote_literal_cstr(name)));
  const char* const own = IdentityText(here);
  List* shared = NIL;
  StringInfoData nodes;
  initStringInfo(&nodes);
  int count = 0;
  const int length = list_length(answers);
  for (int i = 0; i < length; ++i) {
    const auto* answer = static_cast<const Answer*>(list_nth(answers, i));
    appendStringInfo(&nodes, "%s%d", count > 0 ? ", " : "", answer->node);
    ++count;
    const auto* next =
        i + 1 < length ? static_cast<const Answer*>(list_nth(answers, i + 1)) : nullptr;
    if (next != nullptr && strcmp(next->text, answer->text) == 0) continue;
    if (count > 1 && strcmp(answer->text, kUnset) != 0) {
      auto* found = static_cast<SharedIdentity*>(palloc(sizeof(SharedIdentity)));
      *found = {answer->text, pstrdup(nodes.data), strcmp(answer->text, own) == 0};
      shared = lappend(shared, found);
    }
    resetStringInfo(&nodes);
    count = 0;
  }
  return shared;
}

}  // namespace idgen::pg
