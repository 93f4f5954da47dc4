# The scenario of ticket servers: several servers hand out numbers of one sequence, in segments that
# a ticket server gave them. No number may come twice on all of them together.
package Torture::Segments;

use strict;
use warnings;

use Time::HiRes qw(usleep);

use Torture::Copies;
use Torture::Round;
use Torture::Server;

our %scenarios = (segments => \&segments);

my $NEXT = "ticket_nextval('torture_tickets')";
my @CHANGES = ('ALTER SEQUENCE torture_tickets NO CYCLE', 'ALTER SEQUENCE torture_tickets RESTART');

# The settings of a server that takes from these; each database has one of the same name there.
sub settings_of
{
	my (@givers) = @_;
	return ('idgen.ticket_segment = ' . one_of(1, 50, 1000), 'idgen.ticket_reserve = ' . one_of(1, 32, 1000),
		"idgen.max_lease_wait = '" . one_of(100, 1000) . " ms'", 'restart_after_crash = on',
		"idgen.ticket_servers = '@{[ addresses('postgres', @givers) ]}'", Torture::Scenarios::lazy_log());
}

sub addresses
{
	my ($database, @givers) = @_;
	return join(' ', map { "postgresql://postgres\@/$database?host=$config{dir}&port=$_->{port}" } @givers);
}

sub segments
{
	my ($round) = @_;
	my @givers = map { $round->server("tickets$_", Torture::Scenarios::lazy_log()) } 1 .. one_of(1, 1, 2);
	for my $database ('postgres', 'other')
	{
		$givers[$_]->sql("ALTER SEQUENCE torture_tickets INCREMENT @{[ scalar @givers ]} RESTART @{[ 1 + $_ ]}", $database)
		  for 0 .. $#givers;
	}
	my @names = ('a' .. 'h');
	my @members;
	for (1 .. one_of(2, 3))
	{
		my $member = $round->server(shift(@names), settings_of(@givers));
		$member->sql("ALTER DATABASE other SET idgen.ticket_servers = '@{[ addresses('other', @givers) ]}'");
		$member->sql("SELECT ticket_attach('torture_tickets')", $_) for 'postgres', 'other';
		push @members, $member;
	}
	# Of two ticket servers, a segment may be far behind the one before, and a block is of every second number.
	$round->{order} = @givers > 1 ? 'none' : 'server';
	$round->allow('down');
	$round->target_all(@members);
	my %common = (mix => 'ticket:6,tickets:3' . (@givers > 1 ? '' : ',ticket_reserve:2'), reconnects => 10, spread_s => 5);
	$round->sessions(%common, acts => join('|', @CHANGES), between => 1, users => 'postgres');
	$round->sessions(%common, threads => 2, wraps => 60, wrap => join('|', @CHANGES), wrap_ms => '20,200', users => 'postgres',
		ends => one_of('rollback', 'rollback,savepoint', 'rollback,savepoint,commit'));
	my $down = sub {
		my ($server, $what) = @_;
		my $how = one_of('kill', 'immediate', 'fast');
		$round->fault("$what, $how", $server->{name});
		if ($how eq 'kill') { $server->kill_postmaster; }
		else { $server->stop($how); }
		usleep(between(0, 6e5)) if chance(0.5);
		$server->start;
	};
	my $copy = sub {
		my $origin = one_of(@members);
		my $name = shift @names or return;
		my $how = one_of('copy after a crash', 'base backup', 'restore', 'promotion');
		$round->fault($how, "$name of $origin->{name}");
		my $copied = $round->empty_server($name);
		if ($how eq 'copy after a crash')
		{
			$origin->kill_postmaster;
			command('cp', '-a', $origin->{dir}, $copied->{dir});
			$origin->start;
		}
		else
		{
			$origin->wait_ready;
			Torture::Copies::base_backup($origin, $copied, $how eq 'promotion' ? '-R' : ());
		}
		usleep(between(0, 1e6)) if chance(0.5);
		if ($how eq 'restore')
		{
			$origin->kill_postmaster;
			@members = grep { $_ != $origin } @members;
		}
		$copied->configure(settings_of(@givers));
		$copied->start;
		$copied->promote if $how eq 'promotion';
		$copied->wait_ready;
		push @members, $copied;
		$round->target_all(@members);
	};
	my @faults = (
		sub { $down->(one_of(@members), 'down') },
		sub { $down->(one_of(@members), 'down') },
		sub { $down->(one_of(@givers), 'ticket server down') },
		sub { $round->fault('kill session') if one_of(@members)->kill_backend; },
		sub {
			my $member = one_of(@members);
			my ($worker) = $member->children_called('idgen ticket worker') or return;
			kill(one_of('TERM', 'TERM', 'KILL'), $worker);
			$round->fault('worker ends', $member->{name});
		},
		sub {
			my $giver = one_of(@givers);
			$round->fault('ticket server hangs', $giver->{name});
			$giver->halt;
			usleep(between(1e5, 3e6));
			$giver->resume;
		});
	$round->during(3, 0.3, @faults);
	for (1 .. 2)
	{
		$copy->();
		$round->during(1.5, 0.3, @faults);
	}
	for my $member (@members)
	{
		$member->wait_ready;
		$round->expect_ids($member, $_, $NEXT) for 'postgres', 'other';
	}
	return;
}

1;
