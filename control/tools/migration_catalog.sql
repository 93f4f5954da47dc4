
-- Migration of keys: what the catalogs say --------------------------------------------------------

-- The columns that have to be converted: the key, and what refers to it by foreign keys, over any number of levels.
CREATE FUNCTION idgen_tools_members(relation oid, number int2, OUT member oid, OUT attnum int2)
RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE found(relid, attnum) AS (
    VALUES (relation, number)
    UNION
    SELECT c.conrelid, pair.here
    FROM found f JOIN pg_constraint c ON c.contype = 'f' AND c.confrelid = f.relid
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS pair(here, there)
    WHERE pair.there = f.attnum)
  SELECT f.relid, f.attnum FROM found f
  ORDER BY f.relid <> relation OR f.attnum <> number, f.relid::regclass::text, f.attnum;
END $$;
COMMENT ON FUNCTION idgen_tools_members(oid, int2) IS 'idgen: a key column and the columns that refer to it';

-- The indexes and foreign keys on these columns. Their definitions have the columns' names, so they are the same before
-- and after the columns have changed places.
CREATE FUNCTION idgen_tools_objects(
    relation oid, number int2, OUT kind text, OUT member oid, OUT object oid, OUT name name, OUT definition text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT DISTINCT CASE c.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclusion' ELSE 'index' END,
         i.indrelid, i.indexrelid, r.relname,
         pg_get_indexdef(i.indexrelid) || coalesce('; ' || pg_get_constraintdef(c.oid), '')
  FROM @extschema@.idgen_tools_members(relation, number) m
  JOIN pg_index i ON i.indrelid = m.member AND m.attnum = ANY (i.indkey)
  JOIN pg_class r ON r.oid = i.indexrelid
  LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid AND c.contype IN ('p', 'u', 'x')
  UNION ALL
  SELECT DISTINCT 'foreign key', c.conrelid, c.oid, c.conname, pg_get_constraintdef(c.oid)
  FROM @extschema@.idgen_tools_members(relation, number) m
  JOIN pg_constraint c ON c.contype = 'f' AND c.conrelid = m.member AND m.attnum = ANY (c.conkey)
  ORDER BY 1 DESC, 2, 4;
END $$;
COMMENT ON FUNCTION idgen_tools_objects(oid, int2) IS 'idgen: the indexes and foreign keys on a key and on what refers to it';

-- The views that use these columns, directly or through other views, each after those that it uses.
CREATE FUNCTION idgen_tools_views(relation oid, number int2, OUT view oid, OUT level int)
RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE found(relid, level) AS (
    SELECT w.ev_class, 1
    FROM @extschema@.idgen_tools_members(relation, number) m
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = m.member AND d.refobjsubid = m.attnum
    JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> m.member
    UNION
    SELECT w.ev_class, f.level + 1
    FROM found f
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = f.relid
    JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> f.relid)
  SELECT f.relid, max(f.level) FROM found f GROUP BY f.relid ORDER BY 2, 1;
END $$;
COMMENT ON FUNCTION idgen_tools_views(oid, int2) IS 'idgen: the views that use a key or what refers to it';

-- Whether an index uses a column in an expression or in its condition.
CREATE FUNCTION idgen_tools_in_expression(index oid, number int2) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '') ~ format(':varattno (%s|0)\M', number)
          FROM pg_index i WHERE i.indexrelid = index);
END $$;
COMMENT ON FUNCTION idgen_tools_in_expression(oid, int2) IS 'idgen: whether an index uses a column in an expression';

-- Options as they are stored, as SQL, or NULL.
CREATE FUNCTION idgen_tools_options(options text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT '(' || string_agg(format('%I=%L', split_part(x, '=', 1), substr(x, strpos(x, '=') + 1)), ', ') || ')'
          FROM unnest(options) x);
END $$;
COMMENT ON FUNCTION idgen_tools_options(text[]) IS 'idgen: options as they are stored, as SQL';

-- The statement that makes an index again, under another name and on other columns. names says for each column's number which
-- column takes its place. Built from the catalog: a change in the text of the definition could hit the wrong place.
CREATE FUNCTION idgen_tools_index_statement(index oid, name name, names jsonb, same_type boolean) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  keys text;
  result text;
BEGIN
  SELECT string_agg(
           CASE WHEN k.attnum = 0 THEN format('(%s)', pg_get_indexdef(index, k.n::int, false))
                ELSE quote_ident(coalesce(names ->> k.attnum::text, a.attname)) END
           || CASE WHEN k.n > i.indnkeyatts THEN ''
                   ELSE CASE WHEN k.coll <> 0 AND k.coll IS DISTINCT FROM a.attcollation THEN
                               (SELECT format(' COLLATE %I.%I', s.nspname, l.collname)
                                FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace WHERE l.oid = k.coll)
                             ELSE '' END
                     || CASE WHEN NOT same_type AND names ? k.attnum::text THEN ''
                             ELSE (SELECT format(' %I.%I', s.nspname, o.opcname)
                                   FROM pg_opclass o JOIN pg_namespace s ON s.oid = o.opcnamespace WHERE o.oid = k.opclass)
                                  || coalesce(@extschema@.idgen_tools_options(ia.attoptions), '') END
                     || CASE WHEN pg_indexam_has_property(c.relam, 'can_order')
                             THEN CASE WHEN k.option & 1 <> 0 THEN ' DESC' ELSE ' ASC' END
                               || CASE WHEN k.option & 2 <> 0 THEN ' NULLS FIRST' ELSE ' NULLS LAST' END
                             ELSE '' END END,
           CASE WHEN k.n = i.indnkeyatts + 1 THEN ') INCLUDE (' ELSE ', ' END ORDER BY k.n)
  INTO keys
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  CROSS JOIN LATERAL (
    SELECT n, i.indkey[n - 1] AS attnum, i.indclass[n - 1] AS opclass, i.indcollation[n - 1] AS coll, i.indoption[n - 1] AS option
    FROM generate_series(1, i.indnatts) AS n) k
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
  LEFT JOIN pg_attribute ia ON ia.attrelid = index AND ia.attnum = k.n
  WHERE i.indexrelid = index;

  SELECT format('CREATE %sINDEX CONCURRENTLY IF NOT EXISTS %I ON %s USING %I (%s)%s%s%s%s',
                CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, name, i.indrelid::regclass, m.amname, keys,
                CASE WHEN i.indnullsnotdistinct THEN ' NULLS NOT DISTINCT' ELSE '' END,
                coalesce(' WITH ' || @extschema@.idgen_tools_options(c.reloptions), ''),
                coalesce((SELECT format(' TABLESPACE %I', t.spcname) FROM pg_tablespace t WHERE t.oid = c.reltablespace), ''),
                coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), ''))
  INTO result
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
  WHERE i.indexrelid = index;
  RETURN result;
END $$;
COMMENT ON FUNCTION idgen_tools_index_statement(oid, name, jsonb, boolean) IS
  'idgen: the statement that makes an index again on other columns';

-- The statement that makes a foreign key again. names says for each table and column number which column takes its place.
CREATE FUNCTION idgen_tools_foreign_key_statement(foreign_key oid, name name, names jsonb) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result text;
BEGIN
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%s) REFERENCES %s (%s)%s ON UPDATE %s ON DELETE %s%s%s NOT VALID',
                c.conrelid::regclass, name,
                @extschema@.idgen_tools_columns(c.conrelid, c.conkey, names), c.confrelid::regclass,
                @extschema@.idgen_tools_columns(c.confrelid, c.confkey, names),
                CASE c.confmatchtype WHEN 'f' THEN ' MATCH FULL' ELSE '' END,
                CASE c.confupdtype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
                                   WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END,
                CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
                                   WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END,
                coalesce(' (' || @extschema@.idgen_tools_columns(c.conrelid, c.confdelsetcols, names) || ')', ''),
                CASE WHEN c.condeferrable THEN ' DEFERRABLE' || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
                     ELSE '' END)
  INTO result
  FROM pg_constraint c WHERE c.oid = foreign_key;
  RETURN result;
END $$;
COMMENT ON FUNCTION idgen_tools_foreign_key_statement(oid, name, jsonb) IS
  'idgen: the statement that makes a foreign key again on other columns';

CREATE FUNCTION idgen_tools_columns(relation oid, numbers int2[], names jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT string_agg(quote_ident(coalesce(names -> relation::text ->> k.attnum::text, a.attname)), ', ' ORDER BY k.n)
          FROM unnest(numbers) WITH ORDINALITY AS k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = k.attnum);
END $$;
COMMENT ON FUNCTION idgen_tools_columns(oid, int2[], jsonb) IS 'idgen: a list of columns, some of them replaced';
