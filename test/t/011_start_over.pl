# A clock that is a year ahead while IDs are made, and is then corrected: what is refused, and the
# one way back to work.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime;

my $year = 365 * 86400;
my $quick = "idgen.max_clock_wait = '100ms'\nidgen.reserve_window = '500ms'\n";
my $node = new_server('far_ahead', clock => '+0', conf => $quick, streaming => 1);
$node->safe_psql('postgres', q{
	CREATE DATABASE other;
	CREATE DATABASE third;
	SELECT idgen_create_generator('fixed', 'snowflake', machine_id => 5)});
$node->safe_psql($_, 'CREATE EXTENSION idgen') for qw(other third);

my @before = nextvals($node, 1000);
my ($state, $out, $err) = sqlstate_of($node, 'SELECT idgen_start_over(9)');
is($state, '55000', 'a mark that is not ahead is none to start over from');

# It may have to wait for a lock on the mark's sequence. The wait can be cancelled.
{
	my $waiting = q{FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%start\_over(9)%' AND pid <> pg_backend_pid()};
	my $locker = $node->background_psql('postgres');
	$locker->query_safe('BEGIN; ALTER SEQUENCE idgen_high_water_mark CACHE 2');
	my $waiter = $node->background_psql('postgres', on_error_stop => 0);
	$waiter->query_until(qr/now/, "\\echo now\nSELECT idgen_start_over(9);\n");
	$node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting") or die 'nobody waits';
	push @before, nextvals($node, 100, database => 'other');
	is($node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) $waiting"), 't', 'IDs are made elsewhere while it waits');
	$waiter->query('SELECT 1');
	like($waiter->{stderr}, qr/canceling statement due to user request/, 'and it can be cancelled');
	$locker->query_safe('ROLLBACK');
	$_->quit for $locker, $waiter;
}

# A year ahead, two generators make IDs in both databases. One of them has no machine ID.
set_clock($node, "+$year");
my @ahead = nextvals($node, 1000);
my @ahead_other = nextvals($node, 1000, database => 'other');
my @ahead_tso = nextvals($node, 1000, generator => 'tso');
my @ahead_fixed = nextvals($node, 1000, generator => 'fixed');
my @fresh_anyway = qw(uuidv7 ulid uuidv6 uuidv1);
my $of_each = 'SELECT ' . join(' UNION ALL SELECT ', map { "${_}_nextval_batch(100)::text" } @fresh_anyway);
my $uuids_ahead = $node->safe_psql('postgres', $of_each);
$node->safe_psql('postgres', 'SELECT hlc_now(), uuidv8_nextval()');
set_clock($node, '+0');

sub is_refused
{
	my ($name, $sql, %options) = @_;
	my ($got) = sqlstate_of($node, $sql, %options);
	is($got, $options{state} // '58000', $name);
	return;
}
is_refused('the clock is right again: refused', 'SELECT snowflake_nextval()');
is_refused('in the other database', 'SELECT snowflake_nextval()', database => 'other');
$node->stop('fast');
start_with_clock($node, '+0');
is_refused('after a restart nobody knows what was used', 'SELECT snowflake_nextval()');
is_refused('also with a machine ID that was not',
	'SET idgen.machine_id = 9; SELECT snowflake_nextval()');
my $log = slurp_file($node->logfile);
like($log, qr/LOG:\s+clock was set forward by \d+\.\d+ s/, 'the step forward is in the log');
like($log, qr/LOG:\s+clock was set back by \d+\.\d+ s/, 'the step back is in the log');

# What idgen_start_over() refuses.
is_refused('a machine ID that was tried on this server', 'SELECT idgen_start_over(9)',
	state => '55006');
is_refused('the machine ID of the settings', 'SELECT idgen_start_over(0)', state => '55006');
is_refused('one that a generator has', 'SELECT idgen_start_over(5)', state => '55006');
is_refused('a negative one', 'SELECT idgen_start_over(-1)', state => '22023');
is_refused('an ordinary role', 'CREATE ROLE clerk; SET ROLE clerk; SELECT idgen_start_over(7)',
	state => '42501');
is_refused('refusals leave nothing behind', 'SELECT snowflake_nextval()');

# First in one database, then in the other, while a session is at work.
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query('SET idgen.machine_id = 3; SELECT snowflake_nextval()');
my $mark = $node->safe_psql('postgres', 'SELECT mark_ms FROM idgen_get_mark()');
($state, $out, $err) = sqlstate_of($node, 'SELECT idgen_start_over(7)');
is($state, '', 'started over') or diag($err);
like($err, qr/WARNING:.*makes no IDs until it is restarted/, 'with a warning');
is($node->safe_psql('postgres', 'SELECT held_until_ms FROM idgen_get_mark()'), $mark, 'the hold is the mark');
# A second call that fails takes nothing back.
is_refused('a machine ID in use, in the other database', 'SELECT idgen_start_over(0)', database => 'other',
	state => '55006');
for my $machine (0, 3, 7)
{
	is_refused("machine ID $machine before the restart",
		"SET idgen.machine_id = $machine; SELECT snowflake_nextval()", state => '55000');
}
is_refused('in the other database', 'SELECT snowflake_nextval()', database => 'other', state => '55000');
$session->query('SELECT snowflake_nextval()');
like($session->{stderr}, qr/restarted|behind the next ID/, 'in a session that was at work');
$session->quit;
is($node->safe_psql('postgres', 'SELECT mark_ms < extract(epoch FROM clock_timestamp()) * 1000 + 1 FROM idgen_get_mark()'),
	't', 'nobody has put the mark forward again');

# The other database is still ahead. That holds everything back until it is done there too.
$node->append_conf('postgresql.conf', "idgen.machine_id = 7\n");
restart_with_clock($node, '+0');
is_refused('the mark of the other database is still ahead', 'SELECT snowflake_nextval()');
$node->append_conf('postgresql.conf', "idgen.machine_id = 8\n");
restart_with_clock($node, '+0');
($state, $out, $err) = sqlstate_of($node, 'SELECT idgen_start_over(7)', database => 'other');
is($state, '', 'started over there') or diag($err);
$node->append_conf('postgresql.conf', "idgen.machine_id = 7\n");
restart_with_clock($node, '+0');

# A database that was never ahead respects the holds of the others, even if it makes the first ID.
is_refused('machine ID 0 in a database that was never ahead',
	'SET idgen.machine_id = 0; SELECT snowflake_nextval()', database => 'third');

# The new machine ID works at once, and only that one.
my @after = nextvals($node, 3000);
my @after_other = nextvals($node, 3000, database => 'other');
check_ids('machine ID 7', \@after, \@after_other, [ nextvals($node, 100, database => 'third') ]);
is($node->safe_psql('postgres', "SELECT count(*) FROM unnest('{@{[join ',', @after]}}'::bigint[]) id
		WHERE snowflake_machine(id) <> 7 OR abs(extract(epoch FROM snowflake_timestamp(id) - clock_timestamp())) > 60"),
	0, 'they are of machine 7, and of now');
for my $machine (0, 3, 9)
{
	is_refused("machine ID $machine", "SET idgen.machine_id = $machine; SELECT snowflake_nextval()");
}
is_refused('a generator with a machine ID', q{SELECT idgen_nextval('fixed')});
is_refused('a layout without a machine ID', q{SELECT idgen_nextval('tso')});

# UUIDs with random bits of each run of the server cannot come again. Nothing holds them back.
my %seen = map { $_ => 1 } split(/\n/, $uuids_ahead . "\n" . $node->safe_psql('postgres', $of_each));
is(scalar keys %seen, 2 * 100 * @fresh_anyway, 'UUIDs and ULIDs go on');
is_refused('a UUID with a machine ID that was used',
	'SET idgen.machine_id = 0; SELECT uuidv8_nextval()');
is_refused('the same in version 6',
	'SET idgen.machine_id = 0; SET idgen.uuid_node = identity; SELECT uuidv6_nextval()');
is_refused('the hybrid logical clock', 'SELECT hlc_now()');
is_refused('there is nothing to start over from now', 'SELECT idgen_start_over(10)', state => '55000');

# Crashes, and a clock that goes back: machine ID 7 is as safe as any.
kill_server($node);
start_with_clock($node, '-3600');
is_refused('an hour back after a crash', 'SELECT snowflake_nextval()');
restart_with_clock($node, '+0');
check_ids('machine ID 7, after a crash', [ @after, @after_other ], [ nextvals($node, 3000) ]);
is_refused('machine ID 0 after a crash', 'SET idgen.machine_id = 0; SELECT snowflake_nextval()');

# A dump and a standby carry the hold.
{
	my $dump = $node->basedir . '/dump.sql';
	$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
	my $new = PostgreSQL::Test::Cluster->new('restored');
	$new->init;
	$new->append_conf('postgresql.conf', $quick);
	$new->start;
	$new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $new->connstr('postgres') ],
		'restored');
	($state) = sqlstate_of($new, 'SELECT snowflake_nextval()');
	is($state, '58000', 'restored: machine ID 0 is held');
	my @ids = $new->safe_psql('postgres', q{
		SET idgen.machine_id = 7; SET idgen.max_clock_wait = '10s';
		SELECT snowflake_nextval() FROM generate_series(1, 100)}) =~ /(\d+)/g;
	check_ids('restored: machine ID 7', [ @after ], \@ids);
	$new->stop;

	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	$standby->start;
	my @primary = nextvals($node, 100);
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	($state) = sqlstate_of($standby, 'SELECT idgen_start_over(11)');
	is($state, '25006', 'a standby does not start over');
	$node->stop('immediate');
	$standby->promote;
	($state) = sqlstate_of($standby, 'SET idgen.machine_id = 0; SELECT snowflake_nextval()');
	is($state, '58000', 'promoted: machine ID 0 is held');
	check_ids('promoted: machine ID 7', \@primary, [ nextvals($standby, 100, set => "SET idgen.max_clock_wait = '10s'") ]);
	$standby->stop;
}

# When the time has come, all is as before: no ID of that year is made again.
start_with_clock($node, '+' . ($year + 60));
for my $case ([ 0, 'snowflake', \@ahead, \@ahead_other ], [ 5, 'fixed', \@ahead_fixed ], [ 0, 'tso', \@ahead_tso ])
{
	my ($machine, $generator, @runs) = @$case;
	check_ids("$generator, a year later", @runs,
		[ nextvals($node, 1000, generator => $generator, set => "SET idgen.machine_id = $machine") ]);
}
$node->stop;

done_testing();
