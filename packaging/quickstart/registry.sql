-- Runs once, in the registry's new database. A registry needs no extension; idgen is here for the text of its tables only.
CREATE EXTENSION idgen;
SELECT idgen_registry_schema() \gexec
DROP EXTENSION idgen;

CREATE ROLE idgen_servers LOGIN PASSWORD 'servers';
GRANT USAGE ON SCHEMA idgen_registry TO idgen_servers;
GRANT SELECT, INSERT, UPDATE, DELETE ON idgen_registry.holder, idgen_registry.identity TO idgen_servers;
GRANT SELECT, INSERT, UPDATE ON idgen_registry.pool TO idgen_servers;
GRANT SELECT, INSERT ON idgen_registry.scheme TO idgen_servers;
