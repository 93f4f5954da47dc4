# Three servers under load go over to other layouts ten times in a row, while servers are killed and
# clocks step.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use IPC::Run;
use LeaseTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

# Layouts whose IDs grow alike, so that each can follow each. The machine is in another place in each.
my @layouts = (
	'snowflake',
	'timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z',
	'timestamp:41, sequence:14, machine:8, tick:1ms, epoch:2020-01-01Z',
	'timestamp:40, machine:7, sequence:16, tick:2ms, epoch:2020-01-01Z');
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

# A client: it makes IDs, a few or many at a time, and writes them down in its order.
my @clients;
sub start_clients
{
	my ($name) = @_;
	my $node = $node{$name};
	my @kinds = (
		"SELECT idgen_nextval('orders');\n" x 20,
		"SELECT idgen_nextval('orders') FROM generate_series(1, 50);\n",
		"SELECT * FROM idgen_nextval_batch('orders', 100);\n",
		"SET idgen.block_size = 64;\n" . "SELECT idgen_nextval('orders') FROM generate_series(1, 30);\n");
	for my $kind (0 .. $#kinds)
	{
		my $script = $node->basedir . "/client$kind.sql";
		my $file = $node->basedir . "/client$kind." . scalar(@clients);
		open(my $out, '>', $script) or die;
		print $out ($kinds[$kind] . "SELECT pg_sleep(0.05) IS NULL;\n") x 5000;
		close($out);
		my $run = IPC::Run::start(
			[ 'psql', '-X', '-q', '-A', '-t', '-h', $node->host, '-p', $node->port, '-f', $script, 'postgres' ],
			'>', $file, '2>', "$file.errors");
		push @clients, { run => $run, file => $file, name => $name };
	}
	return;
}

sub end_clients
{
	my ($name) = @_;
	for my $client (grep { $_->{run} && $_->{name} eq $name } @clients)
	{
		$client->{run}->kill_kill;
		eval { $client->{run}->finish };
		$client->{run} = undef;
	}
	return;
}

start_clients($_) for sort keys %node;
my @at;
my $late = 0;
for my $change (1 .. $CHANGES)
{
	my $by = $node{ ('a', 'b', 'c')[ $change % 3 ] };
	my $to = $layouts[ $change % @layouts ];
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
		end_clients($victim);
		kill_server($node{$victim});
		start_with_clock($node{$victim}, $OFFSETS[ $change % @OFFSETS ]);
		start_clients($victim);
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
end_clients($_) for sort keys %node;

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

# Everything that clients got. A killed one may have written half of a line.
my ($all, $out_of_order) = (0, 0);
$a->safe_psql('postgres', 'CREATE TABLE made (machine int, id bigint)');
my $copy = $a->basedir . '/made';
open(my $copied, '>', $copy) or die;
my %errors;
for my $client (@clients)
{
	my $last = -1;
	for my $line (split(/^/, slurp_file($client->{file})))
	{
		next unless $line =~ /^(\d{15,19})\n/;
		$out_of_order++ if $1 <= $last;
		$last = $1;
		print $copied "$machine{$client->{name}}\t$1\n";
		$all++;
	}
	$errors{$1}++ while slurp_file("$client->{file}.errors") =~ /(ERROR: .*)/g;
}
close($copied);
$a->safe_psql('postgres', "COPY made FROM '$copy'");
note("$_: $errors{$_}") for sort keys %errors;
cmp_ok($all, '>', 5_000, "clients made $all IDs");
is($out_of_order, 0, 'each client saw its IDs grow');
is($a->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT id) FROM made'), '0', 'no duplicate on three servers');
is($a->safe_psql('postgres', "SELECT count(*) FROM made WHERE (idgen_parse(id, 'orders')).machine_id <> machine"),
	'0', 'each ID is read by the layout that it was made with');
# An ID shows its layout by the machine in it, whatever its size: none of the old one from the
# instant on, none of the new one before.
$a->safe_psql('postgres', 'CREATE TABLE stage (since timestamptz, until timestamptz, layout text)');
for my $change (0 .. @at)
{
	$a->safe_psql('postgres', sprintf("INSERT INTO stage VALUES (to_timestamp(%s), to_timestamp(%s), '%s')",
		$change == 0 ? 0 : $at[ $change - 1 ], $change == @at ? 1e11 : $at[$change],
		$layouts[ $change % @layouts ]));
}
my ($used, $wrong) = split(/\|/, $a->safe_psql('postgres', <<END));
SELECT count(DISTINCT since), count(*) FILTER (WHERE (idgen_parse(id, layout::idgen_layout)).machine_id <> machine)
FROM (SELECT machine, id, idgen_timestamp(id, 'orders') AS ts FROM made) made JOIN stage ON ts >= since AND ts < until
END
is($wrong, 0, 'each layout makes the IDs of its own time');
cmp_ok($used, '>=', $CHANGES - 1, "IDs of $used layouts");

done_testing();
