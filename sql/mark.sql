-- The type of a mark, as dumps have it: what it reads and refuses. (015_restore.pl restores.)
SELECT 'current'::idgen_mark::text = concat_ws(',', mark_ms, held_until_ms, coalesce(fresh_machine, -1)) AS same
FROM idgen_get_mark();
SELECT mark::idgen_mark FROM unnest(ARRAY['0', '1', '1795000000000', '1,2', '1,2,3', '1,2,-1',
  '9223372036854775,9223372036854775,9223372036854775']) AS mark;
\set VERBOSITY terse
SELECT ''::idgen_mark;
SELECT ','::idgen_mark;
SELECT '1,'::idgen_mark;
SELECT '-1'::idgen_mark;
SELECT '1,-2'::idgen_mark;
SELECT '1,2,-2'::idgen_mark;
SELECT '1,2,3,4'::idgen_mark;
SELECT '1 2'::idgen_mark;
SELECT 'now'::idgen_mark;
SELECT '9223372036854776'::idgen_mark;
SELECT '9223372036854775808'::idgen_mark;
SELECT repeat('9', 10000)::idgen_mark;
INSERT INTO idgen_restore VALUES (NULL);
-- Nothing is ever in the table, and a mark that is lower changes nothing.
SELECT 'current'::idgen_mark::text AS before \gset
INSERT INTO idgen_restore VALUES ('0'), ('1000');
SELECT count(*) FROM idgen_restore;
SELECT split_part('current'::idgen_mark::text, ',', 1)::bigint >= split_part(:'before', ',', 1)::bigint AS not_lower;
