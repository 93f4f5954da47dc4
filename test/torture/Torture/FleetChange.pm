# The scenario of a fleet whose generator goes over to other layouts, on all servers at one instant.
# What became of each change, the registry's scheme says at the end.
package Torture::FleetChange;

use strict;
use warnings;

use List::Util qw(max);
use Time::HiRes qw(time usleep);

use Torture::Changes;
use Torture::Copies;
use Torture::Fleet;
use Torture::Round;
use Torture::Server;

our %scenarios = ('fleet-change' => \&fleet_change);

# Servers that are well agree on a change within this many seconds: they hear of it at once. The rest
# is for a slow machine.
my $AGREE_S = 6;

my $MIX = 'changing_one:4,changing:2,changing_batch:2,changing_array:0.3,changing_reserve:1,changing_parallel:0.2,changing_observe:0.3,'
  . 'single:1,shard:1,seconds:0.3';

# --- proposals ----------------------------------------------------------------------------

# Returns one that should answer: not the one that is being harmed.
sub other
{
	my ($fleet) = @_;
	my @others = grep { !$fleet->{harmed} or $_ != $fleet->{harmed} } @{ $fleet->{running} };
	return one_of(@others ? @others : @{ $fleet->{running} });
}

# Asks the registry through a server, as an operator who has time.
sub ask
{
	my ($member, $sql) = @_;
	return $member->ask([ "LOAD 'idgen'", "SET idgen.max_lease_wait = '5s'", $sql ]);
}

# Returns the layouts in the scheme, and whether a change is proposed; nothing without an answer.
sub scheme_of
{
	my ($fleet, $member) = @_;
	my ($status, $text) = ask($member, "SELECT kind, value FROM idgen_scheme() WHERE name = '$CHANGING'");
	my ($layouts) = $text =~ /^generator\|(.*)$/m;
	return $status == 0 && defined $layouts ? ($layouts, $text =~ /^proposed\|/m ? 1 : 0) : ();
}

# Proposes a change at the earliest instant that is this many seconds after all that was granted.
# Returns it, in microseconds; nothing if it was not proposed.
sub propose
{
	my ($fleet, $spare_s) = @_;
	my $round = $fleet->{round};
	my $member = other($fleet);
	my ($text) = scheme_of($fleet, $member) or return;
	my @stages = stages_of($text);
	return if @stages >= $MOST_STAGES;
	my $to = next_layout($stages[-1][0]);
	my ($status, $us) = ask($member, "SELECT (extract(epoch FROM idgen_propose_change('$CHANGING', l, c.earliest)) * 1000000)::bigint
		FROM (SELECT '@{[text_of_layout($to)]}'::idgen_layout AS l) l,
			idgen_check_change('$CHANGING', l, (SELECT max(used_until) + $spare_s * interval '1 s' FROM idgen_fleet())) c");
	$fleet->{round}->fault($status == 0 ? 'proposed' : 'not proposed', "$member->{name}, layout $to" . ($status == 0 ? " at $us" : ''));
	# One whose answer was lost may have been proposed: the scheme tells at the end.
	return if $status != 0;
	push @{ $fleet->{off} }, [ 0, $to, $us ];
	return $fleet->{proposed_us} = $us;
}

# Calls off what is proposed, or what was agreed on and is still ahead: that has to be agreed on too.
sub withdraw
{
	my ($fleet) = @_;
	my $member = other($fleet);
	my ($status) = ask($member, "SELECT idgen_withdraw_change('$CHANGING')");
	$fleet->{round}->fault($status == 0 ? 'withdrawn' : 'not withdrawn', $member->{name});
	return;
}

# Waits until nothing is proposed, at most for this long. Returns the layouts then, or nothing.
sub await_decision
{
	my ($fleet, $most_s) = @_;
	my $end = time() + $most_s;
	while (time() < $end)
	{
		my ($text, $is_open) = scheme_of($fleet, other($fleet));
		return $text if defined $text and !$is_open;
		usleep(100_000);
	}
	return;
}

# All servers are well: they must agree at once, and then go over.
sub change_of_the_healthy
{
	my ($fleet, $when) = @_;
	my $round = $fleet->{round};
	$fleet->{harmed} = undef;
	my $bound = 30 + 5 * $fleet->{term_s};
	if (!defined await_decision($fleet, $bound))
	{
		$round->found('stuck', "$when, a proposal is not decided on for $bound s");
		return $fleet->explain;
	}
	my ($text) = scheme_of($fleet, $fleet->any);
	return if !defined $text or stages_of($text) >= $MOST_STAGES;
	my $at;
	my $end = time() + $bound;
	until (defined $at or time() > $end) { $at = propose($fleet, $fleet->{term_s} + $AGREE_S) // do { usleep(200_000); undef }; }
	if (!defined $at)
	{
		$round->found('stuck', "$when, no change can be proposed for $bound s");
		return $fleet->explain;
	}
	my $start = time();
	$text = await_decision($fleet, $AGREE_S);
	my @stages = defined $text ? stages_of($text) : ([ 0, 0 ]);
	if ($stages[-1][1] != $at)
	{
		$round->found('stuck', "$when, servers that are well have not agreed within $AGREE_S s" . (defined $text ? ": $text" : ''));
		return $fleet->explain;
	}
	$fleet->{agreed_s} = max($fleet->{agreed_s} // 0, time() - $start);
	return $at;
}

# --- faults -------------------------------------------------------------------------------

# A clock is set a little off, so that an instant comes early or late there, or twice.
sub clock_steps
{
	my ($fleet) = @_;
	my $member = $fleet->victim;
	my $offset = one_of(-$fleet->{term_s}, -1, -0.3, -0.05, 0, 0.05, 0.3, 1);
	$fleet->{most_offset} = max($fleet->{most_offset}, $offset);
	$member->set_clock($offset);
	$fleet->fault_of('clock', $member, "$offset s");
	$fleet->rest(one_of(0.05, $fleet->terms(0.1, 0.7)));
	return 'clock';
}

# Clocks go back over the instant, or to just before it.
sub clocks_at_instant
{
	my ($fleet) = @_;
	my $left_s = ($fleet->{proposed_us} // 0) / 1e6 - time();
	return if $left_s < 0 or $left_s > 5;
	$fleet->rest(max(0, $left_s + one_of(-0.05, 0, 0.001, 0.05)));
	for my $member (@{ $fleet->{running} })
	{
		next if chance(0.4);
		$member->step_clock(one_of(-0.5, -0.1, -0.02, 0.02, 0.1));
		$fleet->fault_of('clock at the instant', $member);
	}
	$fleet->rest(between(0, 0.3));
	return 'clock at the instant';
}

# A server whose clock goes ahead right after a proposal, beyond its instant, and which gets time for that
# before it has heard of the proposal: it must not agree any more. Its exchanges take long, up to what they may
# without failing: so its sessions use that time before the worker has read the scheme. Often the worker
# stands still until sessions want more time: then it asks for that first, however fast the news are.
sub late_to_hear
{
	my ($fleet) = @_;
	my $member = $fleet->victim;
	my $registry = $fleet->{registry};
	my $delay_ms = one_of(40, 80, 120) * $fleet->{term_s};
	# One change at a time.
	my $left_s = ($fleet->{proposed_us} // 0) / 1e6 - time();
	delete $fleet->{meanwhile};
	$fleet->rest($left_s + 0.1) if $left_s > 0 and $left_s < 10;
	$fleet->fault_of('late to hear', $member);
	$registry->link($member->{name}, "delay $delay_ms");
	$fleet->rest(0.8 * $fleet->{term_s});
	my ($worker) = chance(0.7) ? $member->children_called('idgen lease worker') : ();
	$member->halt($worker) if $worker;
	my $at = propose($fleet, $fleet->{term_s} + 0.5);
	my $ahead_s = defined $at ? $at / 1e6 - time() + one_of(0.05, 0.3) : 0;
	$member->set_clock($ahead_s) if $ahead_s > 0;
	$fleet->{most_offset} = max($fleet->{most_offset}, $ahead_s);
	$fleet->rest(0.05);
	$member->resume if $worker;
	$fleet->rest(1.2 * $fleet->{term_s});
	$member->set_clock(0) if chance(0.7);
	$registry->link($member->{name}, '');
	return 'late to hear';
}

# A server is away while a change is proposed, agreed on and made. It comes back with sessions that
# wait for it, and with the old layout in its catalogs.
sub away
{
	my ($fleet) = @_;
	my $member = $fleet->victim;
	my $how = one_of('kill', 'fast', 'immediate');
	$fleet->fault_of("away, $how", $member);
	if ($how eq 'kill') { $member->kill_postmaster; }
	else { $member->stop($how); }
	delete $fleet->{meanwhile};
	my $at = propose($fleet, $fleet->{term_s} + between(0.1, 1));
	$fleet->rest($at / 1e6 - time() + between(0, 0.3)) if defined $at;
	$member->start;
	return 'away';
}

sub killed_at_instant
{
	my ($fleet) = @_;
	my $left_s = ($fleet->{proposed_us} // 0) / 1e6 - time();
	return if $left_s < 0 or $left_s > 5;
	$fleet->rest(max(0, $left_s + one_of(-0.05, 0, 0.001, 0.05)));
	return $fleet->goes_down;
}

# A backup from before all changes takes the place of a server.
sub restored
{
	my ($fleet) = @_;
	return if !$fleet->{backup} or $fleet->{restores}++ > 1;
	return $fleet->copied('restore of an old backup', $fleet->{backup});
}

sub cloned
{
	my ($fleet) = @_;
	return if $fleet->{clones}++ > 0;
	return $fleet->copied(one_of('copy after a crash', 'promotion', 'base backup'));
}

# --- the scenario ---------------------------------------------------------------------------

# Changes are proposed before, during and after faults, some are called off, and some servers come
# back from before.
sub fleet_change
{
	my ($round) = @_;
	# Some rounds are about one thing above all. Whoever is late to hear must not be too late for its lease.
	my ($late, $away, @terms_s) = one_of([ 6, 2, 1, 2 ], [ 30, 1, 2, 3 ], [ 3, 8, 1, 2 ])->@*;
	my $fleet = Torture::Fleet::begin($round, members => one_of(3, 3, 4), machines => 16, shared => one_of(0, 0, 1), term_s => one_of(@terms_s),
		mix => $MIX, calls => [ [ 'idgen_nextval', $CHANGING ] ], before => sub {
			my ($self) = @_;
			$self->{running}[0]->wait_ready;
			for (1 .. 100)
			{
				last if (ask($self->{running}[0], "SELECT idgen_scheme_add('$CHANGING')"))[0] == 0;
				usleep(100_000);
			}
		});
	$fleet->{off} = [];
	# Sessions that stay in a transaction take in no invalidations.
	$round->sessions(threads => $fleet->{members}, spread_s => 14, mix => 'changing_one:3,changing:1', wraps => 100, wrap => 'SELECT 1',
		wrap_ms => '100,1000', ends => 'commit', modes => one_of('wait', 'lead'), lead_ms => 500, ids => $config{most_ids} / 6);
	if (chance(0.7))
	{
		my $origin = $fleet->any;
		$fleet->{backup} = $round->empty_server('backup');
		$fleet->{backup}{shared} = $origin->{shared};
		Torture::Copies::base_backup($origin, $fleet->{backup});
	}
	if ($round->{scale} >= 1)
	{
		my $first = change_of_the_healthy($fleet, 'at first');
		$fleet->rest($first / 1e6 - time() - rand()) if defined $first;
	}
	$round->during(16, 0.1, sub {
		$fleet->{harmed} = undef;
		my $do = one_of((\&Torture::Fleet::goes_down) x 3, \&Torture::Fleet::process_ends, (\&Torture::Fleet::hangs) x 2,
			(\&Torture::Fleet::disturbed) x 2, \&Torture::Fleet::released, \&Torture::Fleet::registry_away, (\&clock_steps) x 2,
			(\&clocks_at_instant) x 2, (\&late_to_hear) x $late, (\&away) x $away, \&killed_at_instant, \&restored, \&cloned);
		$fleet->{meanwhile} = sub { propose($fleet, $fleet->{term_s} + between(0.1, 2)); withdraw($fleet) if chance(0.2); };
		(delete $fleet->{meanwhile})->() if $do != \&late_to_hear and chance(0.5);
		my $fault = $do->($fleet);
		$fleet->{harmed} = undef;
		withdraw($fleet) if chance(0.15);
		$fleet->expect_all("after $fault") if $fault and chance(0.3);
		# Often until the instant, so that another change can be proposed.
		my $left_s = ($fleet->{proposed_us} // 0) / 1e6 - time();
		$fleet->rest($left_s + 0.05) if $left_s > 0 and $left_s < 4 and chance(0.6);
	});
	$_->set_clock(0) for @{ $fleet->{running} };
	$fleet->expect_all('after all faults');
	my $at = change_of_the_healthy($fleet, 'at the end');
	$fleet->rest(max(0, $at / 1e6 - time() + 0.5)) if defined $at;
	$fleet->expect_all('after the last change');
	return finish($fleet);
}

# What is in the scheme now is what was committed.
sub finish
{
	my ($fleet) = @_;
	my $round = $fleet->{round};
	my $text = await_decision($fleet, 60) // die "the scheme cannot be read\n";
	my @stages = stages_of($text);
	my %is_there = map { ("$_->[0] $_->[1]" => 1) } @stages;
	write_changes($round, { 0 => \@stages }, [ grep { !$is_there{"$_->[1] $_->[2]"} } @{ $fleet->{off} } ]);
	$fleet->end(changes => 'fleet', sample => 5000);
	for my $member (@{ $fleet->{running} })
	{
		for my $database ('postgres', 'other')
		{
			my $has = answer_of($member, $LAYOUT, $database);
			next if $has eq $text;
			$round->{result}{violations}{scheme}++;
			$round->{result}{text} .= "\nviolation scheme: $member->{name}, $database: \"$has\", expected \"$text\"";
		}
		check_decoding($round, 0, $member, 'postgres');
	}
	$round->{result}{remark} .= sprintf(', agreed %.1f s, %d changes', $fleet->{agreed_s} // -1, @stages - 1);
	return;
}

1;
