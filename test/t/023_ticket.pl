# Tickets across crashes, stops, terminated sessions, rollbacks, promotion, dump and restore: none comes
# twice. A crash skips one reserve at most, and a clean stop none.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $reserve = 20_000;
my $node = new_server('main', streaming => 1, conf => <<"CONF");
idgen.ticket_reserve = $reserve
max_prepared_transactions = 5
wal_consistency_checking = 'generic'
restart_after_crash = on
wal_writer_delay = 10s
log_min_messages = fatal
CONF
$node->safe_psql('postgres', 'CREATE SEQUENCE tickets; CREATE SEQUENCE alone');

# Tickets straight from the sequence, as the client gets them.
sub tickets
{
	my ($server, $count, %options) = @_;
	my $sequence = $options{sequence} // 'tickets';
	my $sql = ($options{set} // '') . "SELECT ticket_nextval('$sequence') FROM generate_series(1, $count)";
	return split(/\n/, $server->safe_psql($options{database} // 'postgres', $sql));
}

# --- Stops: none is skipped ----------------------------------------------------------------------

my @before = tickets($node, 5000);
is("@before[0, -1]", '1 5000', 'tickets are dense');
$node->restart;
my @after = tickets($node, 10);
is($after[0], 5001, 'a clean stop loses none');

# The session that is the last to use the sequence gives the rest back, however it ends.
is((tickets($node, 1))[0], 5011, 'nor does the end of a session');
my $first = $node->background_psql('postgres');
my $second = $node->background_psql('postgres', on_error_stop => 0);
is($first->query_safe("SELECT ticket_nextval('tickets')"), 5012, 'one session');
$second->query_safe('BEGIN');
is($second->query_safe("SELECT ticket_nextval('tickets')"), 5013, 'another, in a transaction');
my $pid = $second->query_safe('SELECT pg_backend_pid()');
$first->quit;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
eval { $second->quit };
is((tickets($node, 1))[0], 5014, 'nor a session that is terminated in a transaction');
# It is written when the session has ended, which its client does not wait for.
ok($node->poll_query_until('postgres', 'SELECT last_value = 5014 AND is_called FROM tickets'),
	'the page shows the last one');

# With sessions that go on, the one that ends gives nothing back.
$first = $node->background_psql('postgres');
is($first->query_safe("SELECT ticket_nextval('tickets')"), 5015, 'a session that stays');
is((tickets($node, 1))[0], 5016, 'one that comes and goes');
is($first->query_safe("SELECT ticket_nextval('tickets')"), 5017, 'the one that stayed');
# A sequence that is dropped while a session has a range of it is no trouble.
$first->query_safe("CREATE SEQUENCE gone; SELECT ticket_nextval('gone')");
$node->safe_psql('postgres', 'DROP SEQUENCE gone');
$first->quit;

# --- Crashes -------------------------------------------------------------------------------------

my @last = tickets($node, 3);
my $session = $node->background_psql('postgres', on_error_stop => 0);
my @taken = split /\n/, $session->query_safe("SELECT ticket_nextval('tickets') FROM generate_series(1, 30000)");
# Nothing else flushes the log after this one.
my @alone = $session->query_safe("SELECT ticket_nextval('alone')");
kill_server($node);
eval { $session->quit };
$node->start;
@after = tickets($node, 3000);
check_ids('the first ticket before a crash', \@alone, [ tickets($node, 10, sequence => 'alone') ]);
check_ids('kill -9 of the postmaster', \@last, \@taken, \@after);
cmp_ok($after[0] - $taken[-1], '<=', $reserve + 1, 'one reserve is skipped at most');
@last = @after;

my $victim = $node->background_psql('postgres', on_error_stop => 0);
@taken = split /\n/, $victim->query_safe("SELECT ticket_nextval('tickets') FROM generate_series(1, 1000)");
$pid = $victim->query_safe('SELECT pg_backend_pid()');
kill('KILL', $pid);
eval { $victim->quit };
$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the server did not come back';
@after = tickets($node, 10);
check_ids('kill -9 of a backend', \@last, \@taken, \@after);
@last = @after;

# --- Files that a crash, or a rollback after it, takes back -------------------------------------------

# Each with a sequence of its own, and one crash for all. The change is in an open transaction, or
# prepared and then ended in either way.
my %changes = (
	open_restart => [ 'RESTART', '' ],
	open_alter => [ 'INCREMENT 1', '' ],
	prepared_back => [ 'RESTART', 'ROLLBACK' ],
	prepared => [ 'RESTART', 'COMMIT' ]);
my (%runs, @open);
for my $sequence (sort keys %changes)
{
	my ($change, $end) = @{ $changes{$sequence} };
	$node->safe_psql('postgres', "CREATE SEQUENCE $sequence");
	$runs{$sequence} = [ [ tickets($node, 100, sequence => $sequence) ] ];
	$session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query("SET client_min_messages = error; BEGIN; ALTER SEQUENCE $sequence $change");
	push @{ $runs{$sequence} },
	  [ split /\n/, $session->query_safe("SELECT ticket_nextval('$sequence') FROM generate_series(1, 500)") ];
	$session->query("PREPARE TRANSACTION '$sequence'") if $end;
	push @open, $session;
}
kill_server($node);
for (@open) { eval { $_->quit }; }
$node->start;
for my $sequence (sort keys %changes)
{
	my ($change, $end) = @{ $changes{$sequence} };
	if ($end)
	{
		my ($state) = sqlstate_of($node, "SET lock_timeout = '50ms'; SELECT ticket_nextval('$sequence')");
		is($state, '55P03', "$sequence: a prepared change locks the sequence, as for nextval()");
		$node->safe_psql('postgres', "$end PREPARED '$sequence'");
	}
	my $plain = $node->safe_psql('postgres', "SELECT nextval('$sequence')");
	check_ids("$sequence: a change, and a crash", @{ $runs{$sequence} }, [$plain],
		[ tickets($node, 10, sequence => $sequence, set => 'SET client_min_messages = error;') ]);
}

# --- Dump and restore ----------------------------------------------------------------------------

{
	$session = $node->background_psql('postgres');
	my @seen = $session->query_safe("SELECT ticket_nextval('tickets')");
	my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
	$node->command_ok([ 'pg_dump', '-f', $file, '-d', $node->connstr('postgres') ], 'pg_dump, while in use');
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr('restored') ], 'restore');
	check_ids('restored', \@seen, [ tickets($node, 10, database => 'restored') ]);
	# A copy of the database has the page of this server's run, and nobody else's range.
	$session->quit;
	$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE postgres');
	my ($here, $there) = ((tickets($node, 1))[0], (tickets($node, 1, database => 'copied'))[0]);
	is($there, $here, 'a copied database goes on from the same number');
}

# --- Many sessions, beside plain nextval() and setval() --------------------------------------------

$node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE mixed;
CREATE TABLE made (id bigint PRIMARY KEY);
SQL
my $dir = PostgreSQL::Test::Utils::tempdir();
my %scripts = (
	one => "INSERT INTO made SELECT ticket_nextval('mixed');\n",
	many => "INSERT INTO made SELECT ticket_nextval('mixed') FROM generate_series(1, 50);\n",
	block => "INSERT INTO made SELECT first + i FROM ticket_reserve('mixed', 20) first, generate_series(0, 19) i;\n",
	lost => "BEGIN;\nSELECT ticket_nextval('mixed');\nROLLBACK;\n",
	plain => "INSERT INTO made SELECT nextval('mixed');\n",
	forward => "BEGIN;\nSELECT pg_advisory_xact_lock(1);\nSELECT setval('mixed', last_value + 1000000) FROM mixed;\nCOMMIT;\n",
	alter => "ALTER SEQUENCE mixed INCREMENT 1;\n");
my %weights = (one => 20, many => 20, block => 20, lost => 5, plain => 10, forward => 2, alter => 1);
append_to_file("$dir/$_.sql", $scripts{$_}) for keys %scripts;
# With -C, sessions end and give back all the time.
for my $connects ([], ['-C'])
{
	my $transactions = @$connects ? 40 : 250;
	$node->command_ok(
		[ 'pgbench', '-n', @$connects, '-c', '8', '-j', '2', '-t', $transactions,
		  (map { ('-f', "$dir/$_.sql\@$weights{$_}") } sort keys %scripts), '-h', $node->host, '-p', $node->port,
		  'postgres' ],
		"sessions that take tickets, call nextval() and setval(): no duplicate @$connects");
}
$node->safe_psql('postgres', 'DROP SEQUENCE mixed; DROP TABLE made');

# --- A standby -----------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
for my $call ("ticket_nextval('tickets')", "ticket_reserve('tickets', 2)", "ticket_restart('tickets', 1)")
{
	my ($state, $out, $err) = sqlstate_of($standby, "SELECT $call");
	is($state, '25006', "$call on a standby");
}
# Synchronous: what was handed out is on the standby, though the transactions write nothing.
$node->append_conf('postgresql.conf', "synchronous_standby_names = '*'\nidgen.ticket_reserve = 50\n");
$node->reload;
$node->poll_query_until('postgres', q{SELECT sync_state = 'sync' FROM pg_stat_replication})
  or die 'the standby does not become synchronous';
$session = $node->background_psql('postgres', on_error_stop => 0);
$session->query("SET statement_timeout = '500ms'; SET synchronous_commit = local");
my $take = "SELECT ticket_nextval('tickets')";
my @replicated = $session->query_safe($take);
$standby->stop('immediate');
# What the standby has goes on, and then nothing.
my ($state, $lasts) = ('', 0);
while ($lasts++ < 200)
{
	my $out = $session->query($take);
	last if $out !~ /^(\d+)$/;
	push @replicated, $out;
}
cmp_ok(scalar @replicated, '<=', 60, 'without the standby, tickets end with the reserve that it has');
($state) = sqlstate_of($node, "SET statement_timeout = '300ms'; $take");
is($state, '57014', 'for every session');
$node->stop('immediate');
eval { $session->quit };
$standby->start;
$standby->promote;
$standby->safe_psql('postgres', "ALTER SYSTEM SET synchronous_standby_names = ''");
$standby->safe_psql('postgres', 'SELECT pg_reload_conf()');
check_ids('promotion', \@last, \@replicated, [ tickets($standby, 100) ]);
$standby->stop;

# --- wal_level = minimal: what the transaction made is not logged -----------------------------------

$node->append_conf('postgresql.conf',
	"wal_level = minimal\nmax_wal_senders = 0\nsynchronous_standby_names = ''\narchive_mode = off\n");
$node->start;
@last = tickets($node, 10);
@taken = split /\n/, $node->safe_psql('postgres', <<'SQL');
SET client_min_messages = error;
BEGIN;
ALTER SEQUENCE tickets RESTART;
SELECT ticket_nextval('tickets') FROM generate_series(1, 200);
SAVEPOINT a;
ALTER SEQUENCE tickets RESTART;
SELECT ticket_nextval('tickets') FROM generate_series(1, 200);
ROLLBACK TO a;
SELECT ticket_nextval('tickets') FROM generate_series(1, 200);
COMMIT;
SQL
kill_server($node);
$node->start;
check_ids('wal_level = minimal', \@last, \@taken, [ tickets($node, 100) ]);
$node->stop;

done_testing();
