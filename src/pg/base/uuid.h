// PostgreSQL's uuid and the core's Id128.
#pragma once

#include "pg.h"

#include "core/id128.h"

namespace idgen::pg {

inline Datum UuidDatum(Id128 id) {
  auto* const uuid = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  StoreBytes(id, uuid->data);
  return UUIDPGetDatum(uuid);
}

inline Id128 UuidArgument(FunctionCallInfo fcinfo, int argument) {
  return LoadBytes(PG_GETARG_UUID_P(argument)->data);
}

}  // namespace idgen::pg
