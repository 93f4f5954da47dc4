-- Shards as schemas: one schema holds one logical shard, and moves between servers by
-- pg_dump -n. See docs/sharding.md. Run it once in the database of each server:
--
--   psql -f schemas.sql
--
-- A move of shard 5 is then
--
--   on the old server   SELECT close_shard(5);             -> the shard's last ID
--   from a shell        pg_dump -n shard_0005 | psql       into the new server
--   on the new server   SELECT open_shard(5, last ID);
--   on the old server   SELECT drop_shard(5);

CREATE EXTENSION IF NOT EXISTS idgen;

CREATE FUNCTION shard_schema(shard int) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'shard_' || lpad(shard::text, 4, '0');

-- The default makes IDs of this shard only, and the check lets no other in. Both are part
-- of the table, so that they move with it.
CREATE FUNCTION create_shard(shard int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE SCHEMA %I', shard_schema(shard));
  EXECUTE format('CREATE TABLE %I.orders (
      id       bigint PRIMARY KEY DEFAULT instagram_id(%s) CHECK (instagram_shard(id) = %s),
      customer text NOT NULL,
      item     text)', shard_schema(shard), shard, shard);
END $$;

-- Moving a shard --------------------------------------------------------------------------

CREATE FUNCTION refuse_writes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE read_only_sql_transaction USING
    MESSAGE = format('%s is closed', TG_TABLE_SCHEMA),
    HINT = 'It is being moved to another server.';
END $$;

CREATE FUNCTION shard_tables(shard int) RETURNS SETOF regclass LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace = shard_schema(shard)::regnamespace AND relkind IN ('r', 'p')
      AND NOT relispartition;
  END;

CREATE FUNCTION shard_is_closed(shard int) RETURNS boolean LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT bool_and(EXISTS (SELECT FROM pg_trigger
                            WHERE tgrelid = relation AND tgname = 'closed'))
    FROM shard_tables(shard) AS relation;
  END;

-- Waits for the transactions that write to the shard, and refuses writes from then on;
-- reading goes on. The trigger is part of the dump: the shard arrives closed.
-- Returns the last ID that this server made for the shard, also if no row has it. May be called
-- again, when its answer was lost or a table was added since.
CREATE FUNCTION close_shard(shard int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  relation regclass;
BEGIN
  FOR relation IN SELECT shard_tables(shard) LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER closed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_writes()', relation);
  END LOOP;
  -- The shard's very first ID, which changes nothing; the result is what counts.
  RETURN idgen_observe('instagram', shard::bigint << 10);
END $$;

-- On the new server. First no later ID may be equal or smaller, then come the writers: if
-- idgen_observe() fails, because this server's clock is behind, the shard stays closed.
CREATE FUNCTION open_shard(shard int, last_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  relation regclass;
  largest bigint;
BEGIN
  IF instagram_shard(last_id) <> shard THEN
    RAISE EXCEPTION 'ID % is of shard %, not %', last_id, instagram_shard(last_id), shard;
  END IF;
  EXECUTE format('SELECT max(id) FROM %I.orders', shard_schema(shard)) INTO largest;
  PERFORM idgen_observe('instagram', greatest(last_id, largest));
  FOR relation IN SELECT shard_tables(shard) LOOP
    EXECUTE format('DROP TRIGGER closed ON %s', relation);
  END LOOP;
END $$;

-- On the old server, when the new one has the shard: from now on there is one.
CREATE FUNCTION drop_shard(shard int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT shard_is_closed(shard) THEN
    RAISE EXCEPTION '% is not closed', shard_schema(shard) USING HINT = 'Use close_shard() first.';
  END IF;
  EXECUTE format('DROP SCHEMA %I CASCADE', shard_schema(shard));
END $$;
