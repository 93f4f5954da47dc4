-- TypeIDs, by the tables of their specification (version 0.3.0): spec/valid.yml and spec/invalid.yml.
CREATE TABLE valid (name text, typeid text, prefix text, uuid uuid);
INSERT INTO valid VALUES
  ('nil', '00000000000000000000000000', '', '00000000-0000-0000-0000-000000000000'),
  ('one', '00000000000000000000000001', '', '00000000-0000-0000-0000-000000000001'),
  ('ten', '0000000000000000000000000a', '', '00000000-0000-0000-0000-00000000000a'),
  ('sixteen', '0000000000000000000000000g', '', '00000000-0000-0000-0000-000000000010'),
  ('thirty-two', '00000000000000000000000010', '', '00000000-0000-0000-0000-000000000020'),
  ('max-valid', '7zzzzzzzzzzzzzzzzzzzzzzzzz', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  ('valid-alphabet', 'prefix_0123456789abcdefghjkmnpqrs', 'prefix', '0110c853-1d09-52d8-d73e-1194e95b5f19'),
  ('valid-uuidv7', 'prefix_01h455vb4pex5vsknk084sn02q', 'prefix', '01890a5d-ac96-774b-bcce-b302099a8057'),
  ('prefix-underscore', 'pre_fix_00000000000000000000000000', 'pre_fix', '00000000-0000-0000-0000-000000000000');
SELECT name, typeid_decode(typeid) = uuid AS decoded, typeid_decode(typeid, prefix) = uuid AS with_prefix, typeid_prefix(typeid) = prefix AS prefix,
       typeid_try_decode(typeid) = uuid AND typeid_try_decode(typeid, prefix) = uuid AS tried, typeid_encode(prefix, uuid) = typeid AS encoded
FROM valid;
CREATE TABLE invalid (name text, typeid text);
INSERT INTO invalid VALUES
  ('prefix-uppercase', 'PREFIX_00000000000000000000000000'),
  ('prefix-numeric', '12345_00000000000000000000000000'),
  ('prefix-period', 'pre.fix_00000000000000000000000000'),
  ('prefix-non-ascii', 'pr' || chr(233) || 'fix_00000000000000000000000000'),
  ('prefix-spaces', '  prefix_00000000000000000000000000'),
  ('prefix-64-chars', 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl_00000000000000000000000000'),
  ('separator-empty-prefix', '_00000000000000000000000000'),
  ('separator-empty', '_'),
  ('suffix-short', 'prefix_1234567890123456789012345'),
  ('suffix-long', 'prefix_123456789012345678901234567'),
  ('suffix-spaces', 'prefix_1234567890123456789012345 '),
  ('suffix-uppercase', 'prefix_0123456789ABCDEFGHJKMNPQRS'),
  ('suffix-hyphens', 'prefix_123456789-123456789-123456'),
  ('suffix-wrong-alphabet', 'prefix_ooooooiiiiiiuuuuuuulllllll'),
  ('suffix-ambiguous-crockford', 'prefix_i23456789ol23456789oi23456'),
  ('suffix-hyphens-crockford', 'prefix_123456789-0123456789-0123456'),
  ('suffix-overflow', 'prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz'),
  ('prefix-underscore-start', '_prefix_00000000000000000000000000'),
  ('prefix-underscore-end', 'prefix__00000000000000000000000000'),
  -- And these.
  ('empty', ''),
  ('prefix alone', 'prefix_'),
  ('without separator', 'prefix01h455vb4pex5vsknk084sn02q'),
  ('first overflow', '80000000000000000000000000'),
  ('long', repeat('prefix_', 1000));
SELECT name FROM invalid WHERE typeid_try_decode(typeid) IS NOT NULL OR typeid_try_decode(typeid, 'prefix') IS NOT NULL;
-- What each error says.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; result text;
BEGIN
  EXECUTE statement INTO result;
  RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  RETURN concat_ws(' / ', sqlstate, message, nullif(detail, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT name, replace(error_of(format('SELECT typeid_decode(%L)', typeid)), chr(233), '?') FROM invalid;
-- The other functions report the same.
SELECT name FROM invalid
WHERE error_of(format('SELECT typeid_prefix(%L)', typeid)) <> error_of(format('SELECT typeid_decode(%L)', typeid))
   OR error_of(format('SELECT typeid_decode(%L, %L)', typeid, 'user')) <> error_of(format('SELECT typeid_decode(%L)', typeid));
-- Another prefix, none, and prefixes that cannot be.
SELECT error_of(s)
FROM unnest(ARRAY[$$SELECT typeid_decode('prefix_01h455vb4pex5vsknk084sn02q', 'user')$$, $$SELECT typeid_decode('prefix_01h455vb4pex5vsknk084sn02q', '')$$,
                  $$SELECT typeid_decode('01h455vb4pex5vsknk084sn02q', 'user')$$, $$SELECT typeid_decode('pre_fix_01h455vb4pex5vsknk084sn02q', 'pre')$$,
                  $$SELECT typeid_decode('user_01h455vb4pex5vsknk084sn02q', 'User')$$, $$SELECT typeid_try_decode('user_01h455vb4pex5vsknk084sn02q', 'user_')$$,
                  $$SELECT typeid_encode('1', gen_random_uuid())$$, $$SELECT typeid_encode('_', gen_random_uuid())$$,
                  $$SELECT typeid_encode(repeat('x', 64), gen_random_uuid())$$, $$SELECT typeid_encode(repeat('x', 10000), gen_random_uuid())$$]) s;
\pset tuples_only off
\pset format aligned
SELECT typeid_try_decode('prefix_01h455vb4pex5vsknk084sn02q', 'user') IS NULL AS another_prefix,
       typeid_decode(NULL) IS NULL AND typeid_encode(NULL, gen_random_uuid()) IS NULL AND typeid_prefix(NULL) IS NULL
         AND typeid_try_decode('x', NULL) IS NULL AS all_null;
-- Any uuid, and the column that an application shows.
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), typeid text GENERATED ALWAYS AS (typeid_encode('user', id)) STORED UNIQUE);
INSERT INTO users SELECT FROM generate_series(1, 1000);
SELECT count(*) AS users, bool_and(typeid_decode(typeid, 'user') = id AND length(typeid) = 31 AND typeid_prefix(typeid) = 'user') AS found FROM users;
SELECT count(*) AS out_of_order FROM (SELECT typeid COLLATE "C" < lag(typeid) OVER (ORDER BY id) AS wrong FROM users) o WHERE wrong;
DROP TABLE users, valid, invalid;
DROP FUNCTION error_of(text);
