-- Blocks of consecutive integers, for an ORM that counts on from the first.
SET idgen.machine_id = 14;

SELECT idgen_reserve('snowflake', 50) AS first \gset
SELECT snowflake_currval() - :first AS last_minus_first;
-- All of one tick and one identity.
SELECT DISTINCT snowflake_timestamp(id) = snowflake_timestamp(:first) AS same_tick,
                snowflake_machine(id) AS machine
FROM generate_series(:first::bigint, :first + 49) id;
-- Nobody else gets one of them.
SELECT snowflake_nextval() > :first + 49 AS beyond;

-- Many blocks: none overlaps another, none leaves its tick.
CREATE TABLE blocks AS
SELECT idgen_reserve('snowflake', size) AS first, size
FROM (SELECT 1 + (i * 37) % 4096 AS size FROM generate_series(1, 300) i) s;
SELECT count(*) AS blocks,
       count(*) FILTER (WHERE snowflake_timestamp(first) <> snowflake_timestamp(first + size - 1)
                        OR snowflake_machine(first + size - 1) <> 14) AS leave_their_tick
FROM blocks;
SELECT count(*) AS overlap FROM blocks a JOIN blocks b ON a.first < b.first AND a.first + a.size > b.first;

-- By their other end, for optimizers that count down from it: both kinds side by side, and none overlaps another.
CREATE TABLE ends AS
SELECT CASE WHEN i % 2 = 0 THEN idgen_reserve('snowflake', size) ELSE idgen_reserve_last('snowflake', size) - size + 1 END AS first, size
FROM (SELECT i, 1 + (i * 37) % 4096 AS size FROM generate_series(1, 300) i) s;
SELECT count(*) AS overlap FROM ends a JOIN ends b ON a.first < b.first AND a.first + a.size > b.first;
SELECT count(*) FILTER (WHERE snowflake_timestamp(first) <> snowflake_timestamp(first + size - 1)) AS leave_their_tick FROM ends;
DROP TABLE ends;
SELECT idgen_reserve_last('snowflake', 50) = snowflake_currval() AS is_the_last, idgen_reserve_last('snowflake', 1) < snowflake_nextval() AS of_one;
CREATE SEQUENCE reserve_tickets INCREMENT 3;
CREATE SEQUENCE reserve_down INCREMENT -1;
SELECT ticket_reserve('reserve_tickets', 10) AS first, ticket_reserve_last('reserve_tickets', 10) AS last, ticket_currval('reserve_tickets') AS currval,
       ticket_nextval('reserve_tickets') AS next, ticket_reserve_last('reserve_down', 5) AS down;
SELECT ticket_reserve_last('reserve_tickets', 0);
SELECT ticket_reserve_last('pg_class', 5);
SELECT ticket_reserve_last('reserve_tickets', NULL) IS NULL AS null_in_null_out;
DROP SEQUENCE reserve_tickets, reserve_down;

-- A whole tick, at once.
SELECT snowflake_sequence(idgen_reserve('snowflake', 4096)) AS begins_at;
SELECT idgen_reserve('tso', 262144) % 262144 AS begins_at;

-- With blocks of the session's own (idgen.block_size) in use.
SET idgen.block_size = 64;
SELECT snowflake_nextval() AS before \gset
SELECT idgen_reserve('snowflake', 10) AS first \gset
SELECT :first > :before AS greater;
-- What is left of the session's block lies below what was reserved, and is not in it.
SELECT count(*) AS overlap FROM snowflake_nextval_batch(100) id WHERE id BETWEEN :first AND :first + 9;
RESET idgen.block_size;

-- Bad input.
SELECT idgen_reserve('snowflake', 0);
SELECT idgen_reserve('snowflake', -50);
SELECT idgen_reserve('snowflake', 4097);
SELECT idgen_reserve('nothing', 1);
SELECT idgen_reserve_last('snowflake', 0);
SELECT idgen_reserve_last('snowflake', -2147483648);
SELECT idgen_reserve_last('snowflake', 4097);
SELECT idgen_reserve_last('nothing', 1);
SELECT idgen_reserve_last(NULL, 1) IS NULL AS null_in_null_out;
SELECT idgen_reserve('snowflake', NULL) IS NULL AS null_in_null_out;
SELECT idgen_reserve('snowflake', 50) > :first AS works_after_all_that;

DROP TABLE blocks;

-- One session's IDs increase from call to call, also with blocks.
SET idgen.block_size = 64;
SELECT a < b AND b < c AND c + 10 <= d AND d < e AND e < f AS increase
FROM (SELECT snowflake_nextval() AS a, snowflake_nextval() AS b, idgen_reserve('snowflake', 10) AS c,
             snowflake_nextval() AS d) one,
     LATERAL (SELECT max(id) AS e FROM snowflake_nextval_batch(5) id WHERE d > 0 OFFSET 0) two,
     LATERAL (SELECT snowflake_nextval() AS f WHERE e > 0 OFFSET 0) three;
RESET idgen.block_size;
