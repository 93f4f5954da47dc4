# A killed server and a killed backend: no ID is handed out a second time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "idgen.machine_id = 3\nrestart_after_crash = on\n");

# Only the client knows these IDs: their transactions leave nothing in the database.
my @before = nextvals($node, 5000);
my $mark = $node->safe_psql('postgres', 'SELECT last_value FROM idgen_high_water_mark');
my $latest = $node->safe_psql('postgres', "SELECT (snowflake_parse($before[-1])).unix_ms");
cmp_ok($mark, '>', $latest, 'the high-water mark is ahead of the last ID');

for my $round (1 .. 3)
{
	kill_server($node);
	$node->start;
	my @after = nextvals($node, 5000);
	check_ids("kill -9 of the postmaster, round $round", \@before, \@after);
	@before = @after;
}

# One backend dies while it generates. All sessions end, shared memory is created again, and the
# postmaster goes on.
my $psql = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $psql->query_safe('SELECT pg_backend_pid()');
$psql->query_safe('SELECT count(snowflake_nextval()) FROM generate_series(1, 10000)');
my @more = nextvals($node, 100);
kill('KILL', $pid);
eval { $psql->quit };
$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()')
  or die 'the server did not come back';
check_ids('kill -9 of a backend', \@before, \@more, [ nextvals($node, 5000) ]);

# Immediate and fast shutdowns.
my @last = nextvals($node, 1000);
for my $mode ('immediate', 'fast')
{
	$node->stop($mode);
	$node->start;
	my @next = nextvals($node, 1000);
	check_ids("$mode shutdown", \@last, \@next);
	@last = @next;
}

# Several sessions fill a table with the default in its key while the server dies.
$node->safe_psql('postgres',
	'CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item int)');
my $script = PostgreSQL::Test::Utils::tempdir() . '/insert.sql';
append_to_file($script, "INSERT INTO orders (item) SELECT generate_series(1, 20);\n");
my @pgbench = (
	'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', '8', '-j', '2', '-t', '100000',
	'-f', $script, 'postgres');
my $load = IPC::Run::start(\@pgbench, '>', '/dev/null', '2>', '/dev/null');
$node->poll_query_until('postgres', 'SELECT count(*) > 5000 FROM orders');
kill_server($node);
$load->finish;
$node->start;
my $largest = $node->safe_psql('postgres', 'SELECT max(id) FROM orders');
$node->safe_psql('postgres', 'INSERT INTO orders (item) SELECT generate_series(1, 5000)');
is( $node->safe_psql(
		'postgres', "SELECT count(*) FROM orders WHERE id > $largest"),
	5000,
	'all IDs after the crash are greater than all before');

# What was observed is remembered: the mark was moved before the position.
my $seen = $node->safe_psql('postgres',
	"SELECT snowflake_min_id(clock_timestamp() + interval '9 s')");
$node->safe_psql('postgres', "SELECT idgen_observe('snowflake', $seen)");
is( $node->safe_psql('postgres',
		"SELECT last_value > (snowflake_parse($seen)).unix_ms FROM idgen_high_water_mark"),
	't', 'the mark covers an observed ID');
kill_server($node);
$node->start;
check_ids('an ID observed before a crash', [$seen],
	[ nextvals($node, 10, set => "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '20s'") ]);

$node->stop;
done_testing();
