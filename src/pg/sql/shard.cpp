// The SQL functions for sharding: IDs of a logical shard, and the shard of a key.
#include "pg.h"

#include "callsite.h"
#include "core/builtin_layouts.h"
#include "core/shard.h"
#include "errors.h"
#include "take.h"

namespace idgen::pg {

namespace {

void CheckShards(std::int32_t shards, std::uint64_t most, const char* detail) {
  if (shards >= 1 && static_cast<std::uint64_t>(shards) <= most) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("number of shards %d is out of range", shards), errdetail("%s", detail),
                  errhint("Use a number from 1 to %llu.", static_cast<unsigned long long>(most))));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_shard);
IDGEN_SQL_FUNCTION(idgen_instagram_nextval);
IDGEN_SQL_FUNCTION(idgen_instagram_nextval_of_shard);
IDGEN_SQL_FUNCTION(idgen_instagram_nextval_for);

Datum idgen_shard(PG_FUNCTION_ARGS) {
  const std::int32_t shards = PG_GETARG_INT32(1);
  CheckShards(shards, PG_INT32_MAX, "There is at least one shard.");
  return Int32GetDatum(ShardOf(TextArgument(fcinfo, 0), shards));
}

Datum idgen_instagram_nextval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Int64GetDatum(NextId(InstagramHandle()));
}

Datum idgen_instagram_nextval_of_shard(PG_FUNCTION_ARGS) {
  return Int64GetDatum(NextIdOfShard(InstagramHandle(), PG_GETARG_INT32(0)));
}

Datum idgen_instagram_nextval_for(PG_FUNCTION_ARGS) {
  const std::int32_t shards = PG_GETARG_INT32(1);
  CheckShards(shards, kInstagram[FieldKind::kShard].Largest() + 1,
              "Layout \"instagram\" has 8192 shards.");
  return Int64GetDatum(NextIdOfShard(InstagramHandle(), ShardOf(TextArgument(fcinfo, 0), shards)));
}

}  // extern "C"

}  // namespace idgen::pg
