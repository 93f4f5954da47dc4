-- Texts of uuids and ULIDs, prefixes for both widths, and reading what may be no ID.
SELECT id, idgen_encode(id, 'base62') AS base62, idgen_encode(id, 'base32') AS base32, idgen_encode(id, 'base58') AS base58,
       idgen_encode(id, 'hex') AS hex, idgen_encode(id, 'decimal') AS decimal
FROM unnest('{00000000-0000-0000-0000-000000000000, 00000000-0000-0000-0000-00000000003d,
              01890a5d-ac96-774b-bcce-b302099a8057, ffffffff-ffff-ffff-ffff-ffffffffffff}'::uuid[]) id;
-- Back, for any uuid; of one width; in the order of the uuids.
CREATE VIEW some_uuids AS
  SELECT DISTINCT CASE i % 3 WHEN 0 THEN gen_random_uuid()
                             WHEN 1 THEN overlay(gen_random_uuid()::text placing '00000000-0000-0000' from 1)::uuid
                             ELSE overlay(gen_random_uuid()::text placing 'ffffffff-ffff-ffff' from 1)::uuid END AS id
  FROM generate_series(1, 3000) i;
SELECT form, count(*) > 2900 AS many, count(*) FILTER (WHERE idgen_decode_uuid(text, form) <> id) AS differ,
       count(*) FILTER (WHERE idgen_try_decode_uuid(text, form) IS DISTINCT FROM id) AS try_differ,
       count(DISTINCT length(text)) AS widths, count(*) FILTER (WHERE text COLLATE "C" <= before) AS out_of_order
FROM (SELECT form, id, idgen_encode(id, form) AS text,
             lag(idgen_encode(id, form)) OVER (PARTITION BY form ORDER BY id) AS before
      FROM (VALUES ('base62'), ('base32'), ('base58'), ('hex'), ('decimal')) f(form), (TABLE some_uuids) ids) texts
GROUP BY form ORDER BY form;
-- Hexadecimal digits are those of the type itself.
SELECT count(*) AS differ FROM some_uuids
WHERE idgen_encode(id, 'hex') <> replace(id::text, '-', '') OR idgen_decode_uuid(upper(replace(id::text, '-', '')), 'hex') <> id;
SELECT idgen_decode_uuid('ff', 'hex'), idgen_decode_uuid('255', 'decimal');

-- ULIDs, of their specification.
SELECT ulid_decode('01ARYZ6S41TSV4RRFFQ69G5FAV'), ulid_decode('01BX5ZZKBKACTAV9WEVGEMMVRZ'),
       ulid_encode('01563df3-6481-d676-4c61-efb99302bd5b');
SELECT ulid_decode('01aryz6s41tsv4rrffq69g5fav') = ulid_decode('01ARYZ6S41TSV4RRFFQ69G5FAV') AS lower_case,
       ulid_decode('OiARYZ6S4LTSV4RRFFQ69G5FAV') = ulid_decode('01ARYZ6S41TSV4RRFFQ69G5FAV') AS alike,
       ulid_decode('7ZZZZZZZZZZZZZZZZZZZZZZZZZ') AS largest;
SELECT count(*) AS differ FROM some_uuids
WHERE ulid_decode(ulid_encode(id)) <> id OR ulid_encode(id) <> idgen_encode(id, 'base32');

-- Prefixes.
SELECT idgen_encode(912576717749485568, 'base62', 'ord') AS ord, idgen_encode(912576717749485568, 'base32', 'sk_live') AS sk_live,
       idgen_encode(912576717749485568, 'hex', '') AS none,
       idgen_encode('01890a5d-ac96-774b-bcce-b302099a8057'::uuid, 'base62', 'cus') AS cus,
       idgen_encode('01890a5d-ac96-774b-bcce-b302099a8057'::uuid, 'base58', '') AS none;
SELECT form, prefix, count(*) FILTER (WHERE idgen_decode(idgen_encode(id, form, prefix), form, prefix) <> id
                                         OR idgen_try_decode(idgen_encode(id, form, prefix), form, prefix) IS DISTINCT FROM id) AS differ,
       count(*) FILTER (WHERE idgen_decode_uuid(idgen_encode(uuid, form, prefix), form, prefix) <> uuid
                           OR idgen_try_decode_uuid(idgen_encode(uuid, form, prefix), form, prefix) IS DISTINCT FROM uuid) AS uuids_differ
FROM (VALUES ('base62'), ('base32'), ('base58'), ('hex'), ('decimal')) f(form),
     (VALUES (''), ('a'), ('a_b__c'), (repeat('z', 63))) p(prefix),
     (VALUES (0, '00000000-0000-0000-0000-000000000000'::uuid), (9223372036854775807, 'ffffffff-ffff-ffff-ffff-ffffffffffff')) v(id, uuid)
GROUP BY form, prefix ORDER BY form, length(prefix);

-- In generated columns and in an index of an expression, whose query uses it.
CREATE TABLE orders (
  id bigint PRIMARY KEY, ref uuid NOT NULL,
  code text GENERATED ALWAYS AS (idgen_encode(id, 'base62', 'ord')) STORED,
  ulid text GENERATED ALWAYS AS (ulid_encode(ref)) STORED);
CREATE INDEX ON orders (idgen_encode(ref, 'base58', 'ref'));
INSERT INTO orders SELECT i, id FROM (SELECT row_number() OVER () AS i, id FROM some_uuids) s;
ANALYZE orders;
SELECT bool_and(idgen_decode(code, 'base62', 'ord') = id AND ulid_decode(ulid) = ref) AS found FROM orders;
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM orders WHERE idgen_encode(ref, 'base58', 'ref') = 'ref_1BzmjTFLHWXwiSK4y3H5iW';
EXPLAIN (COSTS off) SELECT ref FROM orders WHERE id = idgen_decode('ord_0000000000A', 'base62', 'ord');
RESET enable_seqscan;
DROP TABLE orders;

-- A form and a prefix that change from row to row.
SELECT idgen_decode(text, form, prefix)
FROM (VALUES ('a_0000000000A', 'base62', 'a'), ('b_0A', 'hex', 'b'), ('10', 'decimal', ''), ('a_b_1A', 'hex', 'a_b')) v(text, form, prefix);

-- Bad input. Which error, and then what it says.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; result text;
BEGIN
  EXECUTE statement INTO result;
  RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' / ', sqlstate, message, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT text, error_of(format('SELECT idgen_decode_uuid(%L, %L)', text, form))
FROM (VALUES ('', 'base62'), ('15Pbss5oLZo', 'base62'), ('7n42DGM5Tflk9n8mt7Fhc7', 'base62'), ('7n42DGM5Tflk9n8mt7Fhc8', 'base62'),
             ('zzzzzzzzzzzzzzzzzzzzzz', 'base62'), ('00000000000000000000000', 'base62'), ('7n42DGM5Tflk9n8mt7Fh-7', 'base62'),
             ('80000000000000000000000000', 'base32'), ('7ZZZZZZZZZZZZZZZZZZZZZZZZU', 'base32'),
             ('YcVfxkQb6JRzqk5kF2tNLw', 'base58'), ('1111111111111111111110', 'base58'),
             ('01890a5d-ac96-774b-bcce-b302099a8057', 'hex'), ('100000000000000000000000000000000', 'hex'),
             ('340282366920938463463374607431768211456', 'decimal'), ('-1', 'decimal'), (' 1', 'decimal'),
             ('ord_02tcRIyrxLXTR81B3dqdOx', 'base62'), ('1', 'base63'), ('1', '')) v(text, form);
SELECT text, error_of(format('SELECT ulid_decode(%L)', text))
FROM unnest('{"",01ARYZ6S41TSV4RRFFQ69G5FA,01ARYZ6S41TSV4RRFFQ69G5FAV0,8ZZZZZZZZZZZZZZZZZZZZZZZZZ,80000000000000000000000000,
              01ARYZ6S41TSV4RRFFQ69G5FAU,01ARYZ6S-41TSV4RRFFQ69G5FA}'::text[]) text;
SELECT text, quote_literal(prefix), error_of(format('SELECT idgen_decode(%L, %L, %L)', text, 'base62', prefix))
FROM (VALUES ('ord_15Pbss5oLZo', 'ord'), ('cus_15Pbss5oLZo', 'ord'), ('15Pbss5oLZo', 'ord'), ('_15Pbss5oLZo', 'ord'),
             ('ord15Pbss5oLZo', 'ord'), ('ord__15Pbss5oLZo', 'ord'), ('ORD_15Pbss5oLZo', 'ord'), ('ord', 'ord'), ('ord_', 'ord'), ('', 'ord'),
             ('ord_15Pbss5oLZ', 'ord'), ('ord_15Pbss5oLZ-', 'ord'), ('ord_zzzzzzzzzzz', 'ord'), ('xord_15Pbss5oLZo', 'ord'),
             ('order_15Pbss5oLZo', 'ord'), ('ord_x_15Pbss5oLZo', 'ord'), ('ord_15Pbss5oLZo', 'ord_x'),
             ('ord_15Pbss5oLZo', ''), ('_15Pbss5oLZo', ''), ('15Pbss5oLZo', ''),
             ('ord_15Pbss5oLZo', 'Ord'), ('ord_15Pbss5oLZo', 'ord_'), ('ord_15Pbss5oLZo', '_ord'), ('ord_15Pbss5oLZo', '_'),
             ('ord_15Pbss5oLZo', 'o2'), ('ord_15Pbss5oLZo', repeat('o', 64))) v(text, prefix);
SELECT error_of(s)
FROM unnest(ARRAY[$$SELECT idgen_encode(5, 'hex', 'Ord')$$, $$SELECT idgen_encode(-5, 'hex', 'ord')$$, $$SELECT idgen_encode(5, 'hexx', 'ord')$$,
                  $$SELECT idgen_encode(gen_random_uuid(), 'hex', 'ord_')$$, $$SELECT idgen_encode(gen_random_uuid(), 'octal')$$,
                  $$SELECT idgen_decode_uuid('cus_02tcRIyrxLXTR81B3dqdOx', 'base62', 'ord')$$,
                  $$SELECT idgen_decode_uuid('ord_02tcRIyrxLXTR81B3dqdO!', 'base62', 'ord')$$,
                  $$SELECT idgen_decode('ord_15Pbss5oLZo', 'base62')$$]) s;
\pset tuples_only off
\pset format aligned
-- A character is shown whole, in any encoding.
SELECT error_of(format('SELECT ulid_decode(%L)', chr(233) || 'x')) LIKE format('22P02 / invalid character "%1$s" in "%1$sx" / %%', chr(233)) AS in_text,
       error_of(format('SELECT idgen_encode(1, %L, %L)', 'hex', 'pr' || chr(233))) LIKE format('22023 / invalid character "%1$s" in prefix "pr%1$s" / %%', chr(233)) AS in_prefix,
       error_of(format('SELECT idgen_decode(%L, %L, %L)', 'pr' || chr(233) || '_1', 'hex', 'ord')) LIKE format('22P02 / "pr%1$s_1" has prefix "pr%1$s" / %%', chr(233)) AS other_prefix;
-- Long texts are not read to their end, and an excerpt of them is shown.
SELECT length(error_of(format('SELECT idgen_decode(%L, %L, %L)', repeat('x_', 10000), 'hex', 'ord'))) < 500 AS short,
       idgen_try_decode(repeat('x_', 10000), 'hex', 'ord') IS NULL AND ulid_try_decode(repeat('0', 10000)) IS NULL AS no_id;
-- The same texts, read by those who expect it; but a form or a prefix that cannot be is an error.
SELECT count(idgen_try_decode(text, 'base62')) AS ids, count(idgen_try_decode_uuid(text, 'base62')) AS uuids,
       count(idgen_try_decode(text, 'base62', 'ord')) AS ord_ids, count(idgen_try_decode_uuid(text, 'base62', 'ord')) AS ord_uuids,
       count(ulid_try_decode(text)) AS ulids
FROM unnest('{"",15Pbss5oLZo,zzzzzzzzzzz,ord_15Pbss5oLZo,cus_15Pbss5oLZo,02tcRIyrxLXTR81B3dqdOx,ord_02tcRIyrxLXTR81B3dqdOx,ord_zzzzzzzzzzzzzzzzzzzzzz,
              7ZZZZZZZZZZZZZZZZZZZZZZZZZ,8ZZZZZZZZZZZZZZZZZZZZZZZZZ,7ZZZZZZZZZZZZZZZZZZZZZZZZU,_15Pbss5oLZo,_}'::text[]) text;
SELECT error_of($$SELECT idgen_try_decode('1', 'base63')$$), error_of($$SELECT idgen_try_decode('1', 'hex', 'A')$$);
SELECT idgen_encode(NULL::uuid, 'hex') IS NULL AND idgen_encode(1, 'hex', NULL) IS NULL AND idgen_decode('1', 'hex', NULL) IS NULL
   AND idgen_decode_uuid(NULL, 'hex') IS NULL AND ulid_encode(NULL) IS NULL AND ulid_decode(NULL) IS NULL AS all_null;
DROP VIEW some_uuids;
DROP FUNCTION error_of(text);
