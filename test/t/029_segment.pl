# Segments from ticket servers: numbers of one sequence for many servers. None comes twice, whatever
# stops, crashes, is cloned, promoted, restored, set back or rolled back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $segment = 1000;
my $reserve = 100;

sub ticket_server
{
	my ($name) = @_;
	my $server = new_server($name, conf => "autovacuum = off\n");
	return $server;
}
sub address { return sprintf('postgresql:///postgres?host=%s&port=%d', $_[0]->host, $_[0]->port); }

my ($first, $second) = map { ticket_server($_) } qw(first second);
my $conf = <<"CONF";
idgen.ticket_servers = '@{[ address($first) ]}'
idgen.ticket_segment = $segment
idgen.ticket_reserve = $reserve
idgen.max_lease_wait = 20s
max_prepared_transactions = 5
log_min_messages = log
restart_after_crash = on
CONF
my $one = new_server('a', streaming => 1, conf => $conf);
my $two = new_server('b', conf => $conf);
my $sequence;
my %seen;    # its numbers that anybody has seen

# Goes on with another sequence, whose segments are small.
sub use_sequence
{
	my ($name, %options) = @_;
	($sequence, %seen) = ($name);
	$_->safe_psql('postgres', "CREATE SEQUENCE $name; SELECT ticket_attach('$name')") for ($one, $two);
	$first->safe_psql('postgres', "CREATE SEQUENCE $name $options{first}") if defined $options{first};
	$second->safe_psql('postgres', "CREATE SEQUENCE $name $options{second}") if defined $options{second};
	return;
}

sub tickets
{
	my ($server, $count, %options) = @_;
	my $name = $options{sequence} // $sequence;
	my $sql = ($options{set} // '') . "SELECT ticket_nextval('$name') FROM generate_series(1, $count)";
	return split(/\n/, $server->safe_psql($options{database} // 'postgres', $sql));
}
sub last_value { return $_[0]->safe_psql('postgres', "SELECT last_value FROM $_[1]"); }
sub set_servers
{
	my ($server, @addresses) = @_;
	$server->safe_psql('postgres', "ALTER SYSTEM SET idgen.ticket_servers = '@addresses'");
	$server->reload;
	$server->poll_query_until('postgres', "SELECT current_setting('idgen.ticket_servers') = '@addresses'")
	  or die 'the setting does not come';
}
sub status { return $_[0]->safe_psql('postgres', "SELECT $_[1] FROM ticket_status('$sequence')"); }

# Notes numbers that somebody has got.
sub hand_out
{
	my ($what, @numbers) = @_;
	my @twice = grep { $seen{$_}++ } @numbers;
	is("@twice[0 .. ($#twice < 4 ? $#twice : 4)]", '', "$what: no number twice");
}

# --- Two servers, one sequence ---------------------------------------------------------------------

use_sequence('orders', first => '');
my (@a, @b);
for (1 .. 3)
{
	push @a, tickets($one, 700);
	push @b, tickets($two, 700);
}
hand_out('two servers', @a, @b);
check_ids('a', map { [$_] } @a);
check_ids('b', map { [$_] } @b);
cmp_ok($a[-1], '<', 20 * $segment, 'the numbers are dense but for segments');
hand_out('a block larger than a segment',
	split /\n/, $one->safe_psql('postgres', "SELECT f + i FROM ticket_reserve('orders', 3000) f, generate_series(0, 2999) i"));
sub workers { return grep { /idgen ticket worker/ } split /\n/, `ps -o pid=,args= --ppid @{[ $_[0]->{_pid} ]}`; }
is(scalar(workers($one)), 1, 'one worker');

# nextval() and setval() come to no number of a segment.
my ($state, $out, $err) = sqlstate_of($one, "SELECT nextval('orders')");
is($state, '2200H', 'nextval()');
($state) = sqlstate_of($one, "SELECT setval('orders', 5)");
is($state, '22003', 'setval()');
my @plain = split /\n/, $one->safe_psql('postgres', "SELECT setval('orders', 9223372036854775806); SELECT nextval('orders')");
hand_out('after setval() as far as it goes', tickets($one, 10), @plain);

# --- Stops and crashes ---------------------------------------------------------------------------

my ($last) = tickets($one, 1);
hand_out('before a stop', $last);
my $given = last_value($first, 'orders');
for my $round (1 .. 3)
{
	$one->restart;
	my ($next) = tickets($one, 1);
	hand_out('after a stop', $next);
	is($next, $last + 1, "stop $round skips no number");
	$last = $next;
}
# Sessions that come and go.
for (1 .. 20)
{
	my ($next) = tickets($one, 1);
	is($next, $last + 1, 'nor does the end of a session') if $next != $last + 1;
	hand_out('a session', $next) if $seen{$next};
	$seen{$next} = 1;
	$last = $next;
}
cmp_ok(last_value($first, 'orders') - $given, '<=', 16 * $segment, 'and segments are kept');

my $session = $one->background_psql('postgres', on_error_stop => 0);
my @taken = split /\n/, $session->query_safe("SELECT ticket_nextval('orders') FROM generate_series(1, 5)");
kill_server($one);
eval { $session->quit };
$one->start;
my @after = tickets($one, 10);
hand_out('kill -9 of the postmaster', @taken, @after);
cmp_ok($after[0] - $taken[-1], '<=', $reserve + 1, 'a crash skips one reserve at most');
$session = $one->background_psql('postgres', on_error_stop => 0);
@taken = split /\n/, $session->query_safe("SELECT ticket_nextval('orders') FROM generate_series(1, 150)");
kill('KILL', $session->query_safe('SELECT pg_backend_pid()'));
eval { $session->quit };
$one->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the server did not come back';
hand_out('kill -9 of a backend', @taken, tickets($one, 10));
kill('TERM', (workers($one))[0] =~ /(\d+)/);
hand_out('the worker is terminated', tickets($one, 9 * $segment));

# --- Changes that are rolled back, with and without a crash ------------------------------------------

for my $change ('ALTER SEQUENCE orders RESTART', 'ALTER SEQUENCE orders SET UNLOGGED; ALTER SEQUENCE orders SET LOGGED',
	'ALTER SEQUENCE orders MINVALUE 1 RESTART 1; ALTER SEQUENCE orders MINVALUE 9223372036854775806 RESTART')
{
	for my $end ('ROLLBACK', 'crash', 'PREPARE', 'COMMIT')
	{
		# A postmaster that dies just then leaves PostgreSQL 15 a file that it stumbles over.
		next if $end eq 'crash' && $change =~ /UNLOGGED/;
		my @numbers = tickets($one, 30);
		$session = $one->background_psql('postgres', on_error_stop => 0);
		$session->query('BEGIN');
		push @numbers, split /\n/, $session->query_safe("SELECT ticket_nextval('orders') FROM generate_series(1, 20)");
		$session->query($change);
		push @numbers, split /\n/, $session->query_safe("SELECT ticket_nextval('orders') FROM generate_series(1, 150)");
		if ($end eq 'crash') { kill_server($one); $one->start }
		elsif ($end eq 'PREPARE')
		{
			$session->query("PREPARE TRANSACTION 'p'");
			kill_server($one);
			$one->start;
			$one->safe_psql('postgres', "ROLLBACK PREPARED 'p'");
		}
		else { $session->query($end) }
		push @numbers, tickets($one, 30);
		eval { $session->quit };
		if ($end eq 'ROLLBACK')
		{
			kill_server($one);
			$one->start;
			push @numbers, tickets($one, 200);
		}
		hand_out("$change, $end", @numbers);
	}
}

# --- Copies -----------------------------------------------------------------------------------------

my @before = tickets($one, 10);
$one->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE postgres');
hand_out('CREATE DATABASE ... TEMPLATE', @before, tickets($one, 300, database => 'copied'), tickets($one, 300));
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$one->command_ok([ 'pg_dump', '-f', $file, '-d', $one->connstr('postgres') ], 'pg_dump');
$one->safe_psql('postgres', 'CREATE DATABASE restored');
$one->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $one->connstr('restored') ], 'restore');
hand_out('dump and restore', tickets($one, 300, database => 'restored'), tickets($one, 300));

# A copy of the files that is started as it is: no new timeline.
$one->backup('copy');
my $clone = PostgreSQL::Test::Cluster->new('clone');
$clone->init_from_backup($one, 'copy');
$clone->start;
hand_out('a copy of all files', tickets($clone, 300), tickets($one, 300));
$clone->stop;
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($one, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', "SELECT remaining FROM ticket_status('orders')"), 0, 'a standby has none');
($state) = sqlstate_of($standby, "SELECT ticket_nextval('orders')");
is($state, '25006', 'and gives none');
$one->wait_for_catchup($standby);
$standby->promote;
hand_out('a promoted standby, and the primary that goes on', tickets($standby, 300), tickets($one, 300));
$standby->stop;

# Attached once more: what is here is dropped.
my @kept = tickets($one, 10);
$one->safe_psql('postgres', q{SELECT ticket_attach('orders')});
is(status($one, 'remaining'), 0, 'attached again');
hand_out('attached again', @kept, tickets($one, 10));

# --- An outage --------------------------------------------------------------------------------------

use_sequence('outage', first => '');
hand_out('before the outage', tickets($one, 300));
$one->poll_query_until('postgres', q{SELECT next_first IS NOT NULL FROM ticket_status('outage')}) or die 'no next segment';
my $session_a = $one->background_psql('postgres', on_error_stop => 0);
hand_out('a session', split /\n/, $session_a->query_safe("SELECT ticket_nextval('outage')"));
my $log = -s $one->logfile;
$first->stop('immediate');
my $remaining = status($one, 'remaining');
hand_out('while the ticket server is down',
	split /\n/, $session_a->query_safe("SELECT ticket_nextval('outage') FROM generate_series(1, $remaining)"));
is(status($one, 'remaining'), 0, 'all that was left');
($state, $out, $err) = sqlstate_of($one, "SET idgen.max_lease_wait = '300ms'; SELECT ticket_nextval('outage')");
is($state, '08006', 'then an error');
like($err, qr/no numbers of sequence "outage" are left here, and the ticket server gives none: cannot connect to the ticket server/, 'says why');
is(status($one, 'error IS NOT NULL AND failed_at IS NOT NULL AND ordered'), 't', 'the status tells it, too');
my $text = slurp_file($one->logfile, $log);
is(scalar(() = $text =~ /ticket server does not answer/g), 1, 'the log is told once');
like($text, qr/Sequence public.outage has \d+ numbers left here/, 'with what is left');
my $waiting = $one->background_psql('postgres', on_error_stop => 0);
$waiting->query_until(qr/asked/, "\\echo asked\nSELECT ticket_nextval('outage');\n");
$first->start;
my $waited = $waiting->query_safe('SELECT 1');
my ($number) = $waited =~ /^(\d+)$/m;
hand_out('a session that waited', $number);
hand_out('the ticket server is back', tickets($one, 10));
$_->quit for ($waiting, $session_a);

# --- Odd and even -------------------------------------------------------------------------------------

use_sequence('pair', first => 'INCREMENT 2 START 1', second => 'INCREMENT 2 START 2');
for ($one, $two) { set_servers($_, address($first), address($second)) }
hand_out('odd and even', map { tickets($_, 3 * $segment) } ($one, $two));
my %parity;
$parity{ $_ % 2 }++ for keys %seen;
cmp_ok($parity{$_}, '>', $segment / 2, "both servers: $_") for 0, 1;
for my $down ($first, $second)
{
	$down->stop('immediate');
	hand_out('one is down', map { tickets($_, 4 * $segment) } ($one, $two));
	$down->start;
}

# --- Mistakes -----------------------------------------------------------------------------------------

# Takes numbers until the ticket server's are refused: an error for who needs them, else a line in the
# log. After a while it is beyond what has come.
sub until_refused
{
	my ($what) = @_;
	my $start = -s $one->logfile;
	my $message = qr/the ticket server gave numbers of sequence "$sequence" that have come before: \d+ to \d+/;
	for (1 .. 100)
	{
		my ($failed, $numbers) = sqlstate_of($one, "SELECT ticket_nextval('$sequence') FROM generate_series(1, 300)");
		hand_out($what, split /\n/, $numbers) if !$failed;
		last if slurp_file($one->logfile, $start) =~ $message;
	}
	like(slurp_file($one->logfile, $start), $message, "$what: is found out");
	for (1 .. 50)
	{
		my ($failed, $number) = sqlstate_of($one, "SELECT ticket_nextval('$sequence')");
		next if $failed;
		hand_out("$what: after a while", $number);
		return;
	}
	fail("$what: goes on after a while");
	return;
}
set_servers($one, address($first));
use_sequence('back', first => '');
hand_out('before it is set back', tickets($one, 2500));
$first->safe_psql('postgres', q{SELECT setval('back', 1, false)});
hand_out('setval() on the ticket server', tickets($one, 5 * $segment));
$first->safe_psql('postgres', q{SELECT ticket_restart('back', 1)});
until_refused('a ticket server that was set back');
set_servers($one, address($first), address($second));
use_sequence('same', first => '', second => '');
until_refused('two ticket servers that give the same numbers');

# Errors that do not change by waiting are told at once.
set_servers($one, address($first));
$first->safe_psql('postgres', <<"SQL");
CREATE SEQUENCE few MAXVALUE 2500;
CREATE SEQUENCE down INCREMENT -1;
CREATE ROLE stranger LOGIN;
CREATE DATABASE empty;
SQL
my $patient = "SET idgen.max_lease_wait = '1h'; ";
for my $name (qw(missing few down))
{
	$one->safe_psql('postgres', "CREATE SEQUENCE $name; SELECT ticket_attach('$name')");
}
($state, $out, $err) = sqlstate_of($one, $patient . "SELECT ticket_nextval('missing')");
is($state, '08006', 'a sequence that is not there');
like($err, qr/the ticket server has no such sequence: relation "public.missing" does not exist/, 'says so');
is(join(' ', map { tickets($one, 1, sequence => 'few') } 1 .. 3), '1 2 3', 'a sequence that ends');
is(scalar(tickets($one, 2497, sequence => 'few')), 2497, 'gives all that it has');
($state, $out, $err) = sqlstate_of($one, $patient . "SELECT ticket_nextval('few')");
like($err, qr/the sequence has not 1 numbers left there/, 'and then ends');
($state, $out, $err) = sqlstate_of($one, $patient . "SELECT ticket_nextval('down')");
like($err, qr/are not a segment: they must ascend/, 'one that descends');
(my $other = address($first)) =~ s{/postgres\?}{/empty?};
set_servers($one, $other);
($state, $out, $err) = sqlstate_of($one, "SET idgen.max_lease_wait = '2s'; SELECT ticket_nextval('missing')");
like($err, qr/the database of the ticket server has no extension idgen/, 'a database without idgen');
$first->safe_psql('postgres', 'CREATE SEQUENCE missing');
set_servers($one, address($first) . '&user=stranger');
($state, $out, $err) = sqlstate_of($one, $patient . "SELECT ticket_nextval('missing')");
like($err, qr/permission denied for sequence missing/, 'a role without USAGE there');
set_servers($one, '');
($state, $out, $err) = sqlstate_of($one, "SELECT ticket_nextval('missing')");
like($err, qr/takes its numbers from a ticket server, and idgen.ticket_servers is not set/, 'no ticket server');

use_sequence('mixed', first => '');

# --- Roles --------------------------------------------------------------------------------------------

set_servers($one, address($first));
$one->safe_psql('postgres', 'CREATE ROLE ordinary LOGIN; CREATE SEQUENCE mine; ALTER SEQUENCE mine OWNER TO ordinary');
my $as = 'SELECT snowflake_nextval(); SET ROLE ordinary; ';
for (
	[ "SELECT ticket_nextval('mixed')", '42501' ],
	[ "SELECT ticket_attach('mixed')", '42501' ],
	[ "SELECT * FROM ticket_status('mixed')", '42501' ],
	[ "SELECT ticket_attach('mine')", '' ],
	[ "SET idgen.ticket_servers = 'postgresql://elsewhere'", '42501' ],
	[ 'SET idgen.ticket_segment = 1', '42501' ],
	[ 'SHOW idgen.ticket_servers', '42501' ])
{
	my ($sql, $expected) = @$_;
	($state) = sqlstate_of($one, $as . $sql);
	is($state, $expected, "an ordinary role: $sql");
}
$one->safe_psql('postgres', 'GRANT USAGE ON SEQUENCE mixed TO ordinary');
hand_out('one who may', tickets($one, 10, set => 'SET ROLE ordinary; '));
for my $call ("ticket_restart('mixed', 1)", "lamport_tick('mixed')", "lamport_observe('mixed', 5)")
{
	($state) = sqlstate_of($one, "SELECT $call");
	is($state, '55000', $call);
}

# --- Many sessions on two servers ---------------------------------------------------------------------

set_servers($two, address($first));
my $dir = PostgreSQL::Test::Utils::tempdir();
my %scripts = (
	one => "INSERT INTO made SELECT ticket_nextval('mixed');\n",
	many => "INSERT INTO made SELECT ticket_nextval('mixed') FROM generate_series(1, 300);\n",
	block => "INSERT INTO made SELECT f + i FROM ticket_reserve('mixed', 20) f, generate_series(0, 19) i;\n",
	alter => "ALTER SEQUENCE mixed NO CYCLE;\n",
	back => "BEGIN;\nALTER SEQUENCE mixed RESTART;\nSELECT ticket_nextval('mixed');\nROLLBACK;\n");
my %weights = (one => 20, many => 20, block => 20, alter => 1, back => 1);
append_to_file("$dir/$_.sql", $scripts{$_}) for keys %scripts;
$_->safe_psql('postgres', 'CREATE TABLE made (id bigint PRIMARY KEY)') for ($one, $two);
for my $connects ([], ['-C'])
{
	my @runs = map {
		IPC::Run::start([ 'pgbench', '-n', @$connects, '-c', '4', '-j', '2', '-t', @$connects ? 20 : 120,
			  (map { ('-f', "$dir/$_.sql\@$weights{$_}") } sort keys %scripts), '-h', $_->host, '-p', $_->port,
			  'postgres' ],
			'>', \my $stdout, '2>', \my $stderr)
	} ($one, $two);
	ok($_->finish, "pgbench @$connects") for @runs;
}
hand_out('many sessions', map { split /\n/, $_->safe_psql('postgres', 'SELECT id FROM made') } ($one, $two));
$_->stop for ($one, $two, $first, $second);

done_testing();
