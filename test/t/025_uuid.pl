# IDs of 128 bits across sessions, crashes, clocks that step, promotion, and with a registry.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my @ordered = qw(uuidv7 uuidv8 uuidv6 ulid id128);
my @kinds = (@ordered, qw(uuidv1 uuidv4));
my $columns = join(', ', @kinds);
my $calls = join(', ', map { "${_}_nextval()" } @kinds);

my $node = new_server('uuid', clock => '+0', streaming => 1,
	conf => "shared_preload_libraries = 'idgen'\nidgen.max_clock_lead = '2h'\n");
$node->safe_psql('postgres',
	'CREATE SEQUENCE turn; CREATE TABLE made (turn bigint, ' . join(', ', map { "$_ uuid" } @kinds) . ')');
my $make = "INSERT INTO made SELECT nextval('turn'), $calls FROM generate_series(1, 20)";

# Returns how many IDs of a kind are twice, and for one that is ordered how many are not above the one before.
sub wrong_of
{
	my ($server, $kind) = @_;
	my $order = grep({ $_ eq $kind } @ordered) ? "$kind <= lag($kind) OVER (ORDER BY turn)" : 'false';
	return $server->safe_psql('postgres',
		"SELECT count(*) - count(DISTINCT $kind), count(*) FILTER (WHERE wrong)
		 FROM (SELECT $kind, $order AS wrong FROM made) m");
}
sub check_all
{
	my ($server, $what) = @_;
	is(wrong_of($server, $_), '0|0', "$what: $_") for @kinds;
}

# --- Sessions: one call that returned before another began has the smaller ID. -----------------------

$node->pgbench(
	'--no-vacuum --client=5 --jobs=2 --transactions=60',
	0, [qr/processed: 300\/300/], [qr/^$/], 'sessions that take turns',
	{   turns => "SELECT pg_advisory_lock(1);
SET idgen.block_size = 64;
$make;
SELECT pg_advisory_unlock(1);
" });
check_all($node, 'sessions');

# --- Steps of the clock, in mode lead, and a crash with the clock behind. -----------------------------

set_clock($node, '-3600');
$node->safe_psql('postgres', "SET idgen.clock_regression = lead; $make");
check_all($node, 'a clock an hour back, lead');
my ($state) = sqlstate_of($node, "SET idgen.max_clock_wait = '100ms'; SELECT uuidv7_nextval()");
is($state, '58000', 'a clock an hour back, wait: an error');
($state) = sqlstate_of($node, 'SET idgen.max_clock_wait = 0; SELECT uuidv4_nextval()');
is($state, '', 'version 4 needs no clock');

my $node_before = $node->safe_psql('postgres', 'SELECT (uuidv6_parse(max(uuidv6::text)::uuid)).node FROM made');
kill_server($node);
start_with_clock($node, '-3600');
$node->safe_psql('postgres', "SET idgen.clock_regression = lead; $make");
check_all($node, 'a crash with the clock behind');
my $node_after = $node->safe_psql('postgres', 'SELECT (uuidv6_parse(max(uuidv6::text)::uuid)).node FROM made');
isnt($node_after, $node_before, 'the node of version 6 is new with each start');

# --- A standby refuses, and goes on above when it is promoted. ----------------------------------------

set_clock($node, '+0');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
start_with_clock($standby, '-0.7');
$node->safe_psql('postgres', $make);
$node->wait_for_catchup($standby);
for my $kind (@ordered, 'uuidv1')
{
	($state) = sqlstate_of($standby, "SELECT ${kind}_nextval()");
	is($state, '25006', "$kind on a standby");
}
is($standby->safe_psql('postgres', 'SELECT count(DISTINCT uuidv4_nextval()) FROM generate_series(1, 10)'),
	10, 'version 4 on a standby');
$node->stop('immediate');
$standby->promote;
$standby->safe_psql('postgres', "SET idgen.max_clock_wait = '10s'; $make");
check_all($standby, 'promotion');

# --- With a registry: what is random needs no lease, what shows the machine does. --------------------

$standby->append_conf('postgresql.conf',
	"idgen.registry = 'postgresql://127.0.0.1:1/nowhere'\nidgen.max_lease_wait = '100ms'\n");
$standby->restart;
for my $kind (qw(uuidv7 ulid uuidv6 uuidv1 uuidv4))
{
	is($standby->safe_psql('postgres', "SELECT count(DISTINCT id) FROM ${kind}_nextval_batch(100) id"),
		100, "no registry answers: $kind");
}
for my $kind (qw(uuidv8 id128))
{
	($state) = sqlstate_of($standby, "SELECT ${kind}_nextval()");
	is($state, '08006', "no registry answers: $kind fails");
}
($state) = sqlstate_of($standby, 'SET idgen.uuid_node = identity; SELECT uuidv6_nextval()');
is($state, '08006', 'no registry answers: version 6 with the identity fails');

# --- A preloaded module: no two sessions have the same random bits. -----------------------------------

my @random = map { $standby->safe_psql('postgres', 'SELECT uuidv4_nextval()') } 1 .. 5;
my %seen = map { $_ => 1 } @random;
is(scalar keys %seen, 5, 'five sessions, five random numbers');

$standby->stop('fast');
done_testing();
