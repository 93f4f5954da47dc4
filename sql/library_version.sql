-- The library that is loaded, and whether SQL of a version may use it.

SELECT idgen_library_version(extversion) LIKE extversion || '.%' AS fits FROM pg_extension WHERE extname = 'idgen';
SELECT idgen_library_version('0.9') = idgen_library_version('1.0') AS older_sql_works;
SELECT idgen_diagnostics() #>> '{idgen,library}' = idgen_library_version('1.0') AS told;

-- A preloaded library that was replaced: a script of a later version ends here.
\set VERBOSITY sqlstate
SELECT idgen_library_version('1.1000');
SELECT idgen_library_version('999.0');
-- What is no version.
SELECT idgen_library_version('');
SELECT idgen_library_version('1');
SELECT idgen_library_version('1.');
SELECT idgen_library_version('.1');
SELECT idgen_library_version('-1.0');
SELECT idgen_library_version('1.0.0');
SELECT idgen_library_version('1.0--1.1');
SELECT idgen_library_version(' 1.0');
SELECT idgen_library_version('99999999999999999999.0');
SELECT idgen_library_version('1.99999999999999999999');
\set VERBOSITY default
SELECT idgen_library_version('one');
SELECT idgen_library_version(NULL) IS NULL AS none;
