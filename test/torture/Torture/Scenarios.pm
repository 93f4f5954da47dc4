# The scenarios about one server: its clock and its processes. Those about several servers are in
# Copies.pm, those about objects and the disk in Objects.pm.
package Torture::Scenarios;

use strict;
use warnings;

use Time::HiRes qw(time usleep);

use Torture::Round;
use Torture::Server;

our %scenarios = (
	clock => \&clock,
	blocks => \&blocks,
	rush => \&rush,
	calendar => \&calendar,
	kill => \&kill_sessions,
	crash => \&crash,
	waits => \&waits,
);

# --- parts of several --------------------------------------------------------------------

my @SMALL_STEPS = (1e-6, 1e-5, 1e-4, 1e-3, 0.005, 0.03, 0.3, 1, 3);

sub text_of { my ($seconds) = @_; return sprintf('%+.6f s', $seconds); }

# Steps and slews that never go far from the real time.
sub disturb_clock
{
	my ($round, $server) = @_;
	if (chance(0.3))
	{
		my $rate = one_of(-0.95, -0.5, -0.05, -0.001, 0.001, 0.05, 0.5, 2);
		$server->slew_clock($rate);
		return $round->fault('slew', sprintf('%+.3f', $rate));
	}
	my $step = one_of(@SMALL_STEPS) * one_of(-1, 1);
	$step = -$server->offset if abs($server->offset + $step) > 5;
	$server->step_clock($step);
	return $round->fault($step < 0 ? 'step back' : 'step forward', text_of($step));
}

# With windows of 10 ms the mark is written all the time.
sub window { return 'idgen.reserve_window = ' . one_of(10, 10, 50, 300, 1000); }

# Marks reach the log's files only because idgen flushes them.
my $NO_COMMITS = { mix => 'single:1,array:1,batch:1,reserve:1,shard:1,named:1,seconds:1,parallel:1,uuid:1,ulid:1,uuidv1:1,uuidv8:1,id128:1,hlc:1,ticket:1,tickets:1,ticket_reserve:1' };

sub any_of { return chance(0.5) ? () : $_[0]->%*; }

sub lazy_log { return ('wal_writer_delay = 10s', 'bgwriter_delay = 10s', 'synchronous_commit = ' . one_of('on', 'off')); }

# --- the clock ---------------------------------------------------------------------------

# Steps of microseconds to seconds, back and forth, fast and slow.
sub clock
{
	my ($round) = @_;
	my $server = $round->server('main', window());
	$round->target($server);
	$round->sessions(modes => one_of('wait', 'lead', 'error', 'wait,lead,error'), blocks => one_of(0, 0, 50));
	$round->during(4, one_of(0.02, 0.2), sub { disturb_clock($round, $server) });
	$server->set_clock(20);    # beyond max_clock_lead
	$round->during(0.3, 0);
	$round->expect_ids($server);
	return;
}

# Sessions with blocks beside some without. At times the clock hardly moves, goes on, and comes back
# into the very ticks of the blocks that the sessions hold.
sub blocks
{
	my ($round) = @_;
	my $server = $round->server('main', window());
	$round->target($server);
	$round->sessions(modes => one_of('wait', 'lead', 'wait,lead,error'), blocks => 70, block_sizes => '2,64,64,5000',
		wait_ms => '5,50', mix => 'single:6,array:1,batch:1,reserve:1,shard:2,wide:6,seconds:1,parallel:1,observe:1');
	$round->during(4, 0.05, sub {
		return disturb_clock($round, $server) if chance(0.3);
		$server->slew_clock(-0.998);
		for (1 .. 3)
		{
			usleep(between(1e3, 2e4));
			my $step = one_of(0.001, 0.005, 0.05);
			$server->step_clock($step);
			usleep(between(1e3, 2e4));
			$server->step_clock(-$step);
			$round->fault('there and back', text_of($step));
		}
		usleep(between(1e3, 2e4));
		$server->slew_clock(0);
	});
	$server->set_clock(5);
	$round->expect_ids($server);
	return;
}

# All sessions use one ID space, so that each tick's numbers are used up, and the clock runs slow.
sub rush
{
	my ($round) = @_;
	my $server = $round->server('main', window());
	$round->target($server);
	$round->sessions(threads => one_of(4, 12), mix => 'array:8,single:1,reserve:1,parallel:1', ids => 3_500_000, paced => 0, blocks => one_of(0, 0, 50),
		modes => one_of('wait', 'error', 'wait,error'));
	$round->during(2.5, 0.3, sub {
		my $rate = one_of(0, -0.3, -0.6);
		$server->slew_clock($rate);
		$round->fault('slew', sprintf('%+.3f', $rate));
	});
	$server->set_clock(5);
	$round->expect_ids($server);
	return;
}

# From an hour to decades: before the epoch, beyond a layout's end, and back.
sub calendar
{
	my ($round) = @_;
	my $server = $round->server('main', window());
	# 22008: the layout cannot hold the time to observe.
	$round->allow(qw(2200H 22008));
	$round->target($server);
	$round->sessions(modes => 'wait,lead,error', lead_ms => '1000,10000,86400000');
	my $now = time();
	my %instants = (
		'an hour back' => -3600, 'a day back' => -86400, 'a year back' => -365 * 86400,
		'before one epoch' => 1_560_000_000 - $now, 'before all epochs' => 1_100_000_000 - $now,
		'an hour ahead' => 3600, 'a day ahead' => 86400, 'beyond one end' => 120 * 86400,
		'a year ahead' => 365 * 86400, 'beyond all ends' => 4_000_000_000 - $now,
	);
	my @back = grep { $instants{$_} < 0 } sort keys %instants;
	my @ahead = sort { $instants{$a} <=> $instants{$b} } grep { $instants{$_} > 0 } keys %instants;
	$round->during(0.6, 0);
	# Each size ahead only once, since IDs that are made there stay ahead for good.
	for my $name ((map { one_of(@back) } 1 .. 3), $ahead[ int(rand(3)) ], one_of(@back), one_of(@ahead[3, 4]))
	{
		$server->set_clock($instants{$name} + between(-3, 3), one_of(0, 0, 0.2, -0.2));
		$round->fault($instants{$name} < 0 ? 'far back' : 'far ahead', $name);
		$round->during(0.4, 0);
		$server->set_clock(0);
		$round->during(0.4, 0);
	}
	return;
}

# --- the processes ------------------------------------------------------------------------

# kill -9 of a session: of any, or of the next one that waits, writes the mark, or is about to use
# it.
sub kill_sessions
{
	my ($round) = @_;
	my $server = $round->server('main', 'idgen.reserve_window = ' . one_of(10, 20, 200), lazy_log());
	$round->allow('down');
	$round->target($server);
	$round->sessions(modes => one_of('wait', 'wait,lead,error'), wait_ms => '50,1500',
		any_of($NO_COMMITS));
	my @points = ('asleep', 'before the log is written', 'before the log is flushed', 'before use', 'with the page');
	my $clocks = chance(0.5);
	$round->during(5, 0.5, sub {
		if (chance(0.35))
		{
			$round->fault('kill session') if $server->kill_backend;
		}
		else
		{
			my $point = int(rand(5));
			my $before = $server->kills;
			$server->kill_at($point + 1);
			for (1 .. 200) { last if $server->kills > $before; usleep(5_000); }
			$server->kill_at(0);
			$round->fault("kill $points[$point]") if $server->kills > $before;
		}
		if ($clocks) { disturb_clock($round, $server); }
		usleep(between(0, 3e5));
	});
	$server->wait_ready;
	$server->set_clock(20);
	$round->expect_ids($server);
	return;
}

# The whole server goes down, and its clock goes back meanwhile.
sub crash
{
	my ($round) = @_;
	my $server = $round->server('main', window(), lazy_log());
	$round->allow('down');
	$round->target($server);
	$round->sessions(modes => one_of('wait', 'lead', 'error', 'wait,lead,error'),
		lead_ms => one_of(0, 500, 10000), any_of($NO_COMMITS));
	for (1 .. 3)
	{
		# Often only one database makes the last IDs.
		$round->target($server, one_of([ 'other' ], [ 'other' ], [ 'postgres', 'other' ])->@*);
		$round->during(0.7, 0);
		my $how = one_of('kill postmaster', 'kill postmaster', 'immediate shutdown', 'fast shutdown');
		if ($how =~ /kill/) { $server->kill_postmaster; }
		else { $server->stop($how =~ /(\w+)/); }
		$round->fault($how);
		my $back = one_of(0, 0.001, 0.05, 0.4, 2, 3600);
		$server->step_clock(-$back);
		$round->fault('back while down', text_of(-$back)) if $back > 0;
		# Otherwise any session may come first, during the start.
		$round->target if chance(0.7);
		$server->start;
		$round->target($server, one_of([ 'postgres' ], [ 'postgres' ], [ 'postgres', 'other' ])->@*);
		$round->during(0.7, 0);
		$server->step_clock($back + 0.1);
		$round->during(0.4, 0);
	}
	$server->set_clock(20);
	$round->expect_ids($server);
	return;
}

# Waits that are cancelled, terminated, timed out, or ended by a step of the clock.
sub waits
{
	my ($round) = @_;
	my $server = $round->server('main', window());
	$round->allow(qw(57014 down));
	$round->target($server);
	$round->sessions(threads => 10, modes => 'wait', wait_ms => '100,1000,86400000', timeouts => 30,
		lead_ms => 3000);
	my $end = sub {
		my ($function, $kind) = @_;
		my $who = one_of("wait_event = 'Extension'", 'random() < 0.3');
		my ($status, $count) = $server->ask("SELECT count($function(pid)) FROM pg_stat_activity
			WHERE application_name = 'torture' AND $who");
		$round->fault($kind) for 1 .. ($status == 0 ? $count : 0);
	};
	$round->during(5, 0.1,
		sub { $end->('pg_cancel_backend', 'cancel') },
		sub { $end->('pg_terminate_backend', 'terminate') },
		sub {
			my $back = one_of(0.05, 0.5, 30, 3600);
			$server->step_clock(-$back);
			$round->fault('step back', text_of(-$back));
			usleep(between(0, 3e5));
			$end->('pg_cancel_backend', 'cancel');
			usleep(between(0, 2e5));
			$server->step_clock($back);
		});
	$server->set_clock(5);
	$round->expect_ids($server);
	return;
}

1;
