# The scenarios of a fleet: several servers at once, which hold their identities in a registry.
# Sessions make IDs on all of them all the time. No ID may come twice in the whole fleet, and after
# each fault every server that can must soon make IDs again.
package Torture::Fleet;

use strict;
use warnings;

use List::Util qw(max);
use Time::HiRes qw(time usleep);

use Torture::Copies;
use Torture::Registry;
use Torture::Round;
use Torture::Server;

our %scenarios = (
	'fleet' => \&fleet,
	'fleet-clock' => \&fleet_clock,
	'fleet-clone' => \&fleet_clone,
	'fleet-hang' => \&fleet_hang,
	'fleet-pool' => \&fleet_pool,
	'fleet-registry' => \&fleet_registry,
);

# Within this many seconds after a fault, plus five terms, a server makes IDs again. It may have
# to start, to wait for a pause of its worker (5 s), and for a holder that is gone. The rest is
# for a slow machine.
my $BOUND_S = 30;

my @NAMES = ('a' .. 'h');

my $MIX = 'single:8,array:1,batch:1,arrays:0.1,reserve:1,shard:2,sonyflake:1,seconds:0.5,wide:1,ending:1,insert:1,parallel:0.2,observe:0.2';

# --- a fleet -----------------------------------------------------------------------------

# Starts the registry and the members.
#   members   their number
#   machines  how many machine IDs the pool has
#   term_s    idgen.lease_term
#   shared    two of the members have the same number as machine ID, and none from the pool
#   before    what to do before the sessions start
#   mix       what sessions make that all members can make at once
#   calls     further calls that make IDs on as many members as there are machine IDs: [ function, argument ]
sub begin
{
	my ($round, %options) = @_;
	my $self = bless {
		round => $round, members => 3, machines => 16, term_s => one_of(1, 2, 2, 3), shared => 0, running => [],
		settings => [ $round->leading ], most_offset => 0, slowest => 0, before => sub { }, calls => [],
		mix => $MIX, %options }, __PACKAGE__;
	# 55006: an identity that another server holds. 55000: no answer in time. 53400: a full pool;
	# holders that are gone fill it as well, until their term is over.
	$round->allow(qw(down 55006 55000 53400));
	$round->{order} = 'server';
	$round->{identities} = { map { ("1:$_" => 1) } 0 .. $self->{machines} - 1, 20 };
	$self->{registry} = Torture::Registry->new($round, @NAMES);
	$self->add for 1 .. $self->{members};
	$round->note("fleet of $self->{members}, machines $self->{machines}, term $self->{term_s} s, shared $self->{shared}");
	$self->aim;
	$self->{before}->($self);
	# Some sessions want what those on all other servers want, so that whatever is free is taken at once.
	# A few IDs at a time touch more ticks than many.
	my %common = (spread_s => 14, reconnects => 15, modes => one_of('wait', 'wait,lead,error'),
		lead_ms => one_of(500, 10000), wait_ms => '50,200', blocks => one_of(0, 30));
	$round->sessions(%common, threads => 2 * $self->{members}, contested => 0,
		mix => $self->{mix});
	$round->sessions(%common, threads => 2 * $self->{members}, contested => 100, mix => 'named:3,shard:1,single:1',
		ids => $config{most_ids} / 3);
	$self->expect_all('at first');
	return $self;
}

# The settings of a member.
sub settings_of
{
	my ($self, $name, $shared) = @_;
	return (
		'idgen.datacenter_id = 1', 'idgen.machine_id = 20', "idgen.machine_id_source = " . ($shared ? 'setting' : 'registry'),
		"idgen.registry = '" . $self->{registry}->address($name) . "'",
		"idgen.registry_machines = $self->{machines}", "idgen.lease_term = '$self->{term_s} s'",
		"idgen.max_lease_wait = '" . one_of(100, 200, 500) . " ms'",
		"cluster_name = '$name'", 'idgen.reserve_window = ' . one_of(10, 50, 300, 1000), 'restart_after_crash = on',
		@{ $self->{settings} });
}

sub next_name
{
	my ($self) = @_;
	return $NAMES[ $self->{named}++ ];
}

# A new server.
sub add
{
	my ($self) = @_;
	my $name = $self->next_name;
	my $shared = $self->{shared} && $name le 'b';
	my $server = $self->{round}->server($name, [], $self->settings_of($name, $shared));
	$server->{shared} = $shared;
	push @{ $self->{running} }, $server;
	return $server;
}

# Directs the sessions to all members.
sub aim { my ($self) = @_; $self->{round}->target_all(@{ $self->{running} }); return; }

sub any { my ($self) = @_; return one_of(@{ $self->{running} }); }

# Often one that holds what others want.
sub victim
{
	my ($self) = @_;
	my $asked = $self->any;
	return $asked if chance(0.3);
	my ($status, $text) = $asked->ask("SELECT split_part(holder, '\@', 1) FROM idgen_registry_list()
		WHERE state = 'held' AND (machine_id IN (9, 20) OR shard_id < 3) ORDER BY random() LIMIT 1");
	my ($holder) = grep { $_->{name} eq $text } @{ $self->{running} };
	return $holder // $asked;
}

sub terms { my ($self, $least, $most) = @_; return $self->{term_s} * between($least, $most); }

# Lets time pass; what is to happen meanwhile does so once, at any time of it.
sub rest
{
	my ($self, $seconds) = @_;
	$seconds = max(0, $seconds);
	my $do = delete $self->{meanwhile};
	my $first = $do ? $seconds * rand() : $seconds;
	usleep($first * 1e6);
	if ($do) { $do->(); usleep(($seconds - $first) * 1e6); }
	return;
}

# --- that it goes on ------------------------------------------------------------------------

# Expects IDs from every member that can make some: of those that share a number one, and as many as
# there are machine IDs.
sub expect_all
{
	my ($self, $after, @members) = @_;
	my $round = $self->{round};
	my $most = $BOUND_S + 5 * $self->{term_s};
	my $start = time();
	@members = @{ $self->{running} } unless @members;
	my $shared = grep { $_->{shared} } @members;
	my $from_pool = @members - $shared;
	my $enough = $from_pool - max(0, $from_pool - $self->{machines}) + ($shared ? 1 : 0);
	my %calls = ('instagram_nextval' => scalar(@members), map { (name_of_call(@$_) => $enough) } $self->calls);
	my %made = map { ($_ => {}) } keys %calls;
	while (grep { keys %{ $made{$_} } < $calls{$_} } keys %calls)
	{
		if (time() - $start > $most)
		{
			for my $call (grep { keys %{ $made{$_} } < $calls{$_} } sort keys %calls)
			{
				$round->found('stuck', sprintf('%s, %d s later: %s makes IDs on %s, expected on %d of %d', $after, $most,
					$call, join(' ', sort keys %{ $made{$call} }) || 'none', $calls{$call}, scalar(@members)));
			}
			$self->explain;
			return 0;
		}
		# In turn, so that one that waits does not keep the others from being seen.
		for my $member (@members) { $made{$_}{ $member->{name} } = 1 for $self->calls_that_work($member); }
	}
	my $took = time() - $start;
	$round->note(sprintf('%s: all make IDs after %.2f s', $after, $took));
	$self->{slowest} = max($self->{slowest}, $took);
	return 1;
}

sub calls { my ($self) = @_; return ([ 'snowflake_nextval', '' ], [ 'idgen_nextval', 'torture_seconds' ], @{ $self->{calls} }); }

sub name_of_call { my ($function, $argument) = @_; return $argument ? "$function $argument" : $function; }

# Returns those of the functions that make an ID on a member, of identities of three kinds.
sub calls_that_work
{
	my ($self, $member) = @_;
	my @calls = map { [ name_of_call(@$_), "$_->[0](" . ($_->[1] ? "'$_->[1]'" : '') . ')' ] } $self->calls;
	my ($status, $text) = output_of('psql', '-XqAt', '-d', $member->connection,
		map { ('-c', "SELECT '$_->[0]' WHERE $_->[1] > 0") }
		  [ 'instagram_nextval', "instagram_nextval(@{[3 * $member->{number}]})" ], @calls);
	return split(/\n/, $text);
}

# What a round that is stuck leaves behind for a person.
sub explain
{
	my ($self) = @_;
	for my $member (@{ $self->{running} })
	{
		my ($status, $text) = $member->ask('SELECT * FROM idgen_identity');
		$self->{round}->note("$member->{name}, clock @{[sprintf '%+.3f', $member->offset]} s:\n$text");
	}
	$self->{round}->note("registry:\n" . $self->{registry}->contents);
	return;
}

# Ends the round: clocks are beyond all that was shown. The checker has these options.
sub end
{
	my ($self, %checked) = @_;
	my $ahead = $self->{most_offset} + 10 + 3 * $self->{term_s};
	$_->set_clock($ahead) for @{ $self->{running} };
	$self->{registry}{server}->set_clock(0);
	$self->rest(0.3);
	$self->expect_all('at the end');
	$self->{round}{result} = $self->{round}->check(%checked);
	$self->{round}{result}{remark} = sprintf('slowest %.1f s', $self->{slowest});
	return;
}

# --- faults -------------------------------------------------------------------------------

sub fault_of
{
	my ($self, $kind, $member, $text) = @_;
	$self->{harmed} = $member;
	return $self->{round}->fault($kind, join(' ', $member ? $member->{name} : (), $text // ()));
}

# A server goes down, in this way or any, and comes back.
sub goes_down
{
	my ($self, $how) = @_;
	my $member = $self->victim;
	$how //= one_of('kill postmaster', 'kill postmaster', 'immediate shutdown', 'fast shutdown', 'fast shutdown');
	$self->fault_of($how, $member);
	if ($how =~ /kill/) { $member->kill_postmaster; }
	else { $member->stop($how =~ /(\w+)/); }
	$self->rest(one_of(0, 0, $self->terms(0.1, 1.5)));
	$member->start;
	return $how;
}

# One process ends: a session by kill -9 (then all start anew), or the worker.
sub process_ends
{
	my ($self) = @_;
	my $member = $self->victim;
	my ($worker) = $member->children_called('idgen lease worker');
	my $how = one_of('kill session', 'kill worker', 'end worker', 'end worker', 'end worker');
	if ($how eq 'kill session') { $member->kill_backend or return; }
	else { $worker or return; kill($how eq 'kill worker' ? 'KILL' : 'TERM', $worker); }
	$self->fault_of($how, $member);
	$self->rest($self->terms(0.1, 1));
	return $how;
}

# An operator takes a machine ID from whoever has it.
sub released
{
	my ($self) = @_;
	my $member = $self->any;
	my $machine = int(rand(max($self->{machines} < 8 ? $self->{machines} : $self->{members}, 1)));
	$machine = 20 if $self->{shared} and chance(0.5);
	my ($status) = $member->ask("SELECT idgen_registry_release($machine)");
	$self->fault_of('operator', $member, $machine);
	$self->rest(one_of(0, $self->terms(0.1, 1.2)));
	return 'operator';
}

# Processes that stand still for longer than a term, and go on.
sub hangs
{
	my ($self) = @_;
	my $member = $self->victim;
	my $what = one_of('whole server', 'whole server', 'worker', 'worker', 'session', 'session and worker');
	my @who;
	push @who, $member->children_called('idgen lease worker') if $what =~ /worker/;
	push @who, $member->a_backend // () if $what =~ /session/;
	return if !@who and $what ne 'whole server';
	my $how_long = $self->terms(1.2, 2.5);
	$self->fault_of("stop $what", $member, sprintf('%.1f s', $how_long));
	$member->halt(@who);
	$self->rest($how_long);
	$member->resume;
	return "stop $what";
}

# The network between a member and the registry.
sub disturbed
{
	my ($self) = @_;
	my $member = $self->victim;
	my $mode = one_of('cut', 'hang', 'hang', 'deaf', 'deaf', 'delay ' . one_of(20, 100, 400, 1500));
	my $how_long = $self->terms(0.3, 2.5);
	$self->fault_of('link ' . ($mode =~ /(\w+)/)[0], $member, sprintf('%s, %.1f s', $mode, $how_long));
	$self->{registry}->link($member->{name}, $mode);
	$self->rest($how_long);
	$self->{registry}->link($member->{name}, '');
	return "link $mode";
}

# A copy of a server, beside it or (a restore) in its place; of `backup`, or of what it has now.
sub copied
{
	my ($self, $how, $backup) = @_;
	my $round = $self->{round};
	my $origin = $self->victim;
	my $name = $self->next_name;
	$self->fault_of($how, $origin, $name);
	my $copy = $round->empty_server($name);
	if ($how eq 'copy after a crash')
	{
		$origin->kill_postmaster;
		command('cp', '-a', $origin->{dir}, $copy->{dir});
		$origin->start;
	}
	elsif ($backup) { command('cp', '-a', $backup->{dir}, $copy->{dir}); }
	else { Torture::Copies::base_backup($origin, $copy, $how eq 'promotion' ? '-R' : ()); }
	$self->rest(one_of(0, $self->terms(0.1, 1)));
	if ($how =~ /restore/)
	{
		$origin->kill_postmaster;
		@{ $self->{running} } = grep { $_ != $origin } @{ $self->{running} };
	}
	# A copy of one with a number of its own has that number too.
	$copy->{shared} = ($backup // $origin)->{shared};
	$copy->configure($self->settings_of($name, $copy->{shared}));
	my $behind = one_of(0, 0, 1, 60);
	$copy->set_clock(-$behind);
	$copy->start;
	if ($how eq 'promotion')
	{
		Torture::Copies::wait_streaming($origin) if chance(0.5);
		$copy->promote;
	}
	else { $copy->wait_ready; }
	push @{ $self->{running} }, $copy;
	$self->aim;
	$round->during(1, 0);
	$copy->set_clock(0);
	return $how;
}

# The registry itself.
sub registry_away
{
	my ($self) = @_;
	my $registry = $self->{registry}{server};
	my $how = one_of('stop registry', 'stop registry', 'kill registry', 'immediate shutdown of registry', 'fast shutdown of registry');
	my $how_long = one_of(0, $self->terms(0.2, 2));
	$self->fault_of($how, undef, sprintf('%.1f s', $how_long));
	if ($how =~ /^stop/)
	{
		$registry->halt;
		$self->rest($how_long + $self->terms(1, 1.5));
		$registry->resume;
		return $how;
	}
	if ($how =~ /^kill/) { $registry->kill_postmaster; }
	else { $registry->stop($how =~ /(\w+)/); }
	$self->rest($how_long);
	$registry->start;
	return $how;
}

# A clock is set by up to an hour, and perhaps back later. IDs may then be ahead for good. Small
# differences are what makes servers come into ticks that others used just before.
sub clock_steps
{
	my ($self) = @_;
	my $member = $self->victim;
	my $offset = one_of(-3600, -60, -$self->{term_s}, -1, -1, -0.3, -0.3, 0, 0.3, 0.3, 1, 1, $self->{term_s}, 60, 3600);
	$self->{most_offset} = max($self->{most_offset}, $offset);
	$member->{most_offset} = max($member->{most_offset} // 0, $offset);
	$member->set_clock($offset);
	$self->fault_of('clock', $member, "$offset s");
	$self->rest(one_of(0, 0.05, $self->terms(0.1, 0.7)));
	return 'clock';
}

# The registry's clock decides who may be ended: nothing else.
sub registry_clock
{
	my ($self) = @_;
	my $offset = one_of(-3600, 3600, -5, 5);
	$self->fault_of('registry clock', undef, "$offset s");
	$self->{registry}{server}->set_clock($offset);
	$self->rest($self->terms(0.1, 1.2));
	$self->{registry}{server}->set_clock(0);
	return 'registry clock';
}

# --- scenarios ----------------------------------------------------------------------------

# One fault after the other for some seconds; after some of them, all members must make IDs again
# before the next.
sub go_through
{
	my ($self, $seconds, @faults) = @_;
	$self->{round}->during($seconds, 0.2, sub {
		my $fault = one_of(@faults)->($self) or return;
		$self->expect_all("after $fault") if chance(0.4);
	});
	return;
}

# Servers that go down, processes that end, operators that take machine IDs away.
sub fleet
{
	my ($round) = @_;
	my $fleet = begin($round, members => one_of(3, 3, 4), machines => one_of(4, 16), shared => one_of(0, 1));
	$fleet->go_through(14, \&goes_down, \&goes_down, \&process_ends, \&process_ends, \&released);
	return $fleet->end;
}

# Machine IDs for fewer servers than there are.
sub fleet_pool
{
	my ($round) = @_;
	my $fleet = begin($round, members => 4, machines => one_of(2, 3), shared => 0);
	$fleet->go_through(14, \&goes_down, \&hangs, \&released, \&process_ends);
	return $fleet->end;
}

# Servers, workers and sessions that stand still for longer than a term.
sub fleet_hang
{
	my ($round) = @_;
	my $fleet = begin($round, machines => one_of(3, 4, 16), shared => one_of(0, 1, 1), term_s => one_of(1, 2));
	$fleet->go_through(14, \&hangs);
	return $fleet->end;
}

# The registry and the way to it.
sub fleet_registry
{
	my ($round) = @_;
	my $fleet = begin($round, machines => one_of(3, 4, 16), shared => one_of(0, 1, 1), term_s => one_of(1, 2));
	$fleet->go_through(14, \&disturbed, \&disturbed, \&disturbed, \&registry_away);
	return $fleet->end;
}

# Clocks that step, and identities that change hands meanwhile. Who made IDs an hour ahead must wait
# for that time. The others must not, even if they get a machine ID anew: the pool has enough that
# nobody used ahead.
sub fleet_clock
{
	my ($round) = @_;
	my $fleet = begin($round, machines => one_of(4, 16), shared => one_of(0, 1, 1), term_s => one_of(1, 2));
	$round->during(14, 0.3, map { my $fault = $_; sub { $fault->($fleet) } }
		  (\&clock_steps) x 4, \&goes_down, (sub { goes_down($_[0], 'fast shutdown') }) x 2, \&process_ends, \&hangs, \&disturbed, \&released, \&registry_clock);
	$_->set_clock(0) for @{ $fleet->{running} };
	my @never_ahead = grep { !$_->{shared} && !$_->{most_offset} } @{ $fleet->{running} };
	$fleet->expect_all('clocks are right', @never_ahead) if @never_ahead and $fleet->{machines} >= 16;
	return $fleet->end;
}

# A copy of a server's files beside the server: after a crash, or as a base backup; a standby that is
# promoted while its primary goes on; and a backup that takes the place of a server, and knows nothing
# of what the server made since.
sub fleet_clone
{
	my ($round) = @_;
	my $fleet = begin($round, members => one_of(2, 3), shared => one_of(0, 1));
	for (1 .. 2)
	{
		$fleet->copied(one_of('copy after a crash', 'base backup', 'restore', 'promotion'));
		$fleet->go_through(2, \&goes_down, \&hangs);
	}
	return $fleet->end;
}

1;
