
-- Migration of keys: what cannot be done ----------------------------------------------------------

-- Everything that stands in the way, as sentences. What is not known to be right is refused: an object that depends on a column
-- to be converted and is not named here.
CREATE FUNCTION idgen_tools_problems(relation oid, number int2, same_type boolean, OUT problem text)
RETURNS SETOF text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  WITH member AS MATERIALIZED (
    SELECT m.member AS relid, m.attnum, a.attname, a.atttypid, a.attidentity, a.attgenerated, a.atthasdef,
           m.member = relation AND m.attnum = number AS root
    FROM @extschema@.idgen_tools_members(relation, number) m
    JOIN pg_attribute a ON a.attrelid = m.member AND a.attnum = m.attnum),
  tables AS MATERIALIZED (
    SELECT c.*, c.oid::regclass::text AS shown FROM pg_class c WHERE c.oid IN (SELECT relid FROM member)),
  views AS MATERIALIZED (
    SELECT v.view, v.level, c.relkind, c.relname, c.relowner, c.relnamespace, v.view::regclass::text AS shown
    FROM @extschema@.idgen_tools_views(relation, number) v JOIN pg_class c ON c.oid = v.view),
  ours AS MATERIALIZED (
    SELECT s.member, s.name FROM (
      SELECT k.member, k.check_name AS name FROM @extschema@.idgen_migration_column k
      WHERE k.relation = idgen_tools_problems.relation
      UNION ALL
      SELECT o.member, @extschema@.idgen_tools_name(o.name::text, '_idgen_back', o.number::bigint) FROM @extschema@.idgen_migration_object o
      WHERE o.back_statement IS NOT NULL AND o.relation = idgen_tools_problems.relation) s)
  -- The tables.
  SELECT format('table %s is partitioned: foreign keys to and from it cannot be made without a lock for long', shown)
  FROM tables WHERE relkind = 'p'
  UNION ALL SELECT format('%s is not an ordinary table', shown) FROM tables WHERE relkind NOT IN ('r', 'p')
  UNION ALL SELECT format('table %s is a partition', shown) FROM tables WHERE relispartition
  UNION ALL SELECT format('table %s inherits from another table, or another from it', shown) FROM tables t
    WHERE NOT relispartition AND relkind <> 'p'
      AND EXISTS (SELECT FROM pg_inherits i WHERE t.oid IN (i.inhrelid, i.inhparent))
  UNION ALL SELECT format('table %s is temporary', shown) FROM tables WHERE relpersistence = 't'
  UNION ALL SELECT format('table %s is of a composite type', shown) FROM tables WHERE reloftype <> 0
  UNION ALL SELECT format('table %s is a system catalog', shown) FROM tables
    WHERE relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  UNION ALL SELECT format('table %s belongs to extension %s', t.shown, e.extname)
    FROM tables t JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid
  UNION ALL SELECT format('table %s is owned by %s: run this as its owner (SET ROLE), because its triggers and expressions'
                          ' run with your rights', shown, pg_get_userbyid(relowner))
    FROM tables WHERE relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
  UNION ALL SELECT DISTINCT format('role %s lacks the privilege CREATE on schema %s', current_user, relnamespace::regnamespace)
    FROM tables WHERE NOT has_schema_privilege(relnamespace, 'CREATE')
  UNION ALL SELECT format('table %s has forced row security', shown) FROM tables WHERE relforcerowsecurity
  UNION ALL SELECT format('table %s has rule %s', t.shown, w.rulename) FROM tables t JOIN pg_rewrite w ON w.ev_class = t.oid
    WHERE t.relkind = 'r'
  UNION ALL SELECT format('table %s is in publication %s: a new name of a column is not replicated; take the table out, and'
                          ' copy it anew after the migration', t.shown, p.pubname)
    FROM tables t JOIN pg_publication p ON p.puballtables
      OR EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = t.oid)
      OR EXISTS (SELECT FROM pg_publication_namespace n WHERE n.pnpubid = p.oid AND n.pnnspid = t.relnamespace)
  UNION ALL SELECT format('table %s is the target of a subscription', t.shown)
    FROM tables t WHERE EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = t.oid)
  UNION ALL SELECT format('trigger %s of table %s would run after the migration''s trigger, in the order of names: rename it',
                          g.tgname, t.shown)
    FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid
    WHERE NOT g.tgisinternal AND g.tgtype & 3 = 3 AND g.tgname >= 'zz_idgen_' AND g.tgname !~ '^zz_idgen_\d+$'

  -- The key.
  UNION ALL SELECT format('table %s has no primary key', shown) FROM tables t WHERE t.oid = relation AND t.relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'p')
  UNION ALL SELECT format('column %s is not the primary key of table %s, which is (%s)', m.attname, c.conrelid::regclass,
                          @extschema@.idgen_tools_columns(c.conrelid, c.conkey, NULL::jsonb))
    FROM member m JOIN pg_constraint c ON c.conrelid = m.relid AND c.contype = 'p'
    WHERE m.root AND c.conkey <> ARRAY[m.attnum]
  UNION ALL SELECT format('column %s of table %s is of type %s: only smallint, integer, bigint and uuid can be converted',
                          attname, relid::regclass, format_type(atttypid, NULL))
    FROM member WHERE atttypid NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype)
  UNION ALL SELECT format('column %s of table %s is generated', attname, relid::regclass) FROM member WHERE attgenerated <> ''
  UNION ALL SELECT format('column %s of table %s has a default, which would have to be converted too', attname, relid::regclass)
    FROM member WHERE NOT root AND (attidentity <> '' OR atthasdef)
  UNION ALL SELECT format('column %s of table %s also refers to table %s, which is not converted, by constraint %s',
                          m.attname, m.relid::regclass, c.confrelid::regclass, c.conname)
    FROM member m JOIN pg_constraint c ON c.contype = 'f' AND c.conrelid = m.relid
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS pair(here, there)
    WHERE pair.here = m.attnum AND NOT EXISTS (SELECT FROM member o WHERE o.relid = c.confrelid AND o.attnum = pair.there)

  -- Constraints and indexes.
  UNION ALL SELECT DISTINCT format('foreign key %s of table %s is not valid', c.conname, c.conrelid::regclass)
    FROM member m JOIN pg_constraint c ON c.contype = 'f' AND c.conrelid = m.relid AND m.attnum = ANY (c.conkey)
    WHERE NOT c.convalidated OR NOT coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
  UNION ALL SELECT DISTINCT format('constraint %s of table %s has a period', c.conname, c.conrelid::regclass)
    FROM member m JOIN pg_constraint c ON c.conrelid = m.relid AND m.attnum = ANY (c.conkey)
    WHERE coalesce((to_jsonb(c) ->> 'conperiod')::boolean, false)
  UNION ALL SELECT DISTINCT format('constraint %s of table %s uses column %s: %s', c.conname, c.conrelid::regclass, m.attname,
                          pg_get_constraintdef(c.oid))
    FROM member m JOIN pg_constraint c ON c.contype = 'c' AND c.conrelid = m.relid AND m.attnum = ANY (c.conkey)
    WHERE NOT EXISTS (SELECT FROM ours WHERE ours.member = m.relid AND ours.name = c.conname)
  UNION ALL SELECT DISTINCT format('constraint %s of table %s is an exclusion constraint', c.conname, c.conrelid::regclass)
    FROM member m JOIN pg_constraint c ON c.contype = 'x' AND c.conrelid = m.relid AND m.attnum = ANY (c.conkey)
  UNION ALL SELECT DISTINCT format('constraint %s of table %s is deferrable', c.conname, c.conrelid::regclass)
    FROM member m JOIN pg_constraint c ON c.contype IN ('p', 'u') AND c.condeferrable AND c.conrelid = m.relid
      AND m.attnum = ANY (c.conkey)
  UNION ALL SELECT DISTINCT format('index %s uses column %s in an expression or its condition', i.indexrelid::regclass, m.attname)
    FROM member m JOIN pg_index i ON i.indrelid = m.relid
    WHERE @extschema@.idgen_tools_in_expression(i.indexrelid, m.attnum)
  UNION ALL SELECT DISTINCT format('index %s is not valid: drop it or make it again', i.indexrelid::regclass)
    FROM member m JOIN pg_index i ON i.indrelid = m.relid AND m.attnum = ANY (i.indkey)
    WHERE NOT (i.indisvalid AND i.indisready)
      AND NOT EXISTS (SELECT FROM pg_class r JOIN ours ON ours.name = r.relname AND ours.member = m.relid WHERE r.oid = i.indexrelid)
  UNION ALL SELECT DISTINCT format('index %s has an operator class that fits only the old type of column %s',
                                   i.indexrelid::regclass, m.attname)
    FROM member m JOIN pg_index i ON i.indrelid = m.relid
    CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k(n)
    JOIN pg_opclass o ON o.oid = i.indclass[k.n]
    WHERE NOT same_type AND i.indkey[k.n] = m.attnum AND NOT (o.opcdefault AND o.opcmethod IN (
      SELECT am.oid FROM pg_am am WHERE am.amname IN ('btree', 'hash', 'brin')))

  -- Views.
  UNION ALL SELECT format('%s %s uses the columns', CASE relkind WHEN 'm' THEN 'materialized view' ELSE 'rule of' END, shown)
    FROM views WHERE relkind <> 'v'
  UNION ALL SELECT format('view %s is owned by %s', shown, pg_get_userbyid(relowner)) FROM views
    WHERE relkind = 'v' AND relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
  UNION ALL SELECT format('view %s is temporary', shown) FROM views WHERE pg_is_other_temp_schema(relnamespace)
    OR relnamespace = pg_my_temp_schema()
  UNION ALL SELECT format('role %s lacks the privilege CREATE on schema %s of view %s', current_user,
                          relnamespace::regnamespace, shown)
    FROM views WHERE NOT has_schema_privilege(relnamespace, 'CREATE')
  UNION ALL SELECT format('view %s belongs to an extension', shown) FROM views
    WHERE EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = view AND d.deptype = 'e')
  UNION ALL SELECT format('view %s has triggers, rules or defaults, which a new view of another type would lose', shown) FROM views
    WHERE relkind = 'v' AND NOT same_type
      AND (EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = view)
        OR EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = view AND w.rulename <> '_RETURN')
        OR EXISTS (SELECT FROM pg_attrdef f WHERE f.adrelid = view))
  UNION ALL SELECT format('%s uses view %s', pg_describe_object(d.classid, d.objid, d.objsubid), v.shown)
    FROM views v JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = v.view
    WHERE NOT same_type AND d.classid NOT IN ('pg_rewrite'::regclass, 'pg_type'::regclass, 'pg_trigger'::regclass,
                                              'pg_attrdef'::regclass)
  UNION ALL SELECT format('%s uses the row type of view %s', pg_describe_object(d.classid, d.objid, d.objsubid), v.shown)
    FROM views v JOIN pg_type y ON y.typrelid = v.view
    JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (y.oid, y.typarray)
    WHERE NOT same_type AND NOT (d.classid = 'pg_type'::regclass AND d.objid = y.typarray)

  -- Everything else that depends on a column.
  UNION ALL SELECT DISTINCT format('%s uses column %s of table %s', pg_describe_object(d.classid, d.objid, d.objsubid),
                                   m.attname, m.relid::regclass)
    FROM member m JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = m.relid AND d.refobjsubid = m.attnum
    WHERE NOT (d.classid = 'pg_rewrite'::regclass
            OR d.classid = 'pg_constraint'::regclass
            OR d.classid = 'pg_attrdef'::regclass
               AND EXISTS (SELECT FROM pg_attrdef f WHERE f.oid = d.objid AND f.adrelid = m.relid AND f.adnum = m.attnum)
            OR d.classid = 'pg_class'::regclass AND d.objid <> m.relid
               AND EXISTS (SELECT FROM pg_class r WHERE r.oid = d.objid AND r.relkind IN ('i', 'S')))
  ORDER BY 1;
END $$;
COMMENT ON FUNCTION idgen_tools_problems(oid, int2, boolean) IS 'idgen: what makes a migration of a key impossible';
