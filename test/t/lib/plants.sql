-- What somebody may plant in a schema of his before CREATE EXTENSION runs its script there as a superuser, and before a
-- superuser calls what it made. Everything that is planted writes its name and the role that it runs as to the
-- server's log, so that a rollback does not hide it.
--
-- For every function and operator that is named, plants have all arguments of the original but one, which is of a
-- type that PostgreSQL would have cast. Of two that fit, PostgreSQL takes the one with more arguments of the exact type: so
-- one argument is enough for every call whose types are not the exact ones.
--
-- To be run by the planter, who has a schema "trap" for the plants and a schema "tools" for these functions.

CREATE FUNCTION tools.noted(what text) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE LOG 'planted: % ran as %', what, current_user; RETURN true; END $$;

-- The types of arguments that a type's stands for. What takes anything stands for the common ones; a constant
-- without a type is text, if somebody's function takes text.
CREATE FUNCTION tools.near(type oid, with_text boolean) RETURNS oid[] LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN type IN ('"any"'::regtype, 'anyelement'::regtype, 'anynonarray'::regtype, 'anycompatible'::regtype,
                  'anycompatiblenonarray'::regtype)
      THEN '{text,int4,int8,jsonb,numeric,bool,timestamptz,name,oid}'::regtype[]::oid[]
    WHEN type IN ('anyarray'::regtype, 'anycompatiblearray'::regtype)
      THEN '{_text,_int4,_int8,_oid,_name,int2vector,oidvector}'::regtype[]::oid[]
    WHEN (SELECT t.typtype = 'p' FROM pg_type t WHERE t.oid = type) THEN '{}'
    ELSE ARRAY(
      SELECT type UNION
      SELECT castsource FROM pg_cast WHERE casttarget = type AND castcontext = 'i' UNION
      SELECT 'text'::regtype WHERE with_text) END
$$;

-- Lists of arguments: the original types, with one of them changed. Where a type is unknown, all that it may be.
CREATE FUNCTION tools.lists(types oid[], with_text boolean) RETURNS SETOF oid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  any_types oid[] := '{"\"any\"",anyelement,anynonarray,anycompatible,anycompatiblenonarray,anyarray,anycompatiblearray}'::regtype[]::oid[];
  made oid[][];
  list text[] := '{""}';
  next_list text[];
BEGIN
  IF types && any_types THEN
    FOR i IN 1 .. cardinality(types) LOOP
      next_list := '{}';
      SELECT array_agg(l || CASE WHEN l = '' THEN '' ELSE ',' END || n) INTO next_list
      FROM unnest(list) l, unnest(CASE WHEN types[i] = ANY (any_types) THEN tools.near(types[i], with_text) ELSE ARRAY[types[i]] END) n
      WHERE cardinality(list) < 100 OR n = 'text'::regtype;
      list := next_list;
    END LOOP;
    RETURN QUERY SELECT DISTINCT string_to_array(l, ',')::oid[] FROM unnest(list) l WHERE l IS NOT NULL;
  ELSE
    RETURN QUERY
      SELECT types UNION
      SELECT types[1:i - 1] || n || types[i + 1:] FROM generate_subscripts(types, 1) i, unnest(tools.near(types[i], with_text)) n;
  END IF;
END $$;

CREATE FUNCTION tools.names(types oid[]) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT coalesce(string_agg(format_type(t, NULL), ', ' ORDER BY n), '') FROM unnest(types) WITH ORDINALITY u(t, n) $$;

-- Plants what stands for these functions. Returns how many plants there are.
CREATE FUNCTION tools.plant_functions(functions oid[], are_own boolean) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  f record;
  types oid[];
  made int := 0;
  result text;
  body text;
BEGIN
  FOR f IN
    SELECT p.proname AS name, p.prokind AS kind, p.proretset AS is_set, l.types, l.is_short,
           CASE WHEN r.typtype = 'p' AND r.typname <> 'void' AND r.typname <> 'record' THEN NULL ELSE p.prorettype END AS result,
           p.proargmodes IS NOT NULL AND r.typname = 'record' AS has_columns,
           (SELECT string_agg(format('%I %s', p.proargnames[n], format_type(p.proallargtypes[n], NULL)), ', ' ORDER BY n)
            FROM generate_subscripts(p.proargmodes, 1) n WHERE p.proargmodes[n] IN ('o', 't')) AS table_columns,
           (SELECT string_agg(format('OUT %I %s', p.proargnames[n], format_type(p.proallargtypes[n], NULL)), ', ' ORDER BY n)
            FROM generate_subscripts(p.proargmodes, 1) n WHERE p.proargmodes[n] = 'o') AS out_columns
    FROM pg_proc p JOIN pg_type r ON r.oid = p.prorettype,
         LATERAL (
           -- With all arguments, without those that have a default, and with some of what a VARIADIC one takes.
           SELECT a.types, a.types <> p.proargtypes::oid[] AS is_short FROM (
             SELECT p.proargtypes::oid[] AS types
             UNION SELECT (p.proargtypes::oid[])[0:p.pronargs - 1 - missing] FROM generate_series(1, p.pronargdefaults) missing
             UNION SELECT (p.proargtypes::oid[])[0:p.pronargs - 2] || array_fill(p.provariadic, ARRAY[more])
                   FROM generate_series(1, 4) more WHERE p.provariadic <> 0
           ) a) l
    WHERE p.oid = ANY (functions) AND r.typname <> 'trigger'
  LOOP
    FOR types IN
      SELECT DISTINCT * FROM tools.lists((SELECT coalesce(array_agg(t ORDER BY n), '{}') FROM unnest(f.types) WITH ORDINALITY u(t, n)), are_own)
    LOOP
      -- One that fits as well as the original, but for arguments left out, only makes calls ambiguous.
      CONTINUE WHEN are_own AND f.is_short AND types = f.types;
      CONTINUE WHEN EXISTS (SELECT FROM unnest(types) t JOIN pg_type y ON y.oid = t WHERE y.typtype = 'p');
      CONTINUE WHEN EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'trap'::regnamespace AND p.proname = f.name
                                                    AND p.proargtypes = array_to_string(types, ' ')::oidvector);
      result := CASE WHEN f.has_columns AND f.table_columns IS NOT NULL AND f.is_set THEN 'TABLE (' || f.table_columns || ')'
                     WHEN f.has_columns AND f.table_columns IS NOT NULL THEN 'record'
                     WHEN f.is_set THEN 'SETOF ' || format_type(coalesce(f.result, types[1]), NULL)
                     ELSE format_type(coalesce(f.result, types[1], 'text'::regtype), NULL) END;
      body := format('BEGIN RAISE LOG %L, current_user; RETURN%s; END',
                     format('planted: %s(%s) ran as %%', f.name, tools.names(types)),
                     CASE WHEN f.is_set OR result IN ('void', 'record') THEN '' ELSE ' NULL' END);
      IF f.kind IN ('a', 'w') THEN
        CONTINUE WHEN f.result IS NULL AND cardinality(types) = 0;
        EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', 'step_' || f.name,
                       concat_ws(', ', result, nullif(tools.names(types), '')), result, body);
        EXECUTE format('CREATE AGGREGATE trap.%I(%s) (SFUNC = trap.%I, STYPE = %s)', f.name,
                       CASE WHEN cardinality(types) = 0 THEN '*' ELSE tools.names(types) END, 'step_' || f.name, result);
      ELSIF f.kind = 'p' THEN
        EXECUTE format('CREATE PROCEDURE trap.%I(%s) LANGUAGE plpgsql AS %L', f.name, tools.names(types),
                       replace(body, 'RETURN NULL; ', ''));
      ELSE
        EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.name,
                       concat_ws(', ', nullif(tools.names(types), ''), CASE WHEN result = 'record' THEN f.out_columns END), result, body);
      END IF;
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;

-- Plants operators of these names.
CREATE FUNCTION tools.plant_operators(names name[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  o record;
  made int := 0;
BEGIN
  FOR o IN
    SELECT DISTINCT ON (oprname, l, r) oprname AS name, l, r,
           CASE WHEN t.typtype = 'p' THEN r ELSE oprresult END AS result
    FROM pg_operator JOIN pg_type t ON t.oid = oprresult,
         LATERAL (SELECT list[1] AS l, list[2] AS r FROM tools.lists(ARRAY[oprleft, oprright], false) list) x
    WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b' AND oprcode <> 0 AND oprname = ANY (names)
      AND NOT EXISTS (SELECT FROM pg_type y WHERE y.oid IN (l, r) AND y.typtype = 'p')
    ORDER BY oprname, l, r
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', 'operator ' || o.name,
                   tools.names(ARRAY[o.l, o.r]), format_type(o.result, NULL),
                   format('BEGIN RAISE LOG %L, current_user; RETURN NULL; END',
                          format('planted: %s %s %s ran as %%', format_type(o.l, NULL), replace(o.name, '%', '%%'), format_type(o.r, NULL))));
    EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.%I)', o.name,
                   format_type(o.l, NULL), format_type(o.r, NULL), 'operator ' || o.name);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- Plants types and relations of these names: domains over PostgreSQL's types whose condition notes, views that note.
CREATE FUNCTION tools.plant_names(names name[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  n record;
  made int := 0;
BEGIN
  FOR n IN SELECT typname AS name, format_type(oid, NULL) AS type FROM pg_type
           WHERE typnamespace = 'pg_catalog'::regnamespace AND (typtype IN ('b', 'r') OR typname = 'record') AND typname = ANY (names)
  LOOP
    EXECUTE format('CREATE DOMAIN trap.%I AS %s CHECK (tools.noted(%L))', n.name, replace(n.type, 'record', 'text'), 'type ' || n.name);
    made := made + 1;
  END LOOP;
  FOR n IN SELECT relname AS name FROM pg_class
           WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY (names)
             AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = pg_class.oid AND a.atttypid = 'anyarray'::regtype)
  LOOP
    EXECUTE format('CREATE VIEW trap.%I AS SELECT * FROM pg_catalog.%1$I WHERE tools.noted(%L)', n.name, 'relation ' || n.name);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;
