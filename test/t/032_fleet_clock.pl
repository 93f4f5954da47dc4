# How far the clocks of a fleet are apart, as its registry shows it; and a registry whose tables are
# of before that.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime();

# By how much the machine may be late in what the errors do not say: clocks are set in steps.
use constant SLACK_S => 0.3;

my $registry = new_registry('registry');
my %ahead = (early => 2, right => 0, late => -1.5);
my %server = map {
	$_ => new_member($_, $registry, clock => sprintf('%+.1f', $ahead{$_}), conf => "cluster_name = '$_'")
} sort keys %ahead;
my %machine = map { $_ => machine_of($server{$_}) } keys %server;
is(join(' ', sort values %machine), '0 1 2', 'three servers');

# PostgreSQL 15 starts a worker in a signal handler, inside a call during which libfaketime shows the
# true time, and so it stays for that process. One that failed is started again outside of it, and it
# fails if it cannot give its identities back.
$registry->stop('fast');
my %worker = map { $_ => worker_pid($server{$_}) } keys %server;
for my $who (sort keys %server)
{
	$server{$who}->poll_query_until('postgres', 'SELECT lease_failures > 0 FROM idgen_stat_server') or die 'no failures';
	kill('TERM', $worker{$who});
}
for my $who (sort keys %server)
{
	wait_until("another worker: $who", sub { my $pid = worker_pid($server{$who}); $pid != 0 && $pid != $worker{$who} });
}
$registry->start;

my $renewals = 'SELECT lease_renewals FROM idgen_stat_server';

# Waits until each server has renewed, with what it saw at the renewal before.
sub renew_twice
{
	for my $node (values %server)
	{
		my $then = $node->safe_psql('postgres', $renewals);
		$node->poll_query_until('postgres', "SELECT ($renewals) >= $then + 2") or die 'no renewals';
	}
	return;
}
renew_twice();

# Rows of a query with a name, an offset and its error, in seconds.
sub is_seen
{
	my ($name, $node, $sql) = @_;
	my %row = map { /^([^|@]+)[^|]*\|(.*)\|(.*)$/ ? ($1 => [ $2, $3 ]) : () } split /\n/, $node->safe_psql('postgres', $sql);
	for my $who (sort keys %ahead)
	{
		my ($offset, $error) = @{ $row{$who} // [ 'none', 'none' ] };
		my $right = "$offset$error" =~ /^[-.\d]+$/ && $error >= 0 && abs($offset - $ahead{$who}) <= $error + SLACK_S;
		ok($right, "$name: the clock of $who is seen") or diag("$offset +- $error");
	}
	return;
}

my $seconds = 'extract(epoch FROM clock_offset), extract(epoch FROM clock_error)';
is_seen('list', $server{late}, "SELECT holder, $seconds FROM idgen_registry_list()");
is_seen('view', $server{right}, "SELECT holder, $seconds FROM idgen_fleet_clock");
for my $who (sort keys %server)
{
	my ($offset, $error) = split /\|/, $server{$who}->safe_psql('postgres',
		'SELECT registry_clock_offset / 1000, registry_clock_error / 1000 FROM idgen_stat_server');
	cmp_ok(abs($offset - $ahead{$who}), '<=', $error + SLACK_S, "$who knows its own");
}
is( $registry->safe_psql('postgres',
		'SELECT count(*) FROM idgen_registry.holder WHERE ended IS NULL AND clock_error IS NOT NULL'),
	3, 'the registry has them');
is( $server{early}->safe_psql('postgres', "SELECT DISTINCT spread BETWEEN '2 s' AND '5 s' FROM idgen_fleet_clock"),
	't', 'the spread');

# A holder that has ended has no clock, and one that is not heard of is not of the fleet.
$server{late}->stop('fast');
is( $server{right}->safe_psql('postgres', <<"SQL"), "free|t", 'a server that stopped');
SELECT state, clock_offset IS NULL AND clock_error IS NULL FROM idgen_registry_list() WHERE datacenter_id = 0 AND machine_id = $machine{late};
SELECT holder FROM idgen_fleet_clock WHERE holder LIKE 'late%';
SQL
delete @$_{'late'} for \%server, \%ahead;

# Without the right to call the function the view shows nothing.
$server{right}->safe_psql('postgres', 'CREATE ROLE reader LOGIN');
my (undef, undef, $err) = $server{right}->psql('postgres', 'SELECT * FROM idgen_fleet_clock',
	extra_params => [ '-U', 'reader' ]);
like($err, qr/permission denied for function idgen_registry_list/, 'not for everybody');

# --- Tables without the columns ------------------------------------------------------------------------

# As the owner can take them away at any time: the leases must go on.
my @before = map { machine_of($server{$_}) } sort keys %server;
$registry->safe_psql('postgres', 'ALTER TABLE idgen_registry.holder DROP clock_offset, DROP clock_error');
renew_twice();
is_deeply([ map { machine_of($server{$_}) } sort keys %server ], \@before, 'without the columns: the same identities');
is( $server{right}->safe_psql('postgres', "SELECT count(*), count(clock_offset) FROM idgen_registry_list() WHERE state = 'held'"),
	'2|0', 'without the columns: the list');
is($server{right}->safe_psql('postgres', 'SELECT count(*), count(spread) FROM idgen_fleet_clock'), '2|0', 'and the view');
is( $server{right}->safe_psql('postgres', 'SELECT registry_clock_error IS NOT NULL FROM idgen_stat_server'),
	't', 'the server itself knows it all the same');
$server{early}->restart;
isnt(machine_of($server{early}), '', 'without the columns: a new holder');

# The schema again brings them, from the next connection on.
$registry->safe_psql('postgres', $server{right}->safe_psql('postgres', 'SELECT idgen_registry_schema()'));
$ahead{early} = 0;  # started again without another clock
$registry->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idgen'});
renew_twice();
is_seen('the schema again', $server{right}, "SELECT holder, $seconds FROM idgen_fleet_clock");

# Nor may a right that the servers' role lacks, or a column of another kind, cost a lease.
$registry->safe_psql('postgres', 'ALTER TABLE idgen_registry.holder ALTER clock_error TYPE text');
$registry->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idgen'});
renew_twice();
is($server{right}->safe_psql('postgres', 'SELECT count(*), count(spread) FROM idgen_fleet_clock'), '2|0', 'columns of another type');

done_testing();
