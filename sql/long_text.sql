-- Texts that are much longer than anything makes sense: refused soon, and not repeated in the error.
-- Whatever the form in which they come: in memory, compressed in a row, out of line.
CREATE TABLE long_texts (form text, of_one text, of_many text);
INSERT INTO long_texts VALUES ('compressed', repeat('x', 2000000), repeat('timestamp:41, ', 100000));
ALTER TABLE long_texts ALTER of_one SET STORAGE EXTERNAL, ALTER of_many SET STORAGE EXTERNAL;
INSERT INTO long_texts VALUES ('external', repeat('x', 2000000), repeat('timestamp:41, ', 100000));
SELECT form, pg_column_size(of_one) < 1000000 AS is_small FROM long_texts ORDER BY form;

-- What an error says, in bytes, and how long it took.
CREATE FUNCTION long_text_error(query text, OUT state text, OUT message text, OUT too_much boolean, OUT too_long boolean)
LANGUAGE plpgsql AS $$
DECLARE
  detail text; hint text; context text; began timestamptz := clock_timestamp();
BEGIN
  EXECUTE query;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
  -- Of the context only what the server adds: the query itself is in it too.
  too_much := length(concat(message, detail, hint)) > 500
    OR length(replace(context, query, '')) > 500;
  too_long := clock_timestamp() - began > '5 s';
END $$;

SELECT call, replace(e.message, repeat('x', 20), 'x...') AS message, state, too_much, too_long
FROM (VALUES
  ($$idgen_create_layout(%s, 'timestamp:41, sequence:12')$$),
  ($$idgen_create_layout('a', %s)$$),
  ($$idgen_drop_layout(%s)$$),
  ($$idgen_create_generator(%s, 'snowflake')$$),
  ($$idgen_create_generator('a', (%s)::idgen_layout)$$),
  ($$idgen_alter_generator(%s)$$),
  ($$idgen_drop_generator(%s)$$),
  ($$idgen_nextval(%s)$$),
  ($$idgen_nextval(%s, 1)$$),
  ($$idgen_nextval_batch(%s, 1)$$),
  ($$idgen_nextval_batch(%s, 1, 1)$$),
  ($$idgen_nextval_array(%s, 1)$$),
  ($$idgen_nextval_array(%s, 1, 1)$$),
  ($$idgen_currval(%s)$$),
  ($$idgen_reserve(%s, 1)$$),
  ($$idgen_observe(%s, 1)$$),
  ($$idgen_check_identity('pg_class', 'oid', %s)$$),
  ($$idgen_parse(1, (%s)::idgen_layout)$$),
  ($$idgen_timestamp(1, (%s)::idgen_layout)$$),
  ($$idgen_min_id(now(), (%s)::idgen_layout)$$),
  ($$idgen_max_id(now(), (%s)::idgen_layout)$$),
  ($$idgen_compose((%s)::idgen_layout, now())$$),
  ($$idgen_inspect(1, (%s)::idgen_layout)$$),
  ($$idgen_inspect_json(1, (%s)::idgen_layout)$$),
  ($$idgen_encode(1, %s)$$),
  ($$idgen_decode('1', %s)$$),
  ($$idgen_decode(%s, 'base62')$$),
  ($$idgen_decode(%s, 'hex')$$),
  ($$idgen_validator(ARRAY[%s], 1417)$$),
  ($$idgen_validator(ARRAY['layout=' || %s], 1417)$$),
  ($$idgen_validator(ARRAY['layout=snowflake', 'machine_id=' || %s], 1417)$$),
  ($$idgen_validator(ARRAY[%s || '=1'], 2328)$$)
) calls(call),
LATERAL (SELECT string_agg(DISTINCT e.state, ' ') AS state, string_agg(DISTINCT e.message, ' ') AS message,
                bool_or(e.too_much) AS too_much, bool_or(e.too_long) AS too_long
         FROM (VALUES ($$repeat('x', 2000000)$$),
                      ($$(SELECT of_one FROM long_texts WHERE form = 'compressed')$$),
                      ($$(SELECT of_one FROM long_texts WHERE form = 'external')$$)) v(value),
              long_text_error('SELECT ' || format(call, value)) e) e;

-- A field list that makes sense for long.
SELECT message, state, too_much, too_long FROM long_texts,
  long_text_error(format($$SELECT idgen_create_layout('a', (SELECT of_many FROM long_texts WHERE form = %L))$$, form));
SELECT message, state, too_much, too_long FROM long_text_error(
  format('CREATE SERVER idgen_a FOREIGN DATA WRAPPER idgen OPTIONS (layout %L)', repeat('timestamp:41, ', 100000)));

-- What is cut off is cut between characters: of the second one the first byte would be left.
CREATE TABLE long_names (zeros int, name text);
INSERT INTO long_names SELECT zeros, repeat('0', zeros) || repeat(chr(252), 2000000) FROM (VALUES (1022), (1023)) v(zeros);
SELECT zeros, message LIKE CASE WHEN octet_length(chr(252)) = 2 AND zeros = 1023 THEN '% is too long %' ELSE 'invalid character "_" %' END AS correct
FROM (VALUES (1022), (1023)) v(zeros),
  long_text_error(format($$SELECT idgen_decode(name, 'decimal') FROM long_names WHERE zeros = %s$$, zeros));
-- A key may be as long as it likes: all of it counts.
SELECT count(DISTINCT idgen_shard(key, 1000000)) AS shards
FROM (SELECT of_one FROM long_texts UNION ALL SELECT of_one || 'y' FROM long_texts) k(key);

DROP TABLE long_texts, long_names;
DROP FUNCTION long_text_error;
