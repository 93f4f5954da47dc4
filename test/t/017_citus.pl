# The nodes of a Citus cluster: the warning for a node without its own identity, what
# idgen_check_identity() finds, and that docs/citus.md helps. An extension of the same name replaces
# Citus. It has what idgen and the document use of Citus, and talks by dblink.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($share, undef) = run_command([ 'pg_config', '--sharedir' ]);
my $extensions = "$share/extension";
my @files = ("$extensions/citus.control", "$extensions/citus--1.0.sql");
plan skip_all => 'there is a Citus here' if grep { -e } @files;
plan skip_all => 'PostgreSQL has no dblink' unless -e "$extensions/dblink.control";
plan skip_all => "cannot write into $extensions" unless -w $extensions;
my $test_process = $$;
END { unlink @files if defined $test_process and $$ == $test_process and @files; }

append_to_file($files[0], <<'CONTROL');
default_version = '1.0'
relocatable = false
schema = pg_catalog
requires = dblink
CONTROL
append_to_file($files[1], <<'SQL');
CREATE SCHEMA citus;
CREATE TABLE citus.pg_dist_local_group (groupid int NOT NULL PRIMARY KEY);
CREATE TABLE citus.pg_dist_node (nodeid int PRIMARY KEY, groupid int, nodename text, nodeport int);
CREATE TABLE citus.pg_dist_partition (logicalrelid regclass NOT NULL, partmethod "char" NOT NULL);
ALTER TABLE citus.pg_dist_local_group SET SCHEMA pg_catalog;
ALTER TABLE citus.pg_dist_node SET SCHEMA pg_catalog;
ALTER TABLE citus.pg_dist_partition SET SCHEMA pg_catalog;
GRANT SELECT ON pg_catalog.pg_dist_local_group, pg_catalog.pg_dist_node, pg_catalog.pg_dist_partition TO PUBLIC;
CREATE FUNCTION pg_catalog.run_command_on_all_nodes(
    command text, parallel bool DEFAULT true, give_warning_for_connection_errors bool DEFAULT false,
    OUT nodeid int, OUT success bool, OUT result text) RETURNS SETOF record
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE node pg_catalog.pg_dist_node;
BEGIN
  FOR node IN SELECT * FROM pg_catalog.pg_dist_node n ORDER BY n.nodeid LOOP
    nodeid := node.nodeid;
    BEGIN
      SELECT t.result INTO result
      FROM dblink(format('host=%s port=%s dbname=%s user=%s', node.nodename, node.nodeport, current_database(),
                         session_user), command) AS t(result text);
      success := true;
    EXCEPTION WHEN OTHERS THEN
      success := false;
      result := SQLERRM;
    END;
    RETURN NEXT;
  END LOOP;
END $$;
SQL

my @nodes;
for my $number (1 .. 3)
{
	my $node = PostgreSQL::Test::Cluster->new("node_$number");
	$node->init;
	$node->append_conf('postgresql.conf', "track_commit_timestamp = on\n");
	$node->start;
	push @nodes, $node;
}
my @known = map { "($_, " . ($_ - 1) . ", '" . $nodes[ $_ - 1 ]->host . "', " . $nodes[ $_ - 1 ]->port . ')' } 1 .. 3;
for my $number (1 .. 3)
{
	$nodes[ $number - 1 ]->safe_psql('postgres', qq{
		CREATE EXTENSION citus CASCADE;
		CREATE EXTENSION idgen;
		INSERT INTO pg_dist_local_group SELECT $number - 1;
		INSERT INTO pg_dist_node VALUES } . join(', ', @known) . qq{;
		CREATE TABLE elsewhere (id bigint DEFAULT snowflake_nextval());
		CREATE TABLE here (id bigint DEFAULT snowflake_nextval());
		INSERT INTO pg_dist_partition VALUES ('elsewhere', 'h');
		CREATE ROLE app LOGIN;
	});
}
my ($coordinator, $worker) = @nodes;

# Returns output and warnings of SQL in a separate session.
sub said
{
	my ($node, $sql, $database) = @_;
	my ($out, $err) = ('', '');
	$node->psql($database // 'postgres', $sql, stdout => \$out, stderr => \$err);
	return ($out, $err);
}

sub on_all { my ($sql) = @_; $_->safe_psql('postgres', $sql) for @nodes; return; }

# Returns the problems that the nodes have with each other.
sub shared
{
	my ($node, $arguments) = @_;
	$arguments //= "'here', 'id'";
	my ($out) = said($node, "SELECT datacenter_id, machine_id, shard_id, ids, own, problem
		FROM idgen_check_identity($arguments) WHERE ids IS NULL");
	return $out;
}

# --- The warning ----------------------------------------------------------------------------

my $warning = qr/WARNING:  this Citus node makes IDs of machine 0, and was never told to/;
sub warnings_of { my (undef, $err) = said(@_); return scalar(() = $err =~ /$warning/g); }

my $said_by_check = "SELECT count(*) FROM idgen_check_config() WHERE severity = 'error' AND message ~ 'this Citus node'";
is($worker->safe_psql('postgres', $said_by_check), 1, 'idgen_check_config() says it');
is($worker->safe_psql('postgres', "SET idgen.machine_id = 0; $said_by_check"), 0, 'and not where 0 was set');
is(warnings_of($worker, 'SELECT snowflake_nextval()'), 1, 'the first ID gets a warning');
is(warnings_of($worker, 'INSERT INTO here DEFAULT VALUES'), 1, 'so does the first of a default');
is(warnings_of($worker, "SELECT snowflake_nextval(); SELECT idgen_nextval('leaf'); SELECT snowflake_nextval();
	SET idgen.block_size = 2; SELECT snowflake_nextval()"), 1, 'and no other of the session');
is(warnings_of($worker, 'SELECT snowflake_timestamp(1)'), 0, 'a session that makes none gets none');
is(warnings_of($worker, 'SELECT instagram_nextval(1)'), 0, 'a layout without a machine gets none');
is(warnings_of($worker, "SELECT instagram_nextval(1); SELECT idgen_nextval('leaf')"), 1, 'one after it does');
is(warnings_of($worker, "SELECT idgen_create_generator('fixed', 'snowflake', machine_id => 3); SELECT idgen_nextval('fixed')"),
	0, 'a generator with a machine of its own gets none');
is(warnings_of($worker, "SELECT idgen_nextval('fixed'); SELECT snowflake_nextval()"), 1, 'one after it does');
my $parallel = $worker->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
is(warnings_of($worker, "SET $parallel = on; SELECT snowflake_nextval(); SELECT snowflake_nextval();
	SET $parallel = off; SELECT snowflake_nextval()"), 1, 'parallel workers say nothing');
for my $name ('machine_id', 'datacenter_id')
{
	is(warnings_of($worker, "LOAD 'idgen'; SET idgen.$name = 0; SELECT snowflake_nextval()"), 0,
		"none where idgen.$name was set, be it to 0");
}
$worker->safe_psql('postgres', 'CREATE DATABASE plain');
is(warnings_of($worker, 'CREATE EXTENSION idgen; SELECT snowflake_nextval()', 'plain'), 0, 'none without Citus');

# --- Nodes with one identity ------------------------------------------------------------------

is(shared($coordinator), '0|0|||t|nodes 1, 2, 3 of the Citus cluster have this identity', 'all nodes are machine 0');
is(shared($worker), '0|0|||t|nodes 1, 2, 3 of the Citus cluster have this identity', 'a worker tells, too');
is(shared($coordinator, "'here', 'id', 'instagram'"), '', 'a shard that calls say is not known');
is(shared($coordinator, "'here', 'id', 'tso'"), '||||t|nodes 1, 2, 3 of the Citus cluster have this identity',
	'a layout without an identity');
is(shared($coordinator, "'here', 'id', 'leaf'"), '|0|||t|nodes 1, 2, 3 of the Citus cluster have this identity',
	'a layout with a machine only');

# --- The document -----------------------------------------------------------------------------

my %examples = map { (/ALTER SYSTEM/ ? 'set' : /run_command/ ? 'show' : 'check') => $_ }
  slurp_file("$FindBin::RealBin/../../docs/citus.md") =~ /^```pgsql\n(.*?)^```$/msg;
is(join(' ', sort keys %examples), 'check set show', 'the examples of docs/citus.md');
for my $node (@nodes)
{
	my (undef, $err) = said($node, $examples{set});
	is($err, '', 'an example sets the identity of ' . $node->name);
}
is($coordinator->poll_query_until('postgres', "SELECT string_agg(result, ',' ORDER BY nodeid) = '0 0 -,0 1 -,0 2 -'
	FROM run_command_on_all_nodes(\$\$SELECT idgen_get_identity('snowflake')\$\$)"), 1, 'each node has its own');
like($coordinator->safe_psql('postgres', $examples{show}), qr/^1\|t\|0 0 -\n2\|t\|0 1 -\n3\|t\|0 2 -$/, 'an example shows them');
my ($out, $err) = said($coordinator, $examples{check});
is($err, '', 'an example looks for those that are shared');
is($out, '', 'and there are none');
is(warnings_of($_, 'SELECT snowflake_nextval()'), 0, 'no warning on ' . $_->name) for @nodes;
on_all("UPDATE pg_dist_local_group SET groupid = -2");
my (undef, $upgrading) = said($worker, $examples{set});
is($upgrading, '', 'it does nothing during an upgrade');
is($worker->safe_psql('postgres', "SELECT idgen_get_identity('snowflake')"), '0 1 -', 'and the identity stays');
# More nodes than there are machines.
$nodes[2]->safe_psql('postgres', 'UPDATE pg_dist_local_group SET groupid = 2 * 32 + 5');
said($nodes[2], $examples{set});
ok($nodes[2]->poll_query_until('postgres', "SELECT idgen_get_identity('snowflake') = '2 5 -'"), 'group 69 is datacenter 2, machine 5');

# What must never be done.
on_all("ALTER DATABASE postgres SET idgen.machine_id = 5");
is(shared($coordinator), '0|5|||t|nodes 1, 2 of the Citus cluster have this identity', 'ALTER DATABASE');
is(shared($nodes[2]), '0|5|||f|nodes 1, 2 of the Citus cluster have this identity', "which is not the third node's");
on_all("ALTER DATABASE postgres RESET idgen.machine_id");
is(shared($coordinator), '', 'and it is taken back');
on_all("SELECT idgen_create_generator('orders', 'snowflake', datacenter_id => 1, machine_id => 5)");
is(shared($coordinator, "'here', 'id', 'orders'"), '1|5|||t|nodes 1, 2, 3 of the Citus cluster have this identity',
	'a generator with a fixed machine ID');
on_all("ALTER DATABASE postgres SET idgen.shard_id = 7");
is(shared($coordinator, "'here', 'id', 'instagram'"), '||7||t|nodes 1, 2, 3 of the Citus cluster have this identity',
	'a shard that is set for all');
on_all("ALTER DATABASE postgres RESET idgen.shard_id");

# --- A Citus table ------------------------------------------------------------------------------

on_all("INSERT INTO $_ DEFAULT VALUES") for ('here', 'elsewhere');
is($coordinator->safe_psql('postgres', "SELECT ids > 0, replicated FROM idgen_check_identity('here', 'id') WHERE own"),
	't|0', 'replicated rows of a local table');
is($coordinator->safe_psql('postgres', "SELECT ids, replicated FROM idgen_check_identity('elsewhere', 'id')"),
	'1|', 'not of a distributed one');

# --- When nodes, or Citus, do not answer --------------------------------------------------------

# The check goes on: it returns the table's rows, and one warning.
sub goes_on
{
	my ($name, $expected, $sql) = @_;
	my ($rows, $warnings) = said($coordinator, ($sql // '') . "SELECT count(*) FROM idgen_check_identity('here', 'id')");
	is($rows, 1, "$name: the rows of the table");
	is(scalar(() = $warnings =~ /^.*WARNING:/mg), 1, "$name: one warning");
	like($warnings, $expected, "$name: which says it");
	unlike($warnings, qr/ERROR/, "$name: no error");
}
$nodes[2]->safe_psql('postgres', 'ALTER FUNCTION idgen_get_identity RENAME TO gone');
goes_on('a node without the function', qr/identity of Citus node 3 was not compared with the others/);
$nodes[2]->stop;
goes_on('a node that is down', qr/identity of Citus node 3 was not compared with the others/);
$nodes[2]->start;
$nodes[2]->safe_psql('postgres', 'ALTER FUNCTION gone RENAME TO idgen_get_identity');

$coordinator->safe_psql('postgres', 'GRANT SELECT ON here TO app; REVOKE EXECUTE ON FUNCTION run_command_on_all_nodes FROM PUBLIC');
goes_on('a role that may not ask', qr/permission denied/, 'SET ROLE app;');
$coordinator->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION pg_catalog.run_command_on_all_nodes(
	command text, parallel bool DEFAULT true, give_warning_for_connection_errors bool DEFAULT false,
	OUT nodeid int, OUT success bool, OUT result text) RETURNS SETOF record LANGUAGE plpgsql
	AS $$BEGIN RAISE EXCEPTION 'Citus has %', repeat('x', 1000000); END$$});
goes_on('a function that fails', qr/Citus has x{100,200}$/m);
$coordinator->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION pg_catalog.run_command_on_all_nodes(
	command text, parallel bool DEFAULT true, give_warning_for_connection_errors bool DEFAULT false,
	OUT nodeid int, OUT success bool, OUT result text) RETURNS SETOF record LANGUAGE plpgsql
	AS $$BEGIN RETURN QUERY SELECT n, n > 1, NULL FROM generate_series(1, 2) n UNION ALL SELECT n, true, repeat('- ', n * 1000) FROM generate_series(3, 6) n
		UNION ALL SELECT n, true, '' FROM generate_series(7, 8) n; END$$});
($out, $err) = said($coordinator, "SELECT datacenter_id, machine_id, shard_id, problem FROM idgen_check_identity('here', 'id') WHERE ids IS NULL");
is($out, '|||nodes 7, 8 of the Citus cluster have this identity', 'answers that make no sense');
unlike($err, qr/ERROR/, 'are no error');
$coordinator->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION pg_catalog.run_command_on_all_nodes(
	command text, parallel bool DEFAULT true, give_warning_for_connection_errors bool DEFAULT false,
	OUT nodeid int, OUT success bool, OUT result text) RETURNS SETOF record LANGUAGE plpgsql
	AS $$BEGIN PERFORM pg_sleep(600); END$$});
my ($state) = sqlstate_of($coordinator, "SET statement_timeout = '1s'; SELECT * FROM idgen_check_identity('here', 'id')");
is($state, '57014', 'a statement that is cancelled ends');
$coordinator->safe_psql('postgres', 'DROP TABLE here; ALTER EXTENSION citus DROP FUNCTION run_command_on_all_nodes;
	DROP FUNCTION run_command_on_all_nodes; CREATE TABLE here (id bigint DEFAULT snowflake_nextval()); INSERT INTO here DEFAULT VALUES');
goes_on('a Citus without the function', qr/does not exist/);
$coordinator->safe_psql('postgres', 'ALTER EXTENSION citus DROP TABLE pg_dist_partition; ALTER TABLE pg_dist_partition RENAME TO gone');
is($coordinator->safe_psql('postgres', "SELECT ids, replicated FROM idgen_check_identity('here', 'id')"),
	'1|', 'a Citus that does not tell its tables');

$_->stop for @nodes;
done_testing();
