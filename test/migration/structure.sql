-- What the shop's tables and views are made of, a line each. Types and defaults are looked at elsewhere.
\pset format unaligned
\pset tuples_only on
WITH relation AS (SELECT c.* FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace)
SELECT line FROM (
SELECT format('%s %s owner %s rights %s identity %s options %s comment %s',
              CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE relkind::text END, relname, relowner::regrole,
              relacl, relreplident, reloptions, obj_description(oid, 'pg_class')) AS line
FROM relation WHERE relkind NOT IN ('i', 'S')
UNION ALL
SELECT format('column %s.%s not null %s rights %s statistics %s comment %s', relname, attname, attnotnull, attacl,
              coalesce(nullif(attstattarget::int, -1), 0), col_description(c.oid, attnum))
FROM relation c JOIN pg_attribute a ON attrelid = c.oid WHERE relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT format('index %s valid %s primary %s clustered %s immediate %s identity %s', pg_get_indexdef(indexrelid),
              indisvalid AND indisready AND indislive, indisprimary, indisclustered, indimmediate, indisreplident)
FROM pg_index i JOIN relation c ON c.oid = i.indexrelid
UNION ALL
SELECT format('constraint %s of %s: %s validated %s', conname, conrelid::regclass, pg_get_constraintdef(o.oid), convalidated)
FROM pg_constraint o JOIN relation c ON c.oid = o.conrelid
UNION ALL
SELECT format('trigger %s enabled %s: %s', tgname, tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN relation c ON c.oid = t.tgrelid WHERE NOT tgisinternal
UNION ALL
-- Those of a foreign key: four.
SELECT format('foreign key %s of %s: %s triggers, %s enabled', conname, conrelid::regclass, count(*), count(*) FILTER (WHERE tgenabled = 'O'))
FROM pg_trigger t JOIN pg_constraint o ON o.oid = t.tgconstraint JOIN relation c ON c.oid = o.conrelid WHERE tgisinternal
GROUP BY conname, conrelid
UNION ALL
SELECT format('view %s: %s', relname, pg_get_viewdef(oid)) FROM relation WHERE relkind = 'v'
UNION ALL
SELECT format('statistics %s', pg_get_statisticsobjdef(oid)) FROM pg_statistic_ext WHERE stxnamespace = 'shop'::regnamespace
UNION ALL
SELECT format('policy %s of %s: %s', polname, polrelid::regclass, pg_get_expr(polqual, polrelid)) FROM pg_policy p JOIN relation c ON c.oid = p.polrelid
UNION ALL
SELECT format('publication %s: %s', pubname, attnames) FROM pg_publication_tables WHERE schemaname = 'shop'
UNION ALL
SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p
WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT format('schema %I', nspname) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)_'
UNION ALL
SELECT format('relation %s.%s', relnamespace::regnamespace, relname) FROM pg_class c
WHERE relkind IN ('r', 'v', 'S') AND relnamespace NOT IN ('shop'::regnamespace, 'pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND relnamespace::regnamespace::text !~ '^pg_temp'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
) AS lines
ORDER BY line COLLATE "C";
