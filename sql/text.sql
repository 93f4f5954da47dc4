-- IDs as text, and back.
SELECT id, idgen_encode(id, 'base62') AS base62, idgen_encode(id, 'base32') AS base32, idgen_encode(id, 'base58') AS base58,
       idgen_encode(id, 'hex') AS hex, idgen_encode(id, 'decimal') AS decimal
FROM (VALUES (0), (1), (61), (62), (912576717749485568), (9223372036854775807)) v(id);
-- Back, for any ID; of one width; in the order of the numbers.
SELECT form, count(*) > 4000 AS many, count(*) FILTER (WHERE idgen_decode(text, form) <> id) AS differ,
       count(DISTINCT length(text)) AS widths, count(*) FILTER (WHERE text COLLATE "C" <= before) AS out_of_order
FROM (SELECT form, id, idgen_encode(id, form) AS text,
             lag(idgen_encode(id, form)) OVER (PARTITION BY form ORDER BY id) AS before
      FROM (VALUES ('base62'), ('base32'), ('base58'), ('hex'), ('decimal')) f(form),
           (SELECT DISTINCT (random() * 9223372036854774784)::bigint >> (i % 63) AS id FROM generate_series(1, 5000) i
            UNION SELECT (1::bigint << i) FROM generate_series(0, 62) i
            UNION SELECT 9223372036854775807) ids) texts
GROUP BY form ORDER BY form;
-- TSID's own text form.
SELECT idgen_encode(idgen_compose('tsid', '2026-01-01Z', machine_id => 1023, sequence => 4095), 'base32');
-- What may be written otherwise: Crockford's letters in either case, and those that look like
-- digits; hex in either case; numbers without leading zeros.
SELECT idgen_decode('7ZZZZZZZZZZZZ', 'base32') AS upper, idgen_decode('7zzzzzzzzzzzz', 'base32') AS lower,
       idgen_decode('OoOoOoOoOoIiL', 'base32') AS alike, idgen_decode('0000000000111', 'base32') AS digits;
SELECT idgen_decode('ff', 'hex'), idgen_decode('FF', 'hex'), idgen_decode('255', 'decimal'), idgen_decode('0000000000000000255', 'decimal');
-- An index by text.
CREATE TABLE links (id bigint PRIMARY KEY DEFAULT idgen_nextval('js53'), code text GENERATED ALWAYS AS (idgen_encode(id, 'base58')) STORED);
INSERT INTO links SELECT FROM generate_series(1, 100);
SELECT count(*) AS links, bool_and(idgen_decode(code, 'base58') = id) AS found FROM links;
DROP TABLE links;

-- Bad input.
SELECT idgen_decode('', 'base62');
SELECT idgen_decode('12345', 'base62');
SELECT idgen_decode('123456789012', 'base62');
SELECT idgen_decode('1234567890-', 'base62');
SELECT idgen_decode('zzzzzzzzzzz', 'base62');
SELECT idgen_decode('AzL8n0Y58m7', 'base62') AS largest;
SELECT idgen_decode('AzL8n0Y58m8', 'base62') AS one_more;
SELECT idgen_decode('8000000000000', 'base32');
SELECT idgen_decode('U000000000000', 'base32');
SELECT idgen_decode('1111111111O', 'base58');
SELECT idgen_decode('zzzzzzzzzzz', 'base58');
SELECT idgen_decode('8000000000000000', 'hex');
SELECT idgen_decode('00000000000000000', 'hex');
SELECT idgen_decode('0x10', 'hex');
SELECT idgen_decode('9223372036854775808', 'decimal');
SELECT idgen_decode('-1', 'decimal');
SELECT idgen_decode(' 1', 'decimal');
SELECT idgen_decode(repeat('1', 1000), 'decimal') \g /dev/null
SELECT idgen_encode(-1, 'base62');
SELECT idgen_encode(1, 'base63');
SELECT idgen_encode(1, 'roman numerals');
SELECT idgen_encode(1, '');
SELECT idgen_encode(NULL::bigint, 'hex') IS NULL AND idgen_encode(1, NULL) IS NULL AND idgen_decode(NULL, 'hex') IS NULL AS all_null;

-- The text as a column of its own: generated from the key, or the key itself.
CREATE TABLE text_generated (
  id bigint PRIMARY KEY DEFAULT snowflake_id(),
  code text COLLATE "C" UNIQUE GENERATED ALWAYS AS (idgen_encode(id, 'base62', 'ord')) STORED);
INSERT INTO text_generated SELECT FROM generate_series(1, 100);
SELECT count(DISTINCT code), bool_and(idgen_decode(code, 'base62', 'ord') = id) AS reads_back,
       array_agg(id ORDER BY id) = array_agg(id ORDER BY code) AS same_order FROM text_generated;
SELECT count(*) FROM text_generated WHERE code = idgen_encode(id, 'base62', 'ord') AND id = idgen_try_decode(code, 'base62', 'ord');
SELECT count(*) FROM text_generated WHERE id = idgen_try_decode('garbage', 'base62', 'ord');
UPDATE text_generated SET code = 'mine';
DROP TABLE text_generated;
CREATE TABLE text_key (id text COLLATE "C" PRIMARY KEY DEFAULT idgen_encode(snowflake_id(), 'base62', 'ord'));
INSERT INTO text_key SELECT FROM generate_series(1, 100);
SELECT count(*), min(length(id)), max(length(id)), bool_and(idgen_decode(id, 'base62', 'ord') > 0) AS reads_back FROM text_key;
DROP TABLE text_key;

-- Texts of strangers: NULL, and never an error, whatever they are.
SELECT count(idgen_try_decode(t, form)) AS bigints, count(idgen_try_decode(t, form, 'ord')) AS with_prefix, count(idgen_try_decode_uuid(t, form)) AS uuids
FROM unnest(ARRAY['', ' ', 'ord_', '_', 'ord', 'ord_15Pbss5oLZ', 'ord_15Pbss5oLZo ', 'cus_15Pbss5oLZo', E'ord_\n', '../../etc/passwd', '%00', '-1', '1e3', 'NaN',
  'zzzzzzzzzzz', '99999999999999999999', 'Ñandú', repeat('x', 100000), chr(55296 - 1), chr(1114111)]) t, unnest('{base62,base32,base58,hex,decimal}'::text[]) form;
