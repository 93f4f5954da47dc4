// idgen_diagnostics(): what one would ask for in a support case, as one JSON object.
//
// Each part is a query of its own, in a subtransaction. What the caller may not see is left out;
// what fails shows its error; and the rest is there. The function's own search_path is pg_catalog
// (idgen--1.0.sql), and our own objects are named with its schema.
#include "core/public_address.h"
#include "row.h"
#include "settings.h"
#include "try.h"

namespace idgen::pg {

namespace {

// $S stands for the schema and a dot. Each returns one jsonb, NULL for nothing.
struct Part {
  const char* name;
  const char* query;
};

// `error` without what may be a password.
#define IDGEN_PUBLIC_ERROR                                                        \
  "regexp_replace(regexp_replace(error, '://[^[:space:]\"]*@', '://...@', 'g'), " \
  "'(passw(or)?d|passfile)[[:space:]]*=[[:space:]]*(''[^'']*''|[^[:space:]]*)', '\\1=...', 'gi')"

// ID spaces and settings can be many; a report stays readable.
constexpr Part kParts[] = {
    {"made_at", "SELECT to_jsonb(clock_timestamp())"},
    {"idgen",
     "SELECT jsonb_build_object('version', extversion, 'library', "
     "$Sidgen_library_version(extversion), 'schema', n.nspname) FROM pg_extension e "
     "JOIN pg_namespace n ON n.oid = e.extnamespace "
     "WHERE extname = 'idgen'"},
    {"postgresql",
     "SELECT jsonb_build_object('version', version(), 'in_recovery', pg_is_in_recovery(), "
     "'started_at', pg_postmaster_start_time(), 'database', current_database(), "
     "'encoding', pg_encoding_to_char(encoding)) FROM pg_database "
     "WHERE datname = current_database()"},
    // Addresses may have a password in them: see below. Settings that only superusers see are not
    // in pg_settings for others.
    {"settings",
     "SELECT jsonb_object_agg(name, jsonb_build_object('setting', setting, 'unit', unit, "
     "'source', source)) FROM pg_settings WHERE (name LIKE 'idgen.%' "
     "AND name NOT IN ('idgen.registry', 'idgen.ticket_servers')) OR name IN "
     "('dynamic_shared_memory_type', 'fsync', 'max_connections', 'max_wal_senders', "
     "'shared_preload_libraries', 'synchronous_commit', 'synchronous_standby_names', 'wal_level')"},
    {"registry", "SELECT to_jsonb(r) FROM $Sidgen_get_registry() r WHERE r.kind IS NOT NULL"},
    {"layouts",
     "SELECT jsonb_agg(to_jsonb(l) ORDER BY layout) FROM $Sidgen_layouts l WHERE owner IS NOT "
     "NULL"},
    {"generators", "SELECT jsonb_agg(to_jsonb(g) ORDER BY generator) FROM $Sidgen_generators g"},
    // An error of a client may quote its address.
    {"identities", "SELECT jsonb_agg(to_jsonb(i) || jsonb_build_object('error', " IDGEN_PUBLIC_ERROR
                   ")) FROM $Sidgen_identity i"},
    {"segments",
     "SELECT jsonb_agg(to_jsonb(s) || jsonb_build_object('sequence', q.seqrelid::regclass, "
     "'error', " IDGEN_PUBLIC_ERROR
     ")) FROM pg_sequence q, $Sticket_status(q.seqrelid::regclass) s "
     "WHERE q.seqmin = 9223372036854775806 AND has_sequence_privilege(q.seqrelid, 'SELECT')"},
    {"mark", "SELECT to_jsonb(m) FROM $Sidgen_get_mark() m"},
    {"clock", "SELECT to_jsonb(c) FROM $Sidgen_clock() c"},
    // Findings quote errors of clients, too.
    {"config",
     "SELECT coalesce(jsonb_agg(jsonb_build_object('severity', severity, 'topic', topic, "
     "'message', " IDGEN_PUBLIC_ERROR ", 'hint', hint)), '[]') "
     "FROM (SELECT severity, topic, message AS error, hint FROM $Sidgen_check_config()) c"},
    {"stat_server", "SELECT to_jsonb(s) FROM $Sidgen_stat_server s"},
    {"stat_database", "SELECT jsonb_agg(to_jsonb(s) ORDER BY datid) FROM $Sidgen_stat_database s"},
    {"stat",
     "SELECT jsonb_agg(to_jsonb(s) ORDER BY ids DESC) FROM (SELECT * FROM $Sidgen_stat "
     "ORDER BY ids DESC LIMIT 1000) s"},
};

char* QueryOf(const Part& part, const char* schema) {
  StringInfoData query;
  initStringInfo(&query);
  for (const char* at = part.query; *at != '\0'; ++at) {
    if (at[0] == '$' && at[1] == 'S') {
      appendStringInfo(&query, "%s.", schema);
      ++at;
    } else {
      appendStringInfoChar(&query, *at);
    }
  }
  return query.data;
}

// Runs a query of one value. Returns it as text in `context`; nullptr for NULL.
char* ValueOf(const char* query, MemoryContext context) {
  SPI_connect();
  const int result = SPI_execute(query, true, 1);
  if (result != SPI_OK_SELECT)
    elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
  const char* const value =
      SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : nullptr;
  char* const copy = value != nullptr ? MemoryContextStrdup(context, value) : nullptr;
  SPI_finish();
  return copy;
}

// The value of a part as JSON; nullptr if there is none, or if it is not for the caller.
char* PartText(const Part& part, const char* schema) {
  MemoryContext context = CurrentMemoryContext;
  char* text = nullptr;
  const ErrorData* const error = Try([&] { text = ValueOf(QueryOf(part, schema), context); });
  if (error == nullptr || error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE) return text;
  StringInfoData quoted;
  initStringInfo(&quoted);
  appendStringInfoString(&quoted, "{\"error\": ");
  escape_json(&quoted, error->message);
  appendStringInfoChar(&quoted, '}');
  return quoted.data;
}

Column TextOf(std::string_view text) { return {TextDatum(text), text.empty()}; }

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_diagnostics);
IDGEN_SQL_FUNCTION(idgen_get_registry);

Datum idgen_diagnostics(PG_FUNCTION_ARGS) {
  const Oid own = fcinfo->flinfo->fn_oid;
  const char* const schema = quote_identifier(get_namespace_name(get_func_namespace(own)));
  StringInfoData out;
  initStringInfo(&out);
  for (const Part& part : kParts) {
    const char* const text = PartText(part, schema);
    if (text == nullptr) continue;
    appendStringInfo(&out, "%s\"%s\": %s", out.len == 0 ? "{" : ", ", part.name, text);
  }
  appendStringInfoString(&out, out.len == 0 ? "{}" : "}");
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

// The setting itself is for those who may read all settings.
Datum idgen_get_registry(PG_FUNCTION_ARGS) {
  PublicAddress address;
  if (has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_SETTINGS)) {
    address = PublicAddressOf(RegistryAddress());
  }
  const Column row[] = {TextOf(address.kind), TextOf(address.hosts), TextOf(address.port),
                        TextOf(address.database), TextOf(address.service)};
  return RecordOf(fcinfo, row);
}

}  // extern "C"

}  // namespace idgen::pg
