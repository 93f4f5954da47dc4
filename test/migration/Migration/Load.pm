# The application: pgbench with our scripts. It repeats transactions after a serialization failure or a deadlock,
# as pgbench does; any other error is found in the server's log.
package Migration::Load;

use strict;
use warnings;

use Time::HiRes qw(time usleep);
use Migration::Server;

# Scripts with the share of each. The first ones do not sleep: their times are those of the application.
my @quick = (
	[ signup => 4 ], [ rent => 8 ], [ pay => 8 ], [ move => 6 ], [ forget => 3 ], [ upsert => 3 ], [ cancel => 3 ],
	[ leave => 1 ], [ event => 3 ], [ read => 10 ]);
my @slow = ([ report => 3 ], [ late => 3 ], [ old => 1 ]);

# mode: pgbench's, extended or prepared. rate: transactions a second. longest: how long a report waits, in ms.
sub new
{
	my ($class, $server, %options) = @_;
	return bless { mode => 'extended', rate => 150, clients => 4, longest => 800, %options, server => $server, pids => [], starts => 0,
		dir => "$server->{dir}.load" }, $class;
}

sub start
{
	my ($self) = @_;
	mkdir($self->{dir});
	$self->{starts}++;
	$self->{started} = time();
	my $seed = $self->{seed} + $self->{starts};
	my @repeat = ('--max-tries=1000', '--failures-detailed', '-D', "longest=$self->{longest}");
	my $files = sub { map { ('-f', "$Migration::Server::sources/load/$_->[0].sql\@$_->[1]") } @_ };
	$self->run('quick', '-M', $self->{mode}, '-c', $self->{clients}, '-R', $self->{rate}, '-l', "--log-prefix=$self->{dir}/times.$self->{starts}",
		"--random-seed=$seed", @repeat, $files->(@quick));
	$self->run('slow', '-M', $self->{mode}, '-c', 3, "--random-seed=$seed", @repeat, $files->(@slow));
	$self->run('two-phase', '-M', 'simple', '-c', 2, "--random-seed=$seed", @repeat, $files->([ two_phase => 1 ]));
	return $self;
}

sub run
{
	my ($self, $name, @options) = @_;
	my $pid = fork() // die "cannot fork: $!\n";
	if (!$pid)
	{
		my $env = $self->{server}->environment('shop', 'app');
		@ENV{ keys %$env } = values %$env;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', "$self->{dir}/$name.out");
		open(STDERR, '>>', "$self->{dir}/$name.out");
		exec("$config{bindir}/pgbench", '-n', '-T', 3600, @options) or exit 127;
	}
	push @{ $self->{pids} }, $pid;
	return;
}

# Ends it. The sessions are ended in the server: pgbench then writes what it has counted.
sub stop
{
	my ($self) = @_;
	my $end = time() + 30;
	while (@{ $self->{pids} })
	{
		$self->{server}->ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shop'");
		usleep(50_000);
		kill('KILL', @{ $self->{pids} }) if time() > $end;
		@{ $self->{pids} } = grep { waitpid($_, 1) == 0 } @{ $self->{pids} };
	}
	return;
}

# Returns whether every part of it still runs, after those that ended with the server are waited for.
sub is_running
{
	my ($self) = @_;
	@{ $self->{pids} } = grep { waitpid($_, 1) == 0 } @{ $self->{pids} };
	return @{ $self->{pids} } == 3;
}

# Starts it again after its server was.
sub restart
{
	my ($self) = @_;
	$self->stop;
	return $self->start;
}

# Decides, in either way, what two_phase.sql left behind before the present start, and this many seconds ago.
sub decide_prepared
{
	my ($self, $age) = @_;
	my $before = time() - ($age // 0);
	$before = $self->{started} if @{ $self->{pids} } and $self->{started} < $before;
	my ($status, $text) = $self->{server}->ask("SELECT gid FROM pg_prepared_xacts WHERE prepared <= to_timestamp($before)");
	$self->{server}->ask((rand() < 0.5 ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$_'") for split(/\n/, $text);
	return;
}

# Returns the number of transactions, those of the log (the quick ones), and the longest in ms that ended in one of
# the intervals [from, to] and outside of all.
sub times
{
	my ($self, @intervals) = @_;
	my ($count, $inside, $outside) = (0, 0, 0);
	for my $file (glob("$self->{dir}/times.*"))
	{
		open(my $in, '<', $file) or next;
		while (<$in>)
		{
			my (undef, undef, $us, undef, $s, $fraction) = split or next;
			next unless defined $fraction and $us =~ /^\d+$/;
			$count++;
			my $at = $s + $fraction / 1e6;
			# A transaction that was held up ends after what held it up.
			if (grep { $_->[0] <= $at and $at - $us / 1e6 <= $_->[1] } @intervals) { $inside = $us if $us > $inside; }
			elsif ($us > $outside) { $outside = $us; }
		}
	}
	return ($count, $inside / 1000, $outside / 1000);
}

# Returns what pgbench itself could not do: a row that must be there was not.
sub complaints
{
	my ($self) = @_;
	my %seen;
	for my $file (glob("$self->{dir}/*.out"))
	{
		open(my $in, '<', $file) or next;
		while (<$in>) { $seen{$1}++ if /(script \d+ command \d+ query \d+: expected one row, got \d+)/; }
	}
	return sort keys %seen;
}

# Returns the transactions that all parts say they made.
sub transactions
{
	my ($self) = @_;
	my $count = 0;
	for my $file (glob("$self->{dir}/*.out"))
	{
		open(my $in, '<', $file) or next;
		while (<$in>) { $count += $1 if /^number of transactions actually processed: (\d+)/; }
	}
	return $count;
}

1;
