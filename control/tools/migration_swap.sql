
-- Migration of keys: old and new columns change places ------------------------------------------------

-- Locks all tables of a migration, and the views whose definitions change.
CREATE FUNCTION idgen_tools_lock_tables(m idgen_migration, with_views boolean, lock_timeout interval) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.idgen_tools_lock_relations(
    ARRAY(SELECT v.view FROM @extschema@.idgen_tools_views(
            m.relation, @extschema@.idgen_tools_column_number(m.relation::regclass, m.column_name)) v
          WHERE with_views AND (v.level = 1 OR m.old_type <> m.new_type) ORDER BY v.level DESC, v.view),
    ARRAY(SELECT k.member FROM @extschema@.idgen_migration_column k JOIN pg_class c ON c.oid = k.member
          WHERE k.relation = m.relation AND k.column_name = m.column_name
          GROUP BY k.member ORDER BY min(k.number)),
    'ACCESS EXCLUSIVE', lock_timeout);
END $$;
COMMENT ON FUNCTION idgen_tools_lock_tables(idgen_migration, boolean, interval) IS 'idgen: locks all tables of a migration';

-- Makes statements that give one object the privileges and comments that another has.
CREATE FUNCTION idgen_tools_grants(acl aclitem[], owner oid, object text, columns text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT format('GRANT %s%s ON %s TO %s%s', a.privilege_type, columns, object,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM aclexplode(acl) a WHERE a.grantee <> owner;
END $$;
COMMENT ON FUNCTION idgen_tools_grants(aclitem[], oid, text, text) IS 'idgen: statements for the privileges in a list';

-- Statements that let whoever inserts into a table use a sequence: a default needs that, an identity does not.
CREATE FUNCTION idgen_tools_sequence_grants(relation oid, sequence oid) RETURNS SETOF text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT DISTINCT format('GRANT USAGE ON SEQUENCE %s TO %s', sequence::regclass,
                         CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END)
  FROM pg_class c
  CROSS JOIN LATERAL (SELECT c.relacl AS acl UNION ALL
                      SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped) s
  CROSS JOIN LATERAL aclexplode(s.acl) x
  WHERE c.oid = relation AND x.privilege_type = 'INSERT' AND x.grantee <> c.relowner;
END $$;
COMMENT ON FUNCTION idgen_tools_sequence_grants(oid, oid) IS 'idgen: statements for the privileges on a sequence';

-- The statements that make the views again that use the columns: to be run before and after the columns change places. Where the
-- type stays the same, a view is replaced in place, and keeps all that depends on it.
CREATE FUNCTION idgen_tools_view_statements(m idgen_migration, OUT before text, OUT after text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v record;
  same boolean := m.old_type = m.new_type;
BEGIN
  FOR v IN SELECT w.view, w.level, c.relowner, c.relacl, c.reloptions, w.view::regclass::text AS shown,
                  rtrim(pg_get_viewdef(w.view), ';') AS definition
           FROM @extschema@.idgen_tools_views(m.relation, @extschema@.idgen_tools_column_number(m.relation::regclass, m.column_name)) w
           JOIN pg_class c ON c.oid = w.view WHERE w.level = 1 OR NOT same ORDER BY w.level, w.view LOOP
    after := format('CREATE %sVIEW %s%s AS %s', CASE WHEN same THEN 'OR REPLACE ' ELSE '' END, v.shown,
      coalesce(' WITH ' || @extschema@.idgen_tools_options(v.reloptions), ''), v.definition);
    -- A view that groups by the key depends on the primary key. An empty one takes its place meanwhile.
    before := CASE WHEN NOT same THEN format('DROP VIEW %s', v.shown)
                   WHEN EXISTS (SELECT FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                                  AND d.refclassid = 'pg_constraint'::regclass WHERE w.ev_class = v.view)
                   THEN (SELECT format('CREATE OR REPLACE VIEW %s AS SELECT %s', v.shown, string_agg(
                                  format('NULL::%s%s AS %I', format_type(a.atttypid, a.atttypmod),
                                         CASE WHEN a.attcollation <> 0 THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END,
                                         a.attname), ', ' ORDER BY a.attnum))
                         FROM pg_attribute a WHERE a.attrelid = v.view AND a.attnum > 0) END;
    RETURN NEXT;
    before := NULL;
    IF NOT same THEN
      FOR after IN
        SELECT g FROM @extschema@.idgen_tools_grants(v.relacl, v.relowner, v.shown, '') g
        UNION ALL
        SELECT g FROM pg_attribute a, @extschema@.idgen_tools_grants(a.attacl, v.relowner, v.shown, format(' (%I)', a.attname)) g
        WHERE a.attrelid = v.view AND a.attacl IS NOT NULL
        UNION ALL
        SELECT CASE d.objsubid WHEN 0 THEN format('COMMENT ON VIEW %s IS %L', v.shown, d.description)
               ELSE format('COMMENT ON COLUMN %s.%I IS %L', v.shown, a.attname, d.description) END
        FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = v.view AND a.attnum = d.objsubid
        WHERE d.classoid = 'pg_class'::regclass AND d.objoid = v.view LOOP
        RETURN NEXT;
      END LOOP;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION idgen_tools_view_statements(idgen_migration) IS 'idgen: statements that make the views of a migration again';

-- All statements of the exchange, in their order. back: from the state after the cutover to the one before it.
CREATE FUNCTION idgen_tools_swap_statements(m idgen_migration, back boolean, OUT statement text)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  befores text[];
  afters text[];
BEGIN
  SELECT array_agg(v.before ORDER BY v.n DESC) FILTER (WHERE v.before IS NOT NULL), array_agg(v.after ORDER BY v.n)
  INTO befores, afters
  FROM @extschema@.idgen_tools_view_statements(m) WITH ORDINALITY AS v(before, after, n);
  RETURN QUERY SELECT unnest(befores);

  RETURN QUERY
  WITH object AS MATERIALIZED (
    SELECT o.number, o.kind, o.member::regclass::text AS shown, o.replica_identity, o.clustered, o.definition,
           quote_ident(o.name) AS live,
           quote_ident(CASE WHEN back THEN o.old_name ELSE o.new_name END) AS incoming,
           quote_ident(CASE WHEN back THEN o.new_name ELSE o.old_name END) AS outgoing,
           quote_ident(@extschema@.idgen_tools_name(o.name::text, '_idgen_back', o.number::bigint)) AS back_name,
           quote_ident(n.nspname) AS schema, obj_description(i.oid, 'pg_class') AS index_comment,
           obj_description(c.oid, 'pg_constraint') AS constraint_comment
    FROM @extschema@.idgen_migration_object o
    JOIN pg_class t ON t.oid = o.member JOIN pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_class i ON i.relnamespace = t.relnamespace AND i.relname = o.name AND o.kind <> 'foreign key'
    LEFT JOIN pg_constraint c ON c.conrelid = o.member AND c.conname = o.name
    WHERE o.relation = m.relation AND o.column_name = m.column_name),
  pair AS MATERIALIZED (
    SELECT k.number, k.member, k.member::regclass::text AS shown, quote_ident(k.name) AS live,
           quote_ident(CASE WHEN back THEN k.old_name ELSE k.new_name END) AS incoming,
           quote_ident(CASE WHEN back THEN k.new_name ELSE k.old_name END) AS outgoing,
           CASE WHEN back THEN k.new_number ELSE k.old_number END AS live_number,
           CASE WHEN back THEN k.old_number ELSE k.new_number END AS incoming_number, k.not_null, k.check_name
    FROM @extschema@.idgen_migration_column k WHERE k.relation = m.relation AND k.column_name = m.column_name)
  SELECT s.text FROM (
    SELECT 1 AS part, number AS n, format('ALTER TABLE %s DROP CONSTRAINT %s', shown, live) AS text
    FROM object WHERE kind = 'foreign key'
    UNION ALL
    SELECT 2, number, format('ALTER TABLE %s DROP CONSTRAINT %s', shown, live) FROM object WHERE kind = 'primary key'
    UNION ALL
    SELECT 3, number, format('ALTER TABLE %s RENAME COLUMN %s TO %s', shown, live, outgoing) FROM pair
    UNION ALL
    SELECT 4, number, format('ALTER TABLE %s RENAME COLUMN %s TO %s', shown, incoming, live) FROM pair
    UNION ALL
    SELECT 5, number, CASE kind
      WHEN 'unique' THEN format('ALTER TABLE %s RENAME CONSTRAINT %s TO %s', shown, live, outgoing)
      ELSE format('ALTER INDEX %s.%s RENAME TO %s', schema, live, outgoing) END
    FROM object WHERE kind IN ('unique', 'index')
    UNION ALL
    SELECT 6, number, CASE
      WHEN kind = 'primary key' THEN format('ALTER TABLE %s ADD CONSTRAINT %s PRIMARY KEY USING INDEX %s', shown, live,
                                            CASE WHEN back THEN back_name ELSE incoming END)
      WHEN kind = 'unique' AND NOT back THEN format('ALTER TABLE %s ADD CONSTRAINT %s UNIQUE USING INDEX %s', shown, live, incoming)
      WHEN kind = 'unique' THEN format('ALTER TABLE %s RENAME CONSTRAINT %s TO %s', shown, incoming, live)
      ELSE format('ALTER INDEX %s.%s RENAME TO %s', schema, incoming, live) END
    FROM object WHERE kind <> 'foreign key'
    UNION ALL
    SELECT 7, number, CASE WHEN back THEN format('ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID', shown, live, definition)
                           ELSE format('ALTER TABLE %s RENAME CONSTRAINT %s TO %s', shown, incoming, live) END
    FROM object WHERE kind = 'foreign key'
    UNION ALL
    SELECT 8, number, format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %s', shown, live) FROM object WHERE replica_identity
    UNION ALL
    SELECT 8, number, format('ALTER TABLE %s CLUSTER ON %s', shown, live) FROM object WHERE clustered
    UNION ALL
    SELECT 8, number, format('COMMENT ON INDEX %s.%s IS %L', schema, live, index_comment) FROM object
    WHERE index_comment IS NOT NULL
    UNION ALL
    SELECT 8, number, format('COMMENT ON CONSTRAINT %s ON %s IS %L', live, shown, constraint_comment) FROM object
    WHERE constraint_comment IS NOT NULL
    UNION ALL
    SELECT 9, number, format('ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s', shown, live, m.new_default) FROM pair
    WHERE number = 1 AND NOT back
    UNION ALL
    SELECT 9, p.number, g
    FROM pair p JOIN pg_class c ON c.oid = p.member JOIN pg_attribute a ON a.attrelid = p.member AND a.attnum = p.live_number,
         @extschema@.idgen_tools_grants(a.attacl, c.relowner, p.shown, format(' (%s)', p.live)) g
    WHERE NOT back
    UNION ALL
    SELECT 9, p.number, format('COMMENT ON COLUMN %s.%s IS %L', p.shown, p.live, col_description(p.member, p.live_number))
    FROM pair p WHERE NOT back
    UNION ALL
    SELECT 9, p.number, format('ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %s', p.shown, p.live, a.attstattarget)
    FROM pair p JOIN pg_attribute a ON a.attrelid = p.member AND a.attnum = p.live_number WHERE NOT back AND a.attstattarget >= 0
    UNION ALL
    SELECT 9, p.number, format('ALTER TABLE %s ALTER COLUMN %s SET %s', p.shown, p.live, @extschema@.idgen_tools_options(a.attoptions))
    FROM pair p JOIN pg_attribute a ON a.attrelid = p.member AND a.attnum = p.live_number WHERE NOT back AND a.attoptions IS NOT NULL
    UNION ALL
    SELECT 9, 0, g FROM @extschema@.idgen_tools_sequence_grants(m.relation, m.new_sequence) g WHERE NOT back
    UNION ALL
    -- From PostgreSQL 18 on NOT NULL has a name.
    SELECT 10, p.number, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', p.shown, a.conname, @extschema@.idgen_tools_name(
             a.conname::text, CASE WHEN back THEN '_idgen_new' ELSE '_idgen_old' END, p.live_number::bigint))
    FROM pair p JOIN pg_constraint a ON a.conrelid = p.member AND a.contype = 'n' AND a.conkey = ARRAY[p.live_number]
    UNION ALL
    SELECT 11, p.number, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', p.shown, b.conname, a.conname)
    FROM pair p
    JOIN pg_constraint a ON a.conrelid = p.member AND a.contype = 'n' AND a.conkey = ARRAY[p.live_number]
    JOIN pg_constraint b ON b.conrelid = p.member AND b.contype = 'n' AND b.conkey = ARRAY[p.incoming_number]
    UNION ALL
    -- Without a default of the old key nobody can fill it any more. There is no way back then.
    SELECT 12, p.number, format('ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL', p.shown, p.outgoing)
    FROM pair p WHERE m.old_default IS NULL AND p.not_null AND NOT back
    UNION ALL
    SELECT 12, p.number, format('ALTER TABLE %s DROP CONSTRAINT %I', p.shown, p.check_name)
    FROM pair p WHERE m.old_default IS NULL AND NOT p.not_null AND NOT back) s
  ORDER BY s.part, s.n;

  RETURN QUERY SELECT @extschema@.idgen_tools_fill_function(m, k, NOT back)
  FROM @extschema@.idgen_migration_column k WHERE k.relation = m.relation AND k.column_name = m.column_name AND NOT back;
  RETURN QUERY SELECT unnest(afters);
END $$;
COMMENT ON FUNCTION idgen_tools_swap_statements(idgen_migration, boolean) IS 'idgen: the statements by which columns change places';

-- The cutover. Returns false if a lock was not to be had in time.
CREATE FUNCTION idgen_tools_cut_over(relation regclass, column_name name, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  messages text := current_setting('client_min_messages');
  statement text;
BEGIN
  IF m.state = 'cut over' THEN
    RAISE NOTICE 'migration of % of % is cut over already', column_name, relation;
    RETURN true;
  END IF;
  PERFORM @extschema@.idgen_tools_require(m, '{verified}'::text[], 'Run idgen_migration_verify() first.');
  BEGIN
    PERFORM @extschema@.idgen_tools_lock_tables(m, true, lock_timeout);
    PERFORM @extschema@.idgen_tools_check(m);
    PERFORM @extschema@.idgen_tools_check_indexes(m);
    IF (SELECT s.statement FROM @extschema@.idgen_tools_next_constraint(m) s) IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('a constraint of the migration of column "%s" of table %s is gone', column_name, relation),
        HINT = 'Use idgen_migration_roll_back(), and begin again.';
    END IF;
    -- Not the notice of each index that gets a constraint's name.
    PERFORM set_config('client_min_messages', 'warning', true);
    FOREACH statement IN ARRAY ARRAY(SELECT s.statement FROM @extschema@.idgen_tools_swap_statements(m, false) s) LOOP
      EXECUTE statement;
    END LOOP;
    PERFORM set_config('client_min_messages', messages, true);
    PERFORM set_config('lock_timeout', '0', true);
  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
  END;
  UPDATE @extschema@.idgen_migration s SET state = 'cut over' WHERE s.relation = relation AND s.column_name = column_name;
  RAISE NOTICE 'migration of % of %: cut over', column_name, relation;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_cut_over(regclass, name, interval) IS 'idgen: one attempt to cut over';

CREATE PROCEDURE idgen_migration_cut_over(
    relation regclass, column_name name, lock_timeout interval DEFAULT '1 s', attempts int DEFAULT 60)
LANGUAGE plpgsql
AS $$
BEGIN
  CALL @extschema@.idgen_tools_attempts(
    'SELECT @extschema@.idgen_tools_cut_over($1, $2, $3)', relation, column_name, lock_timeout, attempts, 'all tables at once');
END $$;
COMMENT ON PROCEDURE idgen_migration_cut_over(regclass, name, interval, int) IS
  'puts the new columns in the place of the old ones, in one short transaction';
