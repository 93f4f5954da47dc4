# Three servers under load go over to other layouts ten times in a row, while servers are killed and
# clocks step.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use ChangeTest;
use IdgenTest;
use LeaseTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my $CHANGES = 10;
my @OFFSETS = ('+0', '-0.3', '+0.2', '-0.15');

my $registry = new_registry('registry');
my (%node, %machine);
for my $name ('a', 'b', 'c')
{
	$machine{$name} = 11 + ord($name) - ord('a');
	$node{$name} = new_member($name, $registry, source => 'setting', machine => $machine{$name}, term_s => 1, clock => '+0',
		conf => "cluster_name = '$name'\nidgen.reserve_window = '200ms'\nidgen.clock_regression = "
		  . ($name eq 'b' ? 'lead' : 'wait') . "\n");
	$node{$name}->safe_psql('postgres', "SELECT idgen_create_generator('orders', 'snowflake')");
}
$node{a}->safe_psql('postgres', "SELECT idgen_scheme_add('orders')");

start_clients($node{$_}, $machine{$_}) for sort keys %node;
my @at;
my $late = 0;
for my $change (1 .. $CHANGES)
{
	my $by = $node{ ('a', 'b', 'c')[ $change % 3 ] };
	my $to = $LAYOUTS[ $change % @LAYOUTS ];
	# The registry may not have ended yet what a server that was killed held.
	my ($state, $at);
	for my $try (1 .. 50)
	{
		($state, $at) = sqlstate_of($by, "SELECT extract(epoch FROM idgen_propose_change('orders', '$to'::idgen_layout,
			(SELECT earliest FROM idgen_check_change('orders', '$to', (SELECT max(used_until) + interval '1.5 s' FROM idgen_fleet())))))");
		last if $state eq '';
		sleep(0.2);
	}
	is($state, '', "change $change is proposed") or last;
	push @at, $at;
	my $victim = ('b', 'c', 'a')[ $change % 3 ];
	if ($change == 2 || $change == 5 || $change == 8)
	{
		end_clients($node{$victim});
		kill_server($node{$victim});
		start_with_clock($node{$victim}, $OFFSETS[ $change % @OFFSETS ]);
		start_clients($node{$victim}, $machine{$victim});
	}
	elsif ($change % 3 == 1)
	{
		set_clock($node{$victim}, $OFFSETS[ ($change / 3) % @OFFSETS ]);
	}
	# Until the instant has come, or the change was called off because it could not be agreed on in time.
	my $end = time + 30;
	my ($settled, $layout) = (0, '');
	while (!$settled && time < $end)
	{
		sleep(0.1);
		$settled = $by->safe_psql('postgres', "SELECT count(*) FROM idgen_scheme() WHERE kind = 'proposed'") eq '0';
	}
	$layout = $by->safe_psql('postgres', "SELECT value FROM idgen_scheme() WHERE name = 'orders'");
	if (scalar(split(/ until /, $layout)) <= @at)
	{
		pop @at;
		$late++ < 5 or last;
		redo;
	}
	my ($left) = map { $_ + 0.3 } $by->safe_psql('postgres', "SELECT $at[-1] - extract(epoch FROM clock_timestamp())");
	sleep($left) if $left > 0;
}
set_clock($_, '+0') for values %node;
sleep(0.5);
end_clients($_) for values %node;

is(scalar(@at), $CHANGES, "ten changes ($late were called off)");
my $a = $node{a};
my $layout = $a->safe_psql('postgres', "SELECT value FROM idgen_scheme() WHERE name = 'orders'");
is(scalar(split(/ until /, $layout)), $CHANGES + 1, 'all layouts are in the scheme');
for my $name (sort keys %node)
{
	$node{$name}->safe_psql('postgres', "SELECT idgen_nextval('orders')");
	is($node{$name}->safe_psql('postgres', "SELECT layout FROM idgen_generators WHERE generator = 'orders'"), $layout,
		"the same layouts on $name");
}

check_made($a, @at);

done_testing();
