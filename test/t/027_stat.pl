# Statistics: no ID is lost from the counts, however a session ends; a crash resets them; a standby
# shows them. And the kernel's clock, as a library that is loaded before libc shows it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A kernel that says what a file says: an error number, or a maximum error in microseconds.
my $dir = PostgreSQL::Test::Utils::tempdir();
my $says = "$dir/says";
my $shim = "$dir/adjtimex.so";
append_to_file("$dir/adjtimex.c", <<'END');
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
int adjtimex(struct timex *reading) {
  char what[16] = "";
  long value = 0;
  FILE *file = fopen(getenv("ADJTIMEX_SAYS"), "r");
  if (file == NULL || fscanf(file, "%15s %ld", what, &value) != 2) abort();
  fclose(file);
  if (reading->modes != 0) abort(); /* it must only be read */
  memset(reading, 0, sizeof(*reading));
  if (strcmp(what, "errno") == 0) { errno = (int)value; return -1; }
  reading->maxerror = value;
  reading->esterror = 16;
  reading->freq = -3 * 65536 / 2;
  reading->offset = -2500;
  reading->tick = 10000;
  reading->tai = 37;
  reading->status = STA_UNSYNC | STA_INS;
  return TIME_ERROR;
}
END
my $has_shim = eval { IPC::Run::run([ 'cc', '-shared', '-fPIC', '-o', $shim, "$dir/adjtimex.c" ], '>&', \my $out) };

sub kernel_says
{
	my ($what) = @_;
	append_to_file("$says.new", "$what\n");
	rename("$says.new", $says) or die "cannot rename $says.new: $!";
	return;
}
kernel_says('maxerror 16000000');
$ENV{ADJTIMEX_SAYS} = $says;

sub start
{
	my ($server) = @_;
	local $ENV{LD_PRELOAD} = $shim if $has_shim;
	$server->start;
	return;
}

my $node = PostgreSQL::Test::Cluster->new('stat');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'END');
restart_after_crash = on
max_connections = 40
max_prepared_transactions = 2
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
END
start($node);
$node->safe_psql('postgres', 'CREATE EXTENSION idgen');

# The mark is written at first, and again when its window of a second is nearly over.
my $writes = q{SELECT mark_writes FROM idgen_stat_database WHERE datname = 'postgres'};
$node->safe_psql('postgres', 'SELECT snowflake_nextval()');
my $written = $node->safe_psql('postgres', $writes);
$node->safe_psql('postgres', 'SELECT pg_sleep(1.1); SELECT snowflake_nextval()');
cmp_ok($node->safe_psql('postgres', $writes), '>', $written, 'writes of the mark are counted');
is($node->safe_psql('postgres', q{SELECT flush_time > 0 AND ahead < 1500 FROM idgen_stat_database}), 't', 'and their time');

# One tick is an hour, so that the IDs of one session have consecutive sequence numbers. Half of it has
# passed.
$node->safe_psql('postgres', q{
	SELECT idgen_create_layout('hour', 'timestamp:20, machine:6, sequence:31', tick => '1 h',
		epoch => clock_timestamp() - interval '100 hours 30 min')});

sub ids_of
{
	my ($machine) = @_;
	return $node->safe_psql('postgres',
		"SELECT sum(ids) FROM idgen_stat WHERE layout = (SELECT value FROM idgen_layouts WHERE layout = 'hour') AND machine_id = $machine");
}

sub poll_ids
{
	my ($machine, $count, $name) = @_;
	$node->poll_query_until('postgres',
		"SELECT sum(ids) = $count FROM idgen_stat WHERE layout = (SELECT value FROM idgen_layouts WHERE layout = 'hour') AND machine_id = $machine");
	is(ids_of($machine), $count, $name);
	return;
}

sub failed_parts
{
	my ($server) = @_;
	return $server->safe_psql('postgres',
		"SELECT key, value FROM jsonb_each(idgen_diagnostics()) WHERE jsonb_typeof(value) = 'object' AND value ? 'error'");
}

# Many sessions at once, each in its own way. What they are given is counted by the client.
append_to_file("$dir/$_->[0].sql", "$_->[1]\n") for
	[ one => "SELECT idgen_nextval('hour');" ],
	[ many => "SELECT count(idgen_nextval('hour')) FROM generate_series(1, 500);" ],
	[ blocks => "SET idgen.block_size = 300;\nSELECT count(idgen_nextval('hour')) FROM generate_series(1, 200);" ],
	[ rows => "SELECT count(*) FROM (SELECT idgen_nextval_batch('hour', 1000) LIMIT 100) b;" ],
	[ array => "BEGIN;\nSELECT cardinality(idgen_nextval_array('hour', 50));\nROLLBACK;" ];
my %of_call = (one => 1, many => 500, blocks => 200, rows => 100, array => 50);
my ($clients, $calls, $given) = (3, 40, 0);
$node->append_conf('postgresql.conf', 'idgen.machine_id = 1');
$node->reload;
my @runs;
for my $kind (sort keys %of_call)
{
	push @runs, IPC::Run::start([ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $clients, '-j', 1,
		'-t', $calls, '-f', "$dir/$kind.sql", 'postgres' ], '>', \my $out, '2>', \my $err);
	$given += $clients * $calls * $of_call{$kind};
}
ok($_->finish, 'sessions make IDs') for @runs;
poll_ids(1, $given, 'every ID of many sessions is counted, and none that was not given');

# In parallel workers.
$node->safe_psql('postgres', q{
	CREATE TABLE numbers AS SELECT generate_series(1, 30000) AS n; ANALYZE numbers;
	SELECT idgen_create_generator('parallel', 'hour', machine_id => 2)});
my $parallel = q{SELECT count(idgen_nextval('parallel')) FROM numbers};
like($node->safe_psql('postgres', "EXPLAIN (ANALYZE) $parallel"), qr/Workers Launched: [1-9]/, 'workers make IDs');
poll_ids(2, 30000, 'those of parallel workers are counted');

# In a prepared transaction.
$node->safe_psql('postgres', q{BEGIN; SELECT count(idgen_nextval('parallel')) FROM generate_series(1, 7); PREPARE TRANSACTION 'p'});
is(ids_of(2), 30007, 'those of a prepared transaction are counted');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'p'");
is(ids_of(2), 30007, 'once');

# The extension in another schema.
$node->safe_psql('postgres', 'CREATE SCHEMA "an other"; ALTER EXTENSION idgen SET SCHEMA "an other"');
is($node->safe_psql('postgres',
		q{SELECT count(*) FROM "an other".idgen_diagnostics() d, jsonb_each(d) WHERE jsonb_typeof(value) = 'object' AND value ? 'error'}),
	0, 'idgen_diagnostics() in another schema');
is($node->safe_psql('postgres', 'SELECT count(*) FROM "an other".idgen_stat_server'), 1, 'a view in another schema');
$node->safe_psql('postgres', 'ALTER EXTENSION idgen SET SCHEMA public');

# A session that is terminated, in the middle of a statement and between two. The last number tells
# how many there were.
sub terminated
{
	my ($machine, $is_at_it, @statements) = @_;
	$node->safe_psql('postgres', "SELECT idgen_create_generator('g$machine', 'hour', machine_id => $machine)");
	my $first = $node->safe_psql('postgres', "SELECT idgen_nextval('g$machine')");
	my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'),
			map { ('-c', $_) } "SET application_name = 'victim$machine'", 'BEGIN', @statements ],
		'>', \my $out, '2>', \my $err);
	my $of_victim = "FROM pg_stat_activity WHERE application_name = 'victim$machine'";
	$node->poll_query_until('postgres', "SELECT count(*) = 1 $of_victim AND $is_at_it") or die 'no victim';
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid, 60000) $of_victim");
	$session->finish;
	my $made = $node->safe_psql('postgres',
		"SELECT (idgen_parse(idgen_nextval('g$machine'), 'hour')).sequence::bigint - (idgen_parse($first, 'hour')).sequence + 1");
	cmp_ok($made, '>', 100, "generator g$machine: the session made IDs");
	is(ids_of($machine), $made, "generator g$machine: all are counted");
	return;
}
terminated(3, "wait_event = 'PgSleep'",
	"SELECT count(idgen_nextval('g3')) FROM generate_series(1, 1000)", 'SELECT pg_sleep(600)');
terminated(4, "state = 'active' AND query LIKE '%md5%' AND query_start < clock_timestamp() - interval '500 ms'", 'SET jit = off',
	"SELECT count(md5(repeat(idgen_nextval('g4')::text, 500))) FROM generate_series(1, 10000) a, generate_series(1, 10000) b");

# Who waits, and for what: a tick (two IDs an hour), and the clock.
$node->safe_psql('postgres', q{
	SELECT idgen_create_layout('two', 'timestamp:20, sequence:1', tick => '1 h',
		epoch => clock_timestamp() - interval '100 hours 30 min');
	SELECT idgen_observe('snowflake', snowflake_min_id(clock_timestamp() + interval '9 s'))});
for ([ 'two', 'IdgenTick', 'tick_waits' ], [ 'snowflake', 'IdgenClock', 'clock_waits' ])
{
	my ($generator, $event, $column) = @$_;
	$event = 'Extension' if $node->safe_psql('postgres', 'SHOW server_version_num') < 170000;
	my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'waits'",
			'-c', "SET idgen.max_clock_wait = '1h'", '-c', "SELECT count(idgen_nextval('$generator')) FROM generate_series(1, 3)" ],
		'>', \my $out, '2>', \my $err);
	my $waits = "FROM pg_stat_activity WHERE application_name = 'waits' AND wait_event = '$event'";
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $waits"), "generator $generator: waits as $event");
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'waits'");
	$session->finish;
	is($node->safe_psql('postgres',
			"SELECT s.$column FROM idgen_stat s JOIN idgen_generators g USING (layout) WHERE g.generator = '$generator' AND s.machine_id IS NOT DISTINCT FROM (SELECT CASE g.generator WHEN 'snowflake' THEN 1 END)"),
		1, "generator $generator: the wait is counted");
}

# Statistics of a standby are its own: it makes no IDs.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
start($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM idgen_stat'), 0, 'a standby has no ID spaces');
is($standby->safe_psql('postgres', "SELECT lease_state FROM idgen_stat_server"), 'none', 'a standby has a server');
is(failed_parts($standby), '', 'idgen_diagnostics() works on a standby');
is($standby->safe_psql('postgres', "SELECT idgen_diagnostics() #>> '{postgresql,in_recovery}'"), 'true', 'and says that it is one');
$standby->safe_psql('postgres', 'SELECT idgen_stat_reset()');
$standby->stop;

# Passwords of the registry's address are not shown, not even where its client complains of them.
$node->safe_psql('postgres', 'CREATE ROLE ordinary LOGIN');
$node->append_conf('postgresql.conf', "idgen.registry = 'postgresql://me:verysecret\@127.0.0.1:1/ids?connect_timeout=1'\nidgen.max_lease_wait = 100");
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('idgen.registry') <> ''");
isnt((sqlstate_of($node, "SELECT idgen_nextval('parallel')"))[0], '', 'the registry does not answer');
my $report = $node->safe_psql('postgres', 'SELECT idgen_diagnostics()');
unlike($report, qr/verysecret/, 'a report without the password');
is($node->safe_psql('postgres', 'SELECT hosts, database FROM idgen_get_registry()'), '127.0.0.1:1|ids', 'a report with the host');
cmp_ok($node->safe_psql('postgres', 'SELECT lease_failures FROM idgen_stat_server'), '>', 0, 'failures are counted');
$report = $node->safe_psql('postgres', 'SET ROLE ordinary; SELECT idgen_diagnostics()');
unlike($report, qr/verysecret|"registry":/, 'a report for an ordinary role');
$node->append_conf('postgresql.conf', "idgen.registry = ''");
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('idgen.registry') = ''");

SKIP:
{
	skip 'there is no compiler', 1 unless $has_shim;
	my $from = -s $node->logfile;
	my $lost = qr/LOG:\s+clock of this machine is not synchronized$/m;
	my $again = qr/LOG:\s+clock of this machine is synchronized again$/m;
	my $look = sub {
		my ($what) = @_;
		kernel_says($what);
		# The server looks once a second.
		$node->safe_psql('postgres', "SELECT idgen_nextval('parallel'), pg_sleep(0.4)") for 1 .. 3;
		return;
	};
	$look->('maxerror 16000000');
	my $log = slurp_file($node->logfile, $from);
	unlike($log, $lost, 'nothing is said of a clock that was never synchronized');
	is($node->safe_psql('postgres', 'SELECT * FROM idgen_clock()'),
		'not synchronized|f|-2.5|0.016|16000|-1.5|10000|37|insert', 'what the kernel says');

	$look->('maxerror 1000');
	is($node->safe_psql('postgres', 'SELECT state, synchronized, max_error FROM idgen_clock()'),
		'synchronized|t|1', 'a clock is synchronized, whatever STA_UNSYNC says');
	$look->('maxerror 5000001');
	is($node->safe_psql('postgres', 'SELECT clock_state, clock_max_error FROM idgen_stat_server'),
		'not synchronized lately|5000.001', 'a clock is not synchronized any more');
	kernel_says('errno 1');
	is($node->safe_psql('postgres', 'SELECT * FROM idgen_clock()'),
		'unknown: Operation not permitted||||||||', 'a kernel that tells nothing');
	is(failed_parts($node), '', 'and is no error');
	$look->('maxerror 5000000');
	$log = slurp_file($node->logfile, $from);
	my $times = () = $log =~ /$lost/g;
	is($times, 1, 'the log is told once that it is not');
	$times = () = $log =~ /$again/g;
	is($times, 1, 'and once that it is again');
}

# A lead of 30 seconds, and calls that fail because of it.
$node->safe_psql('postgres', q{
	SELECT idgen_create_layout('ahead', 'timestamp:41, sequence:3', tick => '20 ms', epoch => '2021-03-04Z');
	SET idgen.clock_regression = lead;
	SET idgen.max_clock_lead = '1h';
	SELECT idgen_observe('ahead', idgen_max_id(clock_timestamp() + '30 s', 'ahead'));
	SELECT idgen_nextval('ahead')});
is((sqlstate_of($node, "SET idgen.clock_regression = error; SELECT idgen_nextval('ahead')"))[0], '58000', 'an error at once');
is((sqlstate_of($node, "SET idgen.max_clock_wait = 30; SELECT idgen_nextval('ahead')"))[0], '58000', 'an error after a wait');
is($node->safe_psql('postgres', q{
		SELECT ids, lead BETWEEN 100 AND 30100, largest_lead BETWEEN 100 AND 30100, clock_waits,
			clock_wait_time BETWEEN 20 AND 10000, clock_errors
		FROM idgen_stat WHERE layout = (SELECT value FROM idgen_layouts WHERE layout = 'ahead')}),
	'1|t|t|1|t|2', 'a lead, the wait and the errors are counted');

# A crash resets everything, as PostgreSQL's own. From then on a limit is set: who sets it cares about a
# clock that never was synchronized.
$node->append_conf('postgresql.conf', "idgen.max_clock_error = '4s'");
$node->reload;
kernel_says('maxerror 16000000');
my $from = -s $node->logfile;
my $crashing = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $crashing->query_safe('SELECT pg_backend_pid()');
kill('KILL', $pid) or die "cannot kill $pid: $!";
$crashing->{run}->finish;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM idgen_stat') or die 'statistics survive';
pass('a crash resets what was counted');
$node->safe_psql('postgres', "SELECT idgen_nextval('parallel')");
is(ids_of(2), 1, 'and counting goes on');
like(slurp_file($node->logfile, $from), qr/LOG:\s+clock of this machine is not synchronized$/m, 'a limit that is set counts')
  if $has_shim;

$node->stop;
done_testing();
