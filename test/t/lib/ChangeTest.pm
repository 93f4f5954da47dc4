# What the TAP tests of changes of a layout share: layouts, clients that make IDs of the generator "orders" while it
# goes over from one to the next, and what must be true of all IDs that they got.
package ChangeTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(@LAYOUTS start_clients end_clients check_made);

# Layouts whose IDs grow alike, so that each can follow each. The machine is in another place in each.
our @LAYOUTS = (
	'snowflake',
	'timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z',
	'timestamp:41, sequence:14, machine:8, tick:1ms, epoch:2020-01-01Z',
	'timestamp:40, machine:7, sequence:16, tick:2ms, epoch:2020-01-01Z');

my @KINDS = (
	"SELECT idgen_nextval('orders');\n" x 20,
	"SELECT idgen_nextval('orders') FROM generate_series(1, 50);\n",
	"SELECT * FROM idgen_nextval_batch('orders', 100);\n",
	"SET idgen.block_size = 64;\n" . "SELECT idgen_nextval('orders') FROM generate_series(1, 30);\n");
my @clients;

# Starts clients that make IDs, a few or many at a time, and write them down in their order.
sub start_clients
{
	my ($node, $machine) = @_;
	for my $kind (0 .. $#KINDS)
	{
		my $script = $node->basedir . "/client$kind.sql";
		my $file = $node->basedir . "/client$kind." . scalar(@clients);
		open(my $out, '>', $script) or die;
		print $out ($KINDS[$kind] . "SELECT pg_sleep(0.05) IS NULL;\n") x 5000;
		close($out);
		my $run = IPC::Run::start(
			[ 'psql', '-X', '-q', '-A', '-t', '-h', $node->host, '-p', $node->port, '-f', $script, 'postgres' ],
			'>', $file, '2>', "$file.errors");
		push @clients, { run => $run, file => $file, node => $node, machine => $machine };
	}
	return;
}

sub end_clients
{
	my ($node) = @_;
	for my $client (grep { $_->{run} && $_->{node} == $node } @clients)
	{
		$client->{run}->kill_kill;
		eval { $client->{run}->finish };
		$client->{run} = undef;
	}
	return;
}

# Checks what all clients got. The layouts followed each other in turn, at these times.
sub check_made
{
	my ($node, @at) = @_;
	my ($all, $out_of_order, %errors) = (0, 0);
	$node->safe_psql('postgres', 'CREATE TABLE made (machine int, id bigint)');
	my $copy = $node->basedir . '/made';
	open(my $copied, '>', $copy) or die;
	for my $client (@clients)
	{
		my $last = -1;
		# A killed one may have written half of a line.
		for my $line (split(/^/, slurp_file($client->{file})))
		{
			next unless $line =~ /^(\d{15,19})\n/;
			$out_of_order++ if $1 <= $last;
			$last = $1;
			print $copied "$client->{machine}\t$1\n";
			$all++;
		}
		$errors{$1}++ while slurp_file("$client->{file}.errors") =~ /(ERROR: .*)/g;
	}
	close($copied);
	$node->safe_psql('postgres', "COPY made FROM '$copy'");
	note("$_: $errors{$_}") for sort keys %errors;
	cmp_ok($all, '>', 5_000, "clients made $all IDs");
	is($out_of_order, 0, 'each client saw its IDs grow');
	is($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT id) FROM made'), '0', 'no duplicate');
	is($node->safe_psql('postgres', "SELECT count(*) FROM made WHERE (idgen_parse(id, 'orders')).machine_id <> machine"),
		'0', 'each ID is read by the layout that it was made with');
	# An ID shows its layout by the machine in it, whatever its size: none of the old one from the
	# instant on, none of the new one before.
	$node->safe_psql('postgres', 'CREATE TABLE stage (since timestamptz, until timestamptz, layout text)');
	for my $change (0 .. @at)
	{
		$node->safe_psql('postgres', sprintf("INSERT INTO stage VALUES (to_timestamp(%s), to_timestamp(%s), '%s')",
			$change == 0 ? 0 : $at[ $change - 1 ], $change == @at ? 1e11 : $at[$change], $LAYOUTS[ $change % @LAYOUTS ]));
	}
	my ($used, $wrong) = split(/\|/, $node->safe_psql('postgres', <<END));
SELECT count(DISTINCT since), count(*) FILTER (WHERE (idgen_parse(id, layout::idgen_layout)).machine_id <> machine)
FROM (SELECT machine, id, idgen_timestamp(id, 'orders') AS ts FROM made) made JOIN stage ON ts >= since AND ts < until
END
	is($wrong, 0, 'each layout makes the IDs of its own time');
	cmp_ok($used, '>=', @at - 2, "IDs of $used layouts");
	return;
}

1;
