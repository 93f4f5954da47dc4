# What the server log says about the clock: each event once for the whole server, however many
# sessions, ID spaces and calls meet it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime;

my $node = new_server('log', clock => '+0',
	conf => "idgen.max_clock_wait = '1200ms'\nidgen.reserve_window = '200ms'\nmax_connections = 30\n");

my %lines = (
	back => qr/LOG:\s+clock was set back by [\d.]+ m?s$/m,
	forward => qr/LOG:\s+clock was set forward by [\d.]+ m?s$/m,
	ahead => qr/LOG:\s+next ID of generator "[^"]+" is ahead of the clock$/m,
	caught_up => qr/LOG:\s+clock has caught up with the IDs$/m,
	waits => qr/LOG:\s+generator "[^"]+" waits for the clock for more than a second$/m);
my $from = 0;

# Returns the lines since the last look, counted by kind.
sub said
{
	my $log = slurp_file($node->logfile, $from);
	$from += length $log;
	my %count;
	for my $kind (sort keys %lines)
	{
		my $found = () = $log =~ /$lines{$kind}/g;
		$count{$kind} = $found if $found;
	}
	return join(' ', map { "$_=$count{$_}" } sort keys %count);
}

# Calls from several sessions, each with two ID spaces and some shards, all at once.
my @sessions = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 5;
sub everybody_calls
{
	my ($before) = @_;
	my $n = 0;
	for my $session (@sessions)
	{
		$n++;
		$session->{stdin} .= "$before; SET idgen.machine_id = " . ($n % 2) . ";
			SELECT snowflake_nextval();
			SELECT idgen_nextval('sonyflake');
			SELECT instagram_nextval($n);
			SELECT instagram_nextval(s) FROM generate_series(100, 103) s;\n";
		$session->{run}->pump_nb;
	}
	$_->query('SELECT 1') for @sessions;
	$_->{stderr} = '' for @sessions;
	return;
}

everybody_calls('RESET idgen.clock_regression');
# The start itself: the first IDs may have had to wait for the mark, 200 ms at most.
unlike(said(), qr/back|forward|waits/, 'a start is no step');

set_clock($node, '-60');
everybody_calls('RESET idgen.clock_regression') for 1 .. 2;
is(said(), 'ahead=1 back=1 waits=1', 'a minute back: said once');

set_clock($node, '+0');
everybody_calls('RESET idgen.clock_regression') for 1 .. 2;
is(said(), 'caught_up=1 forward=1', 'right again: said once');

everybody_calls('RESET idgen.clock_regression') for 1 .. 2;
is(said(), '', 'nothing more');

# The next event is another one.
set_clock($node, '-20');
everybody_calls("SET idgen.clock_regression = error");
is(said(), 'ahead=1 back=1', 'twenty seconds back, where nobody waits');
set_clock($node, '+0');
everybody_calls('RESET idgen.clock_regression');
is(said(), 'caught_up=1 forward=1', 'and right again');

# Ahead by lead.
set_clock($node, '-30');
everybody_calls("SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '1min'") for 1 .. 2;
is(said(), 'ahead=1 back=1', 'a lead begins');
set_clock($node, '+5');
everybody_calls("SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '1min'") for 1 .. 2;
is(said(), 'caught_up=1 forward=1', 'a lead ends');

# Less than a tenth of a second is no event.
set_clock($node, '+4.970');
everybody_calls('RESET idgen.clock_regression') for 1 .. 2;
$node->safe_psql('postgres', "SET idgen.clock_regression = lead; SELECT count(snowflake_nextval()) FROM generate_series(1, 50000)");
is(said(), '', 'thirty milliseconds, and a burst in mode lead');

# Another wait is another event.
set_clock($node, '-60');
everybody_calls('RESET idgen.clock_regression');
is(said(), 'ahead=1 back=1 waits=1', 'another wait is told again');
set_clock($node, '+4.970');
everybody_calls('RESET idgen.clock_regression');
is(said(), 'caught_up=1 forward=1', 'and its end');

# How far the clock was set.
set_clock($node, '-3595.030');
$sessions[0]->query(q{SET idgen.clock_regression = error; SELECT snowflake_nextval()});
my ($seconds) = slurp_file($node->logfile, $from) =~ /clock was set back by ([\d.]+) s$/m;
cmp_ok(abs($seconds - 3600), '<', 1, 'the log says how far the clock was set');

$_->quit for @sessions;
$node->stop;
done_testing();
