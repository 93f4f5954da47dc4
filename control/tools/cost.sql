
-- Cost: what the keys of a table cost, by kind ----------------------------------------------------------

-- One row of an index and of its write-ahead log, in bytes, as bench/sql/index.sql grows a table: 10,000,000 rows in
-- transactions of 10,000, ten checkpoints, full_page_writes on, shared_buffers 128 MB, PostgreSQL 15. The log is that of
-- the table with the index, less that of the table without one. bytes is the value in a row of the table, with the byte
-- that says how long a text is. A value starts at a multiple of align: bytes before it may be lost.
-- An entry of a B-tree is aligned to 8 bytes. So an index on integer is as large as one on bigint.
CREATE FUNCTION idgen_tools_keys() RETURNS TABLE (
    n int, kind text, type text, bytes numeric, align int, ascending boolean, index_bytes numeric, index_wal numeric,
    serves boolean)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 9
BEGIN ATOMIC
  VALUES (1, 'snowflake', 'bigint', 8, 8, true, 22.46, 66.3, false),
         (2, 'sequence', 'bigint', 8, 8, true, 22.46, 66.3, false),
         (3, 'sequence', 'integer', 4, 4, true, 22.46, 66.3, false),
         (4, 'uuidv7 or ULID', 'uuid', 16, 1, true, 31.54, 75.5, false),
         (5, 'uuidv4', 'uuid', 16, 1, false, 40.50, 218.9, false),
         (6, 'ULID', 'text', 27, 1, true, 49.73, 93.6, false),
         (7, 'uuidv4', 'text', 37, 1, false, 76.53, 373.5, false),
         (8, 'service, one by one', 'bigint', 8, 8, true, 22.46, 66.3, true),
         (9, 'service, in blocks', 'bigint', 8, 8, true, 22.46, 66.3, true);
END;
COMMENT ON FUNCTION idgen_tools_keys() IS 'idgen_tools: the kinds of keys that idgen_cost() compares, and what was measured';

CREATE FUNCTION idgen_cost(
    rows_per_day numeric, years numeric DEFAULT 5, keep_years numeric DEFAULT NULL,
    indexes int DEFAULT 1, copies numeric DEFAULT 0, fillfactor int DEFAULT 90,
    block int DEFAULT 1000, service_servers int DEFAULT 2,
    price_storage numeric DEFAULT 0, price_memory numeric DEFAULT 0, price_log numeric DEFAULT 0,
    price_requests numeric DEFAULT 0, price_server numeric DEFAULT 0)
  RETURNS TABLE (
    kind text, type text, key_bytes int, align int, rows numeric, key_gb numeric, index_gb numeric, times numeric,
    hot_gb numeric, log_gb_month numeric, requests_month numeric,
    storage_month numeric, memory_month numeric, log_month numeric, requests_cost_month numeric, servers_month numeric,
    cost_month numeric, cost_total numeric, cost_per_million numeric, advice text)
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 9
  SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  months constant numeric := 12 * years;
  ids_month constant numeric := rows_per_day * 365.25 / 12;
  -- Rows are there for so long; what grows meanwhile is half as large on average.
  kept constant numeric := least(years, keep_years);
  storage_months constant numeric := 12 * (years - kept / 2);
  at_the_end constant numeric := rows_per_day * 365.25 * kept;
  most constant numeric := 1e15;
BEGIN
  PERFORM @extschema@.idgen_tools_check_number(rows_per_day, 'rows_per_day', 1::numeric, 1e15, 'It is the number of new rows in a day, on average.');
  PERFORM @extschema@.idgen_tools_check_number(years, 'years', 0.01, 1000::numeric, 'It is the time for which costs are added up.');
  IF keep_years IS NOT NULL THEN
    PERFORM @extschema@.idgen_tools_check_number(keep_years, 'keep_years', 0.001, 1000::numeric, 'NULL: no row is deleted.');
  END IF;
  PERFORM @extschema@.idgen_tools_check_number(indexes::numeric, 'indexes', 0::numeric, 1000::numeric, 'The primary key counts.');
  PERFORM @extschema@.idgen_tools_check_number(copies, 'copies', 0::numeric, 1e6,
    'It is how many rows of other tables refer to a row, on average.');
  PERFORM @extschema@.idgen_tools_check_number(fillfactor::numeric, 'fillfactor', 10::numeric, 100::numeric, 'It is that of the indexes.');
  PERFORM @extschema@.idgen_tools_check_number(block::numeric, 'block', 1::numeric, 1000000000::numeric, 'It is the number of IDs that a client fetches at a time.');
  PERFORM @extschema@.idgen_tools_check_number(service_servers::numeric, 'service_servers', 0::numeric, 1000000::numeric, 'They are the servers of a central ID service.');
  PERFORM @extschema@.idgen_tools_check_number(price_storage, 'price_storage', 0::numeric, most, 'It is the price of a GB for a month.');
  PERFORM @extschema@.idgen_tools_check_number(price_memory, 'price_memory', 0::numeric, most, 'It is the price of a GB for a month.');
  PERFORM @extschema@.idgen_tools_check_number(price_log, 'price_log', 0::numeric, most, 'It is the price of a GB that is written.');
  PERFORM @extschema@.idgen_tools_check_number(price_requests, 'price_requests', 0::numeric, most, 'It is the price of a million.');
  PERFORM @extschema@.idgen_tools_check_number(price_server, 'price_server', 0::numeric, most, 'It is the price of an hour.');
  RETURN QUERY
  WITH sizes AS (
    SELECT k.*,
           at_the_end * k.bytes * (1 + copies) / 1e9 AS key,
           at_the_end * (indexes + copies) * k.index_bytes * CASE WHEN k.ascending THEN 90.0 / fillfactor ELSE 1 END / 1e9 AS index,
           ids_month * (k.bytes * (1 + copies) + k.index_wal * (indexes + copies)) / 1e9 AS log,
           CASE WHEN NOT k.serves THEN 0 WHEN k.kind LIKE '%blocks' THEN ids_month / block ELSE ids_month END AS requests
    FROM @extschema@.idgen_tools_keys() k
  ), costs AS (
    SELECT s.*, CASE WHEN s.ascending THEN 0 ELSE s.index END AS hot,
           (s.key + s.index) * price_storage AS storage,
           CASE WHEN s.ascending THEN 0 ELSE s.index * price_memory END AS memory,
           s.log * price_log AS logged,
           s.requests / 1e6 * price_requests AS requested,
           CASE WHEN s.serves THEN service_servers * price_server * 730.5 ELSE 0 END AS served
    FROM sizes s
  ), sums AS (
    SELECT c.*, c.storage + c.memory + c.logged + c.requested + c.served AS month,
           (c.storage + c.memory) * storage_months + (c.logged + c.requested + c.served) * months AS total
    FROM costs c
  )
  SELECT c.kind, c.type, c.bytes::int, c.align, round(at_the_end), round(c.key, 3), round(c.index, 3),
         round((c.key + c.index) / (least.key + least.index), 2), round(c.hot, 3), round(c.log, 3), round(c.requests),
         round(c.storage, 2), round(c.memory, 2), round(c.logged, 2), round(c.requested, 2), round(c.served, 2),
         round(c.month, 2), round(c.total, 2), round(c.total / (ids_month * months / 1e6), 6),
         nullif(concat_ws('; ',
           CASE WHEN c.type = 'integer' AND rows_per_day * 365.25 * years > 2147483647 THEN
             format('its 2147483647 values last %s days', round(2147483647 / rows_per_day, 1)) END,
           CASE WHEN c.type = 'integer' THEN
             format('its index is as large as that of bigint, and its rows save %s GB at most', round(least.key - c.key, 3)) END,
           CASE WHEN c.key + c.index > least.key + least.index THEN
             format('snowflake saves %s GB', round(c.key + c.index - least.key - least.index, 3))
             || CASE WHEN c.month > least.month
                THEN format(' and %s a month, %s in all', round(c.month - least.month, 2), round(c.total - least.total, 2)) ELSE '' END
           END,
           CASE WHEN NOT c.ascending THEN
             format('its keys are in no order: all %s GB of index must be in memory, or inserts read pages; a key in the '
                    'order of time writes %s GB of log less a month', round(c.hot, 3), round(c.log - least.log, 3)) END,
           CASE WHEN c.type = 'text' THEN
             format('the type uuid has the same value in 16 bytes instead of %s', c.bytes::int) END,
           CASE WHEN c.serves THEN
             format('%s requests a month, %s a second, where keys that the database makes need none', round(c.requests),
                    round(c.requests / 2629800, 3))
             || CASE WHEN c.requested + c.served > 0 THEN format(': %s a month', round(c.requested + c.served, 2)) ELSE '' END
             || CASE WHEN c.requests = ids_month AND block > 1
                THEN format('; in blocks of %s it is %s', block, round(c.requests / block)) ELSE '' END
           END), '')
  FROM sums c, (SELECT * FROM sums WHERE sums.kind = 'snowflake') least
  ORDER BY c.n;
END $$;
COMMENT ON FUNCTION idgen_cost(numeric, numeric, numeric, int, numeric, int, int, int, numeric, numeric, numeric, numeric, numeric) IS
  'what the keys of a table cost by kind: storage, memory, write-ahead log, requests to a central service';
