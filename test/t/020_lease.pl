# Leases: servers that hold their identities in a registry, and what happens when servers, workers
# and the registry crash, hang, come back, are cloned or promoted.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep time);

my $registry = new_registry('registry');

# --- A pool -----------------------------------------------------------------------------------------

my $a = new_member('a', $registry, machines => 3);
my $b = new_member('b', $registry, machines => 3, preload => 1, streaming => 1);
my $c = new_member('c', $registry, machines => 3);
is(join(' ', sort map { machine_of($_) } $a, $b, $c), '0 1 2', 'three servers, three machine IDs');
my $d = new_member('d', $registry, machines => 3, wait => '1s');
my ($state, $out, $err) = sqlstate_of($d, 'SELECT snowflake_nextval()');
is($state, '53400', 'a fourth one gets none');
like($err, qr/no machine ID is free in pool "default"/, 'a full pool: the message');
like(state_of($d), qr/none is free/, 'a full pool: the view');
is( $d->safe_psql('postgres', "SELECT count(*), count(DISTINCT holder) FROM idgen_registry_list() WHERE state = 'held'"),
	'3|3', 'the list of the pool');

my @ids = map { [ nextvals($_, 2000) ] } $a, $b, $c;
no_duplicates('three servers', @ids);

is(join('', map { (sqlstate_of($_, 'SELECT hlc_now()'))[0] } $a, $d), '', 'every server has a hybrid logical clock');

# A layout without a datacenter is another identity, with the same machine ID where that is free.
my $machine_a = machine_of($a);
is( $a->safe_psql('postgres', "SELECT (idgen_parse(idgen_nextval('wide'), 'wide')).machine_id"),
	$machine_a, 'the same machine ID in a layout without datacenter');

# --- A clean stop gives it back, and a start gets the same one without a wait for the term. ---------

sleep 1;  # the fourth one asks no longer
my $before = machine_of($a);
push @ids, [ nextvals($a, 100) ];
$a->stop('fast');
is( $d->safe_psql('postgres', "SELECT count(*) FROM idgen_registry_list() WHERE state = 'held' AND datacenter_id = 0"),
	2, 'given back');
my $start = time;
$a->start;
push @ids, [ nextvals($a, 100) ];
cmp_ok(time - $start, '<', TERM_S, 'no wait for the term after a clean stop');
is(machine_of($a), $before, 'the same machine ID again');
no_duplicates('a restart', @ids);

# --- A crash: with a pool that has another one it goes on at once. --------------------------------------

$c->stop('fast');
$before = machine_of($a);
kill_server($a);
$start = time;
$a->start;
push @ids, [ nextvals($a, 100) ];
cmp_ok(time - $start, '<', TERM_S, 'no wait for the term after a crash');
no_duplicates('a crash', @ids);
$c->start;
push @ids, [ nextvals($c, 100) ];
isnt(machine_of($c), machine_of($a), 'all identities of a crashed server are given out when its term is over');
no_duplicates('the machine ID of a crashed server', @ids);

# --- A backend that crashes takes the worker along: the server is a new holder. ----------------------

$d->stop('fast');
my $session = $c->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query('SELECT pg_backend_pid()');
kill('KILL', $pid);
$session->{run}->finish if $session->{run};
wait_until('the server is back', sub { $c->psql('postgres', 'SELECT 1') == 0 });
push @ids, [ nextvals($c, 100) ];
no_duplicates('a crash of one process', @ids);

# --- The worker hangs for longer than the term, and sessions go on. --------------------------------------

$before = machine_of($b);
my $held = worker_pid($b);
cmp_ok($held, '>', 0, 'the worker is there');
kill('STOP', $held);
my (@hung, $failed);
for ($start = time; time - $start < 2 * TERM_S;)
{
	($state, $out, $err) = sqlstate_of($b,
		"SET idgen.max_lease_wait = '100ms'; SELECT snowflake_nextval() FROM generate_series(1, 100)");
	push @hung, grep { /^\d+$/ } split(/\n/, $out);
	$failed = $err if $state ne '';
}
push @ids, \@hung;
like($failed, qr/no answer about more time for the identities/, 'when the term is used up, IDs end');
# Somebody else takes its machine ID meanwhile.
$d->start;
push @ids, [ nextvals($d, 2000) ];
is(machine_of($d), $before, 'another server has its machine ID');
no_duplicates('a worker that hangs', @ids);
kill('CONT', $held);
$c->stop('fast');
push @ids, [ nextvals($b, 1000) ], [ nextvals($d, 1000) ];
isnt(machine_of($b), $before, 'the one that hung has another');
no_duplicates('a worker that woke up', @ids);
like(slurp_file($b->logfile), qr/this server lost its identities in the registry/, 'the log says it');
$c->start;

# A worker that is killed is started again, as the same holder.
$before = machine_of($b);
kill('TERM', worker_pid($b)) == 1 or die 'there is no worker';
push @ids, [ nextvals($b, 100) ];
$session = $b->background_psql('postgres', on_error_stop => 0);
push @ids, [ split(/\n/, $session->query('SELECT snowflake_nextval() FROM generate_series(1, 100)')) ];
no_duplicates('a worker that was terminated', @ids);
$session->quit;

# --- The registry is away. --------------------------------------------------------------------------------

$a->safe_psql('postgres', 'SELECT snowflake_nextval()');
$registry->stop('immediate');
push @ids, [ nextvals($a, 1000) ];
wait_until('without the registry IDs end',
	sub {
		($state, $out, $err) = sqlstate_of($a,
			"SET idgen.max_lease_wait = '10ms'; SELECT snowflake_nextval()");
		push @ids, [ grep { /^\d+$/ } split(/\n/, $out) ];
		$state ne '';
	});
is($state, '08006', 'without the registry: the state');
like($err, qr/registry of identities does not answer/, 'without the registry: the message');
like($a->safe_psql('postgres', 'SELECT error FROM idgen_identity LIMIT 1'), qr/\w/, 'the view has the error');
$registry->start;
$start = time;
push @ids, [ nextvals($_, 100) ] for $a, $b, $d;
cmp_ok(time - $start, '<', 3 * (TERM_S + 6), 'and go on when it is back');
no_duplicates('a registry that was away', @ids);
my $log = slurp_file($a->logfile);
my @lines = $log =~ /LOG:  registry of identities does not answer/g;
is(scalar(@lines), 1, 'the log says so once');
like($log, qr/registry of identities answers again/, 'and that it answers again');

# --- A standby takes none; promoted while the primary goes on, it takes another one. ----------------------

$b->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($b, 'base', has_streaming => 1);
# There is room for one more.
$_->append_conf('postgresql.conf', "idgen.registry_machines = 8") for $standby, $b;
$b->reload;
$standby->start;
my $holders = "SELECT count(*) FROM idgen_registry_list() WHERE state = 'held' AND datacenter_id = 0";
$c->stop('fast');
my $held_before = $b->safe_psql('postgres', $holders);
sleep 1;
is($b->safe_psql('postgres', $holders), $held_before, 'a standby holds nothing');
$standby->promote;
push @ids, [ nextvals($standby, 1000) ], [ nextvals($b, 1000) ];
isnt(machine_of($standby), machine_of($b), 'split brain: two machine IDs');
no_duplicates('split brain', @ids);
$standby->stop('fast');

# A clone beside the original.
my $clone = PostgreSQL::Test::Cluster->new('clone');
$clone->init_from_backup($b, 'base');
$clone->append_conf('postgresql.conf', 'idgen.registry_machines = 8');
$clone->start;
push @ids, [ nextvals($clone, 1000) ], [ nextvals($b, 1000) ];
isnt(machine_of($clone), machine_of($b), 'a clone: two machine IDs');
no_duplicates('a clone', @ids);
$clone->stop('fast');

# --- An operator. ------------------------------------------------------------------------------------------

$before = machine_of($b);
is($a->safe_psql('postgres', "SELECT idgen_registry_release($before)"), 1, 'released');
$a->safe_psql('postgres', "SELECT idgen_registry_ban($before)");
push @ids, [ nextvals($b, 100) ];
wait_until('the server takes another one', sub { push @ids, [ nextvals($b, 10) ]; machine_of($b) ne $before });
no_duplicates('a release', @ids);
is($a->safe_psql('postgres', "SELECT state FROM idgen_registry_list() WHERE machine_id = $before AND datacenter_id = 0"),
	'banned', 'banned');
$a->safe_psql('postgres', "SELECT idgen_registry_ban($before, false)");

# Without a datacenter, it is the server's own: the same number of another one is left alone.
$a->safe_psql('postgres', "SELECT idgen_create_generator('far', 'snowflake', datacenter_id => 1, machine_id => 20)");
$a->safe_psql('postgres', "SELECT idgen_nextval('far')");
is($b->safe_psql('postgres', 'SELECT idgen_registry_release(20)'), 0, 'another datacenter is not meant');
is($b->safe_psql('postgres', 'SELECT idgen_registry_release(20, datacenter_id => 1)'), 1, 'unless it is named');

# The worker is in nobody's way.
$b->safe_psql('postgres', 'CREATE DATABASE other');
$b->safe_psql('other', 'CREATE EXTENSION idgen; SELECT snowflake_nextval()');
$b->safe_psql('postgres', 'DROP DATABASE other');
pass('databases come and go');

# An ordinary role makes IDs, and neither sees the address nor touches the registry.
$b->safe_psql('postgres', 'CREATE ROLE app LOGIN');
for my $sql ('SHOW idgen.registry', 'SELECT * FROM idgen_registry_list()', 'SELECT idgen_registry_release(0)',
	'SELECT idgen_registry_ban(0)', "SET idgen.registry = ''", "SET idgen.machine_id_source = setting")
{
	my ($code, $stdout, $stderr) = $b->psql('postgres', "SELECT snowflake_nextval(); $sql", extra_params => [ '-U', 'app' ]);
	like($stderr, qr/permission denied|must be|cannot be changed now/, "an ordinary role: $sql");
}
my ($code, $id) = $b->psql('postgres', 'SELECT snowflake_nextval()', extra_params => [ '-U', 'app' ]);
like($id, qr/^\d+$/, 'an ordinary role makes IDs');

$_->stop('fast') for $a, $b, $d, $registry;
done_testing();
