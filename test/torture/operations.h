// The calls that sessions make (client.cpp).
#pragma once

#include "history.h"
#include "results.h"

namespace {

enum class How {
  kPlain,
  kShared,  // never from the session's block
  kNamed,   // by the generator "fixed"
  kShard,   // $2 is the shard, 0 to 2
  kShards,  // $2 is the first shard, and each call's is $3 further
};

struct Operation {
  const char* name;
  const char* sql;  // $1 is a count
  Kind kind;
  LayoutName layout;
  int most;  // the largest count
  How how = How::kPlain;
  int shards = 0;       // of the layout, if the call goes through them
  double weight = 1.0;  // if no mix is given
  Form form = Form::kBigint;
};

// Whether each database has an ID space of its own, or may have.
bool IsOfDatabase(const Operation& what) {
  return what.layout == LayoutName::kTickets || what.layout == LayoutName::kChanging;
}

#define WITH_CLOCK(call) "SELECT clock_timestamp(), " call ", clock_timestamp()"
#define IN_ARRAY(call) WITH_CLOCK("ARRAY(SELECT " call " FROM generate_series(1, $1::int))")

const Operation kOperations[] = {
    {"single", WITH_CLOCK("snowflake_nextval() + 0 * $1::int"), Kind::kIds, LayoutName::kSnowflake,
     1},
    {"array", IN_ARRAY("snowflake_nextval()"), Kind::kIds, LayoutName::kSnowflake, 1000},
    {"batch", WITH_CLOCK("ARRAY(SELECT snowflake_nextval_batch($1::int))"), Kind::kIds,
     LayoutName::kSnowflake, 3000, How::kShared},
    {"reserve", WITH_CLOCK("idgen_reserve('snowflake', $1::int)"), Kind::kReserve,
     LayoutName::kSnowflake, 500, How::kShared},
    {"shard", IN_ARRAY("instagram_nextval($2::int)"), Kind::kIds, LayoutName::kInstagram, 300,
     How::kShard},
    {"named", IN_ARRAY("idgen_nextval('fixed')"), Kind::kIds, LayoutName::kSnowflake, 300,
     How::kNamed},
    {"sonyflake", IN_ARRAY("idgen_nextval('sonyflake2')"), Kind::kIds, LayoutName::kSonyflake2, 20},
    {"seconds", IN_ARRAY("idgen_nextval('torture_seconds')"), Kind::kIds, LayoutName::kSeconds,
     1000},
    {"ending", IN_ARRAY("idgen_nextval('torture_ending')"), Kind::kIds, LayoutName::kEnding, 300},
    {"wide",
     WITH_CLOCK("ARRAY(SELECT idgen_nextval('torture_wide', ($2::int + (n - 1) * $3::int) % 64) "
                "FROM generate_series(1, $1::int) AS n)"),
     Kind::kIds, LayoutName::kWide, 200, How::kShards, 64},
    // Thousands of IDs in one statement.
    {"arrays", WITH_CLOCK("snowflake_nextval_array($1::int)"), Kind::kIds, LayoutName::kSnowflake,
     6000, How::kShared},
    {"bulk", WITH_CLOCK("idgen_nextval_array('torture_wide', $1::int, $2::int)"), Kind::kIds,
     LayoutName::kWide, 12000, How::kShard},
    // More ID spaces than anybody needs.
    {"many",
     WITH_CLOCK("ARRAY(SELECT idgen_nextval('torture_many', (($2::bigint + (n - 1) * "
                "$3::bigint) % 1048576)::int) FROM generate_series(1, $1::int) AS n)"),
     Kind::kIds, LayoutName::kMany, 4000, How::kShards, 1 << 20, 0.0},
    {"insert", "INSERT INTO orders (item) SELECT generate_series(1, $1::int) RETURNING id",
     Kind::kIds, LayoutName::kSnowflake, 50},
    {"parallel", "SELECT snowflake_nextval() FROM numbers WHERE n <= 100 * $1::int",
     Kind::kAnyOrder, LayoutName::kSnowflake, 20},
    // IDs of 128 bits, in which idgen.block_size does not count.
    {"uuid", IN_ARRAY("uuidv7_nextval()"), Kind::kIds, LayoutName::kMicroseconds, 500, How::kShared,
     0, 0.5, Form::kUuidV7},
    {"uuids", WITH_CLOCK("uuidv7_nextval_array($1::int)"), Kind::kIds, LayoutName::kMicroseconds,
     3000, How::kShared, 0, 0.5, Form::kUuidV7},
    {"ulid", WITH_CLOCK("ARRAY(SELECT ulid_nextval_batch($1::int))"), Kind::kIds,
     LayoutName::kMicroseconds, 500, How::kShared, 0, 0.5, Form::kUlid},
    {"uuidv8", IN_ARRAY("uuidv8_nextval()"), Kind::kIds, LayoutName::kNodes, 300, How::kShared, 0,
     0.5, Form::kUuidV8},
    {"id128", WITH_CLOCK("id128_nextval_array($1::int)"), Kind::kIds, LayoutName::kNodes, 1000,
     How::kShared, 0, 0.5, Form::kId128},
    {"uuidv6", IN_ARRAY("uuidv6_nextval()"), Kind::kIds, LayoutName::kGregorian, 300, How::kShared,
     0, 0.5, Form::kGregorian},
    {"uuidv1", WITH_CLOCK("uuidv1_nextval_array($1::int)"), Kind::kIds, LayoutName::kGregorian, 300,
     How::kShared, 0, 0.5, Form::kGregorian},
    {"hlc", IN_ARRAY("hlc_now()"), Kind::kIds, LayoutName::kHlc, 300, How::kShared, 0, 0.5},
    // From half a second behind the clock to 100 ms beyond what is accepted.
    {"hlc_observe",
     WITH_CLOCK(
         "(SELECT greatest(received, hlc_observe(received)) FROM (SELECT "
         "hlc_max_id(clock_timestamp() + (600 - $1::int) * interval '1 ms') AS received) m)"),
     Kind::kObserve, LayoutName::kHlc, 1100, How::kShared, 0, 0.3},
    // What a restore or an asynchronous standby does not know, tickets do not either.
    {"ticket", IN_ARRAY("ticket_nextval('torture_tickets')"), Kind::kIds, LayoutName::kTickets, 300,
     How::kShared, 0, 0.0},
    {"tickets", WITH_CLOCK("ticket_nextval_array('torture_tickets', $1::int)"), Kind::kIds,
     LayoutName::kTickets, 2000, How::kShared, 0, 0.0},
    {"ticket_reserve", WITH_CLOCK("ticket_reserve('torture_tickets', $1::int)"), Kind::kReserve,
     LayoutName::kTickets, 300, How::kShared, 0, 0.0},
    {"nextval", IN_ARRAY("nextval('torture_tickets')"), Kind::kIds, LayoutName::kTickets, 50,
     How::kShared, 0, 0.0},
    // A generator whose layout changes.
    {"changing_one", WITH_CLOCK("idgen_nextval('torture_changing') + 0 * $1::int"), Kind::kIds,
     LayoutName::kChanging, 1, How::kPlain, 0, 0.0},
    {"changing", IN_ARRAY("idgen_nextval('torture_changing')"), Kind::kIds, LayoutName::kChanging,
     500, How::kPlain, 0, 0.0},
    {"changing_batch", WITH_CLOCK("ARRAY(SELECT idgen_nextval_batch('torture_changing', $1::int))"),
     Kind::kIds, LayoutName::kChanging, 2000, How::kShared, 0, 0.0},
    {"changing_array", WITH_CLOCK("idgen_nextval_array('torture_changing', $1::int)"), Kind::kIds,
     LayoutName::kChanging, 5000, How::kShared, 0, 0.0},
    {"changing_reserve", WITH_CLOCK("idgen_reserve('torture_changing', $1::int)"), Kind::kReserve,
     LayoutName::kChanging, 500, How::kShared, 0, 0.0},
    {"changing_parallel",
     "SELECT idgen_nextval('torture_changing') FROM numbers WHERE n <= 100 * $1::int",
     Kind::kAnyOrder, LayoutName::kChanging, 20, How::kPlain, 0, 0.0},
    {"changing_observe",
     WITH_CLOCK("idgen_observe('torture_changing', idgen_max_id(clock_timestamp() + "
                "(50 - $1::int) * interval '1 ms', 'torture_changing'))"),
     Kind::kObserve, LayoutName::kChanging, 1050, How::kShared, 0, 0.0},
    // From a second behind the clock to 50 ms ahead of it.
    {"observe",
     WITH_CLOCK("idgen_observe('snowflake', snowflake_max_id(clock_timestamp() + "
                "(50 - $1::int) * interval '1 ms'))"),
     Kind::kObserve, LayoutName::kSnowflake, 1050, How::kShared},
};
constexpr int kOperationCount = sizeof(kOperations) / sizeof(kOperations[0]);

}  // namespace
