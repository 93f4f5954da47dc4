
-- Exhaustion: which sequences, integer keys and layouts run out, and when --------------------------------

-- Samples of the last values. They belong to this server: relations are OIDs, so a dump leaves them out.
CREATE TABLE idgen_exhaustion_history (
  relation oid NOT NULL,
  attnum   smallint NOT NULL,  -- 0: relation is a sequence
  taken_at timestamptz NOT NULL,
  value    bigint NOT NULL,
  PRIMARY KEY (relation, attnum, taken_at));
COMMENT ON TABLE idgen_exhaustion_history IS
  'idgen_tools: what idgen_exhaustion_sample() has seen; GRANT SELECT, INSERT, DELETE to let a role take samples';

-- The samples that the caller may see: of what he may read, or all for members of pg_read_all_stats.
CREATE VIEW idgen_exhaustion_samples WITH (security_barrier) AS
  SELECT c.oid::pg_catalog.regclass AS relation, h.attnum, h.taken_at, h.value
  FROM @extschema@.idgen_exhaustion_history h JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) h.relation
  WHERE (c.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char") OPERATOR(pg_catalog.=) (h.attnum OPERATOR(pg_catalog.=) 0::pg_catalog.int2)
    AND CASE WHEN pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN true
             WHEN c.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char" THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE')
             ELSE pg_catalog.has_column_privilege(c.oid, h.attnum, 'SELECT') END;
COMMENT ON VIEW idgen_exhaustion_samples IS
  'idgen_tools: what idgen_exhaustion_sample() has seen of sequences (attnum 0) and of columns';
GRANT SELECT ON idgen_exhaustion_samples TO PUBLIC;

CREATE FUNCTION idgen_tools_layouts_in_use() RETURNS SETOF idgen_layout
  LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
  SELECT DISTINCT ON (u.layout::pg_catalog.text) u.layout
  FROM (SELECT layout FROM @extschema@.idgen_stat WHERE kind OPERATOR(pg_catalog.=) 'id'
        UNION ALL
        SELECT layout FROM @extschema@.idgen_generators WHERE owner IS NOT NULL AND layout IS NOT NULL) u;
END;
COMMENT ON FUNCTION idgen_tools_layouts_in_use() IS
  'idgen_tools: the layouts of which this server has made IDs, and those of users'' generators';

-- Every sequence of this database that counts by itself, with the direction of its values. Not idgen's own, nor those
-- whose numbers come from a ticket server (ticket_attach()) or a generator (by their comment, with idgen_compat). last_value
-- is NULL where the sequence was not used yet, or may not be read.
CREATE FUNCTION idgen_tools_sequences() RETURNS TABLE (
    sequence oid, up boolean, low bigint, high bigint, cycles boolean, readable boolean, last_value bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
  SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT q.seqrelid, q.seqincrement > 0, q.seqmin, q.seqmax, q.seqcycle,
         r.readable, CASE WHEN r.readable THEN pg_sequence_last_value(q.seqrelid) END
  FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid,
       -- An unlogged sequence has nothing on a standby.
       LATERAL (SELECT has_sequence_privilege(c.oid, 'SELECT, USAGE')
                       AND (c.relpersistence <> 'u' OR NOT pg_is_in_recovery())) r(readable)
  WHERE NOT pg_is_other_temp_schema(c.relnamespace) AND q.seqmin < 9223372036854775806
    AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid AND d.deptype = 'e'
                      AND d.refclassid = 'pg_extension'::regclass AND e.extname IN ('idgen', 'idgen_compat'))
    AND (obj_description(q.seqrelid, 'pg_class') ~* '^\s*idgen[ \t]*:(?![ \t]*tickets\M)') IS NOT TRUE;
END $$;
COMMENT ON FUNCTION idgen_tools_sequences() IS 'idgen_tools: the sequences of this database, and how far they are';

-- Every key column of type smallint, integer or bigint, with the sequence whose values reach it, by its default, as its
-- owner, or through foreign keys. width is the type's size in bytes; refers_to is set where the column is narrower than
-- what it refers to. Columns of partitions are left out where the partitioned table's have the same sequence.
CREATE FUNCTION idgen_tools_keys_of_tables() RETURNS TABLE (
    relation oid, attnum smallint, column_name name, width smallint, sequence oid, is_fed boolean, is_unique boolean,
    refers_to text, makes_ids boolean)
  LANGUAGE plpgsql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH RECURSIVE here AS MATERIALIZED (
    SELECT a.attrelid AS relation, a.attnum, a.attname, t.typlen AS width, c.relispartition
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
      JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
      -- A domain has the output function of the type below it.
      AND t.typoutput IN ('int2out'::regproc, 'int4out'::regproc, 'int8out'::regproc)
      AND (n.oid = pg_my_temp_schema() OR n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
  ), fed AS MATERIALIZED (
    SELECT d.refobjid AS relation, d.refobjsubid::smallint AS attnum, d.objid AS sequence
    FROM pg_depend d JOIN pg_sequence q ON q.seqrelid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      AND d.refobjsubid > 0
    UNION
    SELECT f.adrelid, f.adnum, d.refobjid
    FROM pg_depend d JOIN pg_sequence q ON q.seqrelid = d.refobjid JOIN pg_attrdef f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
  ), refers AS MATERIALIZED (
    SELECT k.conrelid AS relation, child.attnum, k.confrelid AS parent, child.parent_attnum
    FROM pg_constraint k, unnest(k.conkey, k.confkey) child(attnum, parent_attnum)
    WHERE k.contype = 'f' AND k.conparentid = 0
  ), reached AS (
    SELECT relation, attnum, sequence FROM fed
    UNION
    SELECT r.relation, r.attnum, s.sequence FROM reached s JOIN refers r ON (r.parent, r.parent_attnum) = (s.relation, s.attnum)
  ), keys AS MATERIALIZED (
    SELECT DISTINCT i.indrelid AS relation, i.indkey[0] AS attnum FROM pg_index i WHERE i.indisunique
  ), narrow AS MATERIALIZED (
    SELECT r.relation, r.attnum, string_agg(format('%s(%I)', r.parent::regclass, p.attname), ', ' ORDER BY r.parent, p.attnum) AS refers_to
    FROM refers r JOIN here h ON (h.relation, h.attnum) = (r.relation, r.attnum)
      JOIN here p ON (p.relation, p.attnum) = (r.parent, r.parent_attnum)
    WHERE h.width < p.width
    GROUP BY r.relation, r.attnum
  ), makers AS MATERIALIZED (
    -- Defaults that call idgen for an ID with a layout.
    SELECT DISTINCT f.adrelid AS relation, f.adnum AS attnum
    FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid JOIN pg_proc p ON p.oid = d.refobjid
      JOIN pg_depend m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid AND m.deptype = 'e'
        AND m.refclassid = 'pg_extension'::regclass
      JOIN pg_extension e ON e.oid = m.refobjid AND e.extname = 'idgen'
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_proc'::regclass
      AND p.prorettype = 'int8'::regtype AND p.proname !~ '^(ticket|lamport)_'
  )
  SELECT h.relation, h.attnum, h.attname, h.width, s.sequence, f.sequence IS NOT NULL, k.relation IS NOT NULL, n.refers_to,
         m.relation IS NOT NULL
  FROM here h
    LEFT JOIN reached s ON (s.relation, s.attnum) = (h.relation, h.attnum)
    LEFT JOIN fed f ON (f.relation, f.attnum, f.sequence) = (s.relation, s.attnum, s.sequence)
    LEFT JOIN keys k ON (k.relation, k.attnum) = (h.relation, h.attnum)
    LEFT JOIN narrow n ON (n.relation, n.attnum) = (h.relation, h.attnum)
    LEFT JOIN makers m ON (m.relation, m.attnum) = (h.relation, h.attnum)
  WHERE (f.sequence IS NOT NULL OR n.relation IS NOT NULL OR k.relation IS NOT NULL OR m.relation IS NOT NULL)
    AND NOT (h.relispartition AND (f.sequence IS NULL OR EXISTS (
      SELECT FROM pg_partition_ancestors(h.relation) a(ancestor) JOIN pg_attribute p ON p.attrelid = a.ancestor
        JOIN fed o ON o.relation = a.ancestor AND o.attnum = p.attnum
      WHERE a.ancestor <> h.relation AND p.attname = h.attname AND o.sequence = f.sequence)));
END $$;
COMMENT ON FUNCTION idgen_tools_keys_of_tables() IS
  'idgen_tools: the integer key columns of this database and the sequences whose values reach them';

CREATE FUNCTION idgen_tools_exhaustion() RETURNS TABLE (
    kind text, relation regclass, column_name name, type text, sequence regclass, refers_to text,
    last_value bigint, limit_value bigint, limited_by text, percent_used numeric,
    per_day numeric, recent_per_day numeric, days_left numeric, exhausts_at timestamptz, cycles boolean, problem text)
  LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
  SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH sequences AS MATERIALIZED (
    SELECT * FROM @extschema@.idgen_tools_sequences()
  ), keys AS MATERIALIZED (
    SELECT * FROM @extschema@.idgen_tools_keys_of_tables()
  ), samples AS (
    SELECT s.relation::oid AS relation, s.attnum, s.taken_at, s.value,
           (s.value - lag(s.value) OVER w) * CASE WHEN q.up OR q.up IS NULL THEN 1 ELSE -1 END::numeric < 0 AS went_back
    FROM @extschema@.idgen_exhaustion_samples s LEFT JOIN sequences q ON q.sequence = s.relation
    WINDOW w AS (PARTITION BY s.relation, s.attnum ORDER BY s.taken_at)
  ), runs AS (
    -- From the last time on that the values began anew: setval(), TRUNCATE ... RESTART IDENTITY, CYCLE.
    SELECT *, row_number() OVER (PARTITION BY relation, attnum ORDER BY taken_at DESC) AS n
    FROM (SELECT *, count(*) FILTER (WHERE went_back)
                      OVER (PARTITION BY relation, attnum ORDER BY taken_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS later
          FROM samples) s
    WHERE later = 0
  ), rates AS MATERIALIZED (
    SELECT relation, attnum, max(value) FILTER (WHERE n = 1) AS newest,
           abs(max(value)::numeric - min(value)) / nullif(extract(epoch FROM max(taken_at) - min(taken_at)), 0) * 86400 AS per_day,
           abs(max(value) FILTER (WHERE n <= 2)::numeric - min(value) FILTER (WHERE n <= 2))
             / nullif(extract(epoch FROM max(taken_at) FILTER (WHERE n <= 2) - min(taken_at) FILTER (WHERE n <= 2)), 0) * 86400 AS recent
    FROM runs GROUP BY relation, attnum
  ), counted AS (
    SELECT CASE WHEN k.relation IS NULL THEN 'sequence' ELSE 'column' END AS kind,
           k.relation, k.column_name, k.width, coalesce(k.sequence, q.sequence) AS sequence, k.refers_to, k.is_unique, k.makes_ids,
           k.is_fed, coalesce(q.up, true) AS up, q.low, q.high, coalesce(q.cycles, false) AND k.is_fed IS DISTINCT FROM false AS cycles,
           coalesce(q.last_value, sampled.newest) AS from_sequence, q.readable, probed.newest AS probed,
           coalesce(sampled.per_day, probed.per_day) AS per_day, coalesce(sampled.recent, probed.recent) AS recent,
           CASE k.width WHEN 2 THEN 32767 WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END AS largest,
           CASE k.width WHEN 2 THEN -32768 WHEN 4 THEN -2147483648 ELSE -9223372036854775808 END AS smallest
    FROM keys k
      FULL JOIN sequences q ON q.sequence = k.sequence
      LEFT JOIN rates sampled ON sampled.relation = coalesce(k.sequence, q.sequence) AND sampled.attnum = 0
      LEFT JOIN rates probed ON probed.relation = k.relation AND probed.attnum = k.attnum
  ), bounded AS (
    SELECT *,
           CASE WHEN up THEN greatest(from_sequence, probed) ELSE least(from_sequence, probed) END AS value,
           -- What comes through a foreign key is limited by the column alone; a number without a sequence begins at 1.
           CASE WHEN up THEN least(largest, CASE WHEN is_fed IS DISTINCT FROM false THEN high END)
                ELSE greatest(smallest, CASE WHEN is_fed IS DISTINCT FROM false THEN low END) END AS bound,
           CASE WHEN up THEN greatest(smallest, coalesce(low, 1)) ELSE least(largest, high) END AS origin
    FROM counted
  ), lasting AS (
    -- A sequence that was not used yet is just before its origin.
    SELECT *, CASE WHEN at IS NOT NULL THEN greatest((bound - at) * way, 0) END AS remaining, greatest(per_day, recent) AS speed
    FROM (SELECT *, CASE WHEN up THEN 1 ELSE -1 END AS way,
                 coalesce(value::numeric, CASE WHEN readable THEN origin::numeric - CASE WHEN up THEN 1 ELSE -1 END END) AS at
          FROM bounded) b
  )
  SELECT kind, relation::regclass, column_name,
         CASE kind WHEN 'sequence' THEN NULL ELSE CASE width WHEN 2 THEN 'smallint' WHEN 4 THEN 'integer' ELSE 'bigint' END END,
         sequence::regclass, refers_to, value, bound,
         CASE WHEN kind = 'column' AND (low IS NULL OR NOT is_fed OR CASE WHEN up THEN largest < high ELSE smallest > low END)
              THEN 'type' ELSE 'sequence' END,
         CASE WHEN at IS NOT NULL THEN
           trunc(least(greatest(100 * ((at - origin) * way + 1) / ((bound::numeric - origin) * way + 1), 0), 100), 2) END,
         round(per_day, 2), round(recent, 2),
         CASE WHEN remaining = 0 THEN 0 WHEN speed > 0 THEN round(remaining / speed, 2) END,
         CASE WHEN remaining = 0 THEN clock_timestamp()
              WHEN speed > 0 AND remaining / speed < 1e6 THEN clock_timestamp() + make_interval(secs => (remaining / speed * 86400)::float8)
              WHEN speed IS NOT NULL THEN 'infinity' END,
         cycles,
         nullif(concat_ws('; ',
           CASE WHEN remaining = 0 AND low IS NOT NULL AND NOT is_fed THEN 'new values of what it refers to do not fit'
                WHEN remaining = 0 THEN 'it is used up' END,
           CASE WHEN makes_ids AND width < 8 THEN
             'its default makes IDs with a layout, which are too large for its type' END,
           CASE WHEN refers_to IS NOT NULL THEN format('it is narrower than %s, to which it refers', refers_to) END,
           CASE WHEN is_fed AND CASE WHEN up THEN largest < high ELSE smallest > low END THEN
             format('its sequence goes on to %s, beyond its type', CASE WHEN up THEN high ELSE low END) END,
           CASE WHEN is_fed AND CASE WHEN up THEN probed > from_sequence ELSE probed < from_sequence END THEN
             format('it has the value %s, beyond the sequence, which will come to it', probed) END,
           CASE WHEN cycles AND is_unique THEN 'its sequence begins anew at the end, and the column is unique' END), '')
  FROM lasting
  UNION ALL
  SELECT 'layout', NULL, NULL, c.layout, NULL, NULL, NULL, NULL, 'layout',
         least(round(100 * extract(epoch FROM clock_timestamp() - e.epoch) / extract(epoch FROM c.ends - e.epoch), 2), 100),
         NULL, NULL, greatest(round(extract(epoch FROM c.ends - clock_timestamp()) / 86400, 2), 0), c.ends, NULL,
         CASE WHEN c.ends < clock_timestamp() THEN 'its time is over' END
  FROM @extschema@.idgen_tools_layouts_in_use() l(layout), @extschema@.idgen_tools_epoch(l.layout) e(epoch),
       @extschema@.idgen_tools_capacity(l.layout, 1::numeric, 1, 0::numeric, 1::numeric, NULL::int, NULL::int) c
  WHERE isfinite(c.ends);
END $$;
COMMENT ON FUNCTION idgen_tools_exhaustion() IS 'idgen_tools: the rows of the view idgen_exhaustion';

CREATE VIEW idgen_exhaustion AS
  SELECT kind, relation, column_name, type, sequence, refers_to, last_value, limit_value, limited_by, percent_used,
         per_day, recent_per_day, days_left, exhausts_at, cycles, problem
  FROM @extschema@.idgen_tools_exhaustion();
COMMENT ON VIEW idgen_exhaustion IS
  'idgen_tools: every sequence, integer key and layout of this database: how much is used, and how long it lasts';
GRANT SELECT ON idgen_exhaustion TO PUBLIC;

-- Returns the largest value of a column, or the smallest one if the values go down, by one look at an index of each
-- table; NULL if one of them has no index that tells, may not be read, or is locked for more than a second.
CREATE FUNCTION idgen_tools_extreme(relation oid, column_name name, up boolean) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET enable_bitmapscan = off
  SET lock_timeout = '1s'
AS $$
DECLARE
  leaf oid;
  tells boolean;
  of_leaf bigint;
  extreme bigint;
BEGIN
  FOREACH leaf IN ARRAY coalesce((SELECT array_agg(t.relid::oid) FROM pg_partition_tree(relation) t WHERE t.isleaf), ARRAY[relation]) LOOP
    SELECT c.relkind = 'r' AND NOT row_security_active(c.oid) AND has_column_privilege(c.oid, a.attnum, 'SELECT')
           AND EXISTS (
             SELECT FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[0] JOIN pg_am m ON m.oid = o.opcmethod
             WHERE i.indrelid = leaf AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL
               AND m.amname = 'btree' AND o.opcdefault)
    INTO tells
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = column_name AND NOT a.attisdropped
    WHERE c.oid = leaf;
    -- NULL: the table was dropped.
    IF tells IS DISTINCT FROM true THEN
      RETURN NULL;
    END IF;
    BEGIN
      EXECUTE format('SELECT %s(%I) FROM ONLY %s', CASE WHEN up THEN 'max' ELSE 'min' END, column_name, leaf::regclass) INTO of_leaf;
    EXCEPTION WHEN lock_not_available THEN
      RAISE NOTICE USING MESSAGE = format('%s is locked, and its largest value is left out', leaf::regclass);
      RETURN NULL;
    WHEN undefined_table THEN
      RETURN NULL;  -- dropped by the one who had it locked
    END;
    extreme := CASE WHEN up THEN greatest(extreme, of_leaf) ELSE least(extreme, of_leaf) END;
  END LOOP;
  RETURN extreme;
END $$;
COMMENT ON FUNCTION idgen_tools_extreme(oid, name, boolean) IS
  'idgen_tools: the largest or smallest value of a column, by one look at each index';

-- Stores a sample of the sequences. Returns how many values it has.
CREATE FUNCTION idgen_exhaustion_sample(keep interval DEFAULT '90 days') RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sampled_at constant timestamptz := clock_timestamp();
  stored int;
BEGIN
  IF keep IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'keep must not be null';
  END IF;
  IF keep < interval '0' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value', MESSAGE = format('keep must not be negative, and is %s', keep);
  END IF;
  DELETE FROM @extschema@.idgen_exhaustion_history h
  WHERE h.taken_at < sampled_at - keep OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = h.relation);
  INSERT INTO @extschema@.idgen_exhaustion_history (relation, attnum, taken_at, value)
  SELECT s.sequence, 0, sampled_at, s.last_value FROM @extschema@.idgen_tools_sequences() s WHERE s.last_value IS NOT NULL
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS stored = ROW_COUNT;
  RETURN stored;
END $$;
COMMENT ON FUNCTION idgen_exhaustion_sample(interval) IS
  'stores the last value of each sequence, for the rates in idgen_exhaustion';
REVOKE EXECUTE ON FUNCTION idgen_exhaustion_sample(interval) FROM PUBLIC;

-- Stores the largest value of each key column, a transaction for each, so that no more than one table is locked.
CREATE PROCEDURE idgen_exhaustion_probe() LANGUAGE plpgsql AS $$
DECLARE
  key pg_catalog.record;
BEGIN
  SET LOCAL search_path = pg_catalog, pg_temp;
  COMMIT;  -- in a transaction block this fails, before anything is done
  SET LOCAL search_path = pg_catalog, pg_temp;
  FOR key IN
    SELECT k.relation, k.attnum, k.column_name, coalesce(bool_and(s.up), true) AS up
    FROM @extschema@.idgen_tools_keys_of_tables() k LEFT JOIN @extschema@.idgen_tools_sequences() s USING (sequence)
    GROUP BY 1, 2, 3
  LOOP
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL synchronous_commit = off;
    INSERT INTO @extschema@.idgen_exhaustion_history (relation, attnum, taken_at, value)
    SELECT key.relation, key.attnum, clock_timestamp(), v.value
    FROM @extschema@.idgen_tools_extreme(key.relation, key.column_name, key.up) v(value)
    WHERE v.value IS NOT NULL
    ON CONFLICT DO NOTHING;
  END LOOP;
END $$;
COMMENT ON PROCEDURE idgen_exhaustion_probe() IS
  'stores the largest value of each key column that an index tells by one look, for idgen_exhaustion';
REVOKE EXECUTE ON PROCEDURE idgen_exhaustion_probe() FROM PUBLIC;
