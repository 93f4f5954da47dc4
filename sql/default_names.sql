-- Every function that makes one ID has a second name, for defaults of columns, without "nextval" in it.

-- The two are the same function in all but name and comment.
SELECT n.oid::regprocedure AS by_nextval, a.oid::regprocedure AS for_defaults
FROM pg_proc n
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = n.oid AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'idgen')
LEFT JOIN pg_proc a ON a.proname = regexp_replace(n.proname, '_nextval(_for)?$', '_id\1') AND a.pronamespace = n.pronamespace
  AND to_jsonb(a) - '{oid,proname}'::text[] = to_jsonb(n) - '{oid,proname}'::text[]
WHERE n.proname ~ '_nextval(_for)?$'
ORDER BY n.oid::regprocedure::text COLLATE "C";

-- What tools look for is in none of these defaults.
SELECT idgen_create_generator('default_names', 'snowflake', machine_id => 5);
SELECT idgen_create_generator('default_small', 'timestamp:25, sequence:6, tick:1min, epoch:2024-01-01Z');
CREATE SEQUENCE default_tickets;
CREATE TABLE default_names (
  a bigint DEFAULT snowflake_id(),
  b bigint DEFAULT idgen_id('default_names'),
  c bigint DEFAULT idgen_id('instagram', 7),
  d bigint DEFAULT instagram_id(8),
  e bigint DEFAULT instagram_id_for('ada', 100),
  f uuid DEFAULT uuidv7_id(),
  g uuid DEFAULT uuidv7_id('-1 day'),
  h uuid DEFAULT uuidv8_id(),
  i uuid DEFAULT uuidv6_id(),
  j uuid DEFAULT uuidv1_id(),
  k uuid DEFAULT uuidv4_id(),
  l uuid DEFAULT ulid_id(),
  m uuid DEFAULT id128_id(),
  n bigint DEFAULT ticket_id('default_tickets'),
  o bigint DEFAULT instagram_id());
SELECT count(*) AS defaults, count(*) FILTER (WHERE pg_get_expr(adbin, adrelid) ~* 'nextval') AS like_sequences
FROM pg_attrdef WHERE adrelid = 'default_names'::regclass;

-- They share positions and last IDs with the others.
SET idgen.shard_id = 9;
INSERT INTO default_names SELECT FROM generate_series(1, 1000);
SELECT count(DISTINCT a) AS a, count(DISTINCT b) AS b, count(DISTINCT f) AS f, count(DISTINCT n) AS n,
       min(snowflake_machine(b)) AS machine, min(instagram_shard(c)) AS c, min(instagram_shard(d)) AS d,
       bool_and(instagram_shard(e) = idgen_shard('ada', 100)) AS e, max(instagram_shard(o)) AS o,
       max(a) = snowflake_currval() AS a_last, max(b) = idgen_currval('default_names') AS b_last, max(n) = ticket_currval('default_tickets') AS n_last
FROM default_names;
SELECT snowflake_nextval() < snowflake_id() AS one, snowflake_id() < snowflake_nextval() AS two,
       uuidv7_nextval() < uuidv7_id() AS three, ticket_id('default_tickets') < ticket_nextval('default_tickets') AS four;
RESET idgen.shard_id;
TRUNCATE default_names;

-- Errors are those of the functions.
SELECT idgen_id('no such');
SELECT instagram_id();
SELECT instagram_id(8192);
SELECT ticket_id('pg_class');
SELECT idgen_id(NULL) IS NULL AS null_in_null_out;

-- What looks at defaults knows both names.
CREATE VIEW default_columns AS
  SELECT split_part(place, '.', 3) AS "column", generator, is_uuid, is_direct FROM idgen_get_defaults() WHERE relation = 'default_names'::regclass;
SELECT * FROM default_columns ORDER BY 1;
SELECT idgen_drop_generator('default_names');
CREATE TABLE default_types (
  wrong1 int DEFAULT snowflake_id(),
  wrong2 smallint DEFAULT instagram_id(3),
  wrong3 varchar(10) DEFAULT instagram_id_for('a', 3),
  wrong4 char(32) DEFAULT uuidv7_id(),
  right1 int DEFAULT idgen_id('default_small'),
  right2 int DEFAULT ticket_id('default_tickets'));
SELECT severity, topic, message FROM idgen_check_config() WHERE message ~ 'default_(names|types)';
DROP TABLE default_types, default_names CASCADE;
SELECT idgen_drop_generator('default_small');
DROP SEQUENCE default_tickets;
