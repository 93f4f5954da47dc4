# Many sessions on one ID space, parallel workers, and waits that can be ended.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('sessions', conf => "max_connections = 60\nmin_parallel_table_scan_size = 0\n"
	  . "parallel_setup_cost = 0\nparallel_tuple_cost = 0\n");

# Each transaction checks that its IDs increase and exceed all that existed before it began. The
# primary key checks that none occurs twice.
$node->safe_psql('postgres', q{
	CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), made_by int);
	CREATE TABLE faults (what text, id bigint, than bigint);
	CREATE FUNCTION add_some(n int) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		before bigint := (SELECT coalesce(max(id), 0) FROM orders);
		last bigint := before;
		new bigint;
	BEGIN
		FOR i IN 1..n LOOP
			INSERT INTO orders (made_by) VALUES (pg_backend_pid()) RETURNING id INTO new;
			IF new <= last THEN INSERT INTO faults VALUES ('step back', new, last); END IF;
			IF new <> snowflake_currval() THEN
				INSERT INTO faults VALUES ('currval', new, snowflake_currval());
			END IF;
			last := new;
		END LOOP;
	END $$;
});
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/add.sql", "SELECT add_some(20);\n");
$node->command_ok(
	[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', '32', '-j', '2', '-t', '60',
		'-f', "$dir/add.sql", 'postgres' ],
	'32 sessions');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orders'), 32 * 60 * 20, 'all rows are there');
is($node->safe_psql('postgres', 'SELECT count(*) FROM faults'), 0, 'no step back, and currval is right');

# The same with blocks: unique, and in order by the tick.
$node->safe_psql('postgres', q{
	TRUNCATE orders, faults;
	CREATE OR REPLACE FUNCTION add_some(n int) RETURNS void LANGUAGE sql AS
		'INSERT INTO orders (made_by) SELECT pg_backend_pid() FROM generate_series(1, n)';
});
append_to_file("$dir/blocks.sql", "SET idgen.block_size = 64;\nSELECT add_some(50);\n");
$node->command_ok(
	[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', '16', '-j', '2', '-t', '60',
		'-f', "$dir/blocks.sql", 'postgres' ],
	'16 sessions with blocks');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orders'), 16 * 60 * 50,
	'blocks: all rows are there');

# Parallel workers make IDs, and the plan stays parallel.
$node->safe_psql('postgres',
	'CREATE TABLE numbers AS SELECT generate_series(1, 200000) AS n; ANALYZE numbers');
like($node->safe_psql('postgres',
		'EXPLAIN (COSTS OFF) CREATE TABLE wide AS SELECT n, snowflake_nextval() AS id FROM numbers'),
	qr/Gather/, 'CREATE TABLE AS keeps its parallel plan');
$node->safe_psql('postgres',
	'CREATE TABLE wide AS SELECT n, snowflake_nextval() AS id FROM numbers');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT id) FROM wide'), 200000,
	'IDs of parallel workers are unique');

# Waits. The position is moved so far ahead of the clock that a session has to wait long.
sub ahead
{
	my ($machine) = @_;
	return $node->safe_psql('postgres', "SET idgen.machine_id = $machine;
		SELECT idgen_observe('snowflake', snowflake_min_id(clock_timestamp() + interval '9 s'))");
}

my %end = (
	'pg_cancel_backend' => qr/57014/,
	'pg_terminate_backend' => qr/57P01/,
	'statement_timeout' => qr/57014/,
);
my $machine = 10;
for my $how (sort keys %end)
{
	$machine++;
	my $ahead = ahead($machine);
	my ($out, $err) = ('', '');
	my $timeout = $how eq 'statement_timeout' ? "SET statement_timeout = '500ms';" : '';
	my $waiter = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-v', 'VERBOSITY=verbose', '-c',
			"SET application_name = 'waiter'", '-c',
			"SET idgen.machine_id = $machine", '-c', "SET idgen.max_clock_wait = '1h'", '-c',
			"$timeout SELECT snowflake_nextval()" ],
		'>', \$out, '2>', \$err);
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event_type = 'Extension'")
	  or die 'the session does not wait' unless $timeout;

	# The wait holds nothing that another session of the ID space needs.
	my @others = nextvals($node, 1000,
		set => "SET idgen.machine_id = $machine; SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '20s'");
	check_ids("$how: another session goes on meanwhile", \@others);

	$node->safe_psql('postgres',
		"SELECT $how(pid) FROM pg_stat_activity WHERE application_name = 'waiter'")
	  unless $timeout;
	$waiter->finish;
	like($err, $end{$how}, "$how ends the wait");
	is($node->safe_psql('postgres', "SELECT clock_timestamp() < snowflake_timestamp($ahead)"),
		't', "$how: while the clock was still behind");
	is($out =~ s/^[tf]?\n//r, '', "$how: no ID");
	my @after = nextvals($node, 1000,
		set => "SET idgen.machine_id = $machine; SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '20s'");
	check_ids("$how: after it", \@others, \@after);
}

# Read-only and serializable transactions.
is($node->safe_psql('postgres',
		'BEGIN READ ONLY; SELECT snowflake_nextval() > 0; COMMIT'), 't', 'a read-only transaction');
is($node->safe_psql('postgres',
		'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SELECT snowflake_nextval() > 0; COMMIT'),
	't', 'a serializable read-only transaction');
is($node->safe_psql('postgres',
		'BEGIN; SELECT count(snowflake_nextval()) FROM generate_series(1, 10); SELECT pg_current_xact_id_if_assigned() IS NULL; COMMIT'),
	"10\nt", 'making IDs needs no transaction ID');

# A changed identity reaches running sessions and new ones.
my $old = $node->background_psql('postgres');
is($old->query_safe('SELECT snowflake_machine(snowflake_nextval())'), 0, 'machine ID by default');
$node->safe_psql('postgres', "LOAD 'idgen'; ALTER SYSTEM SET idgen.machine_id = 27");
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('idgen.machine_id') = '27'");
$old->query_safe('SELECT pg_sleep(0.2)');
is($old->query_safe('SELECT snowflake_machine(snowflake_nextval())'),
	27, 'ALTER SYSTEM and a reload reach a session that runs');
$old->quit;
is($node->safe_psql('postgres', 'SELECT snowflake_machine(snowflake_nextval())'),
	27, 'and a new one');

$node->stop;
done_testing();
