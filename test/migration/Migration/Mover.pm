# Somebody who migrates: statements one after the other, each in a session of its own, while the server is killed
# under them, or the session ended, its statement cancelled, or its client killed.
package Migration::Mover;

use strict;
use warnings;

use Time::HiRes qw(time usleep);
use Migration::Server;

# disturbances: how many there may still be. sure: one of them is a kill of the server in
# the first backfill.
sub new
{
	my ($class, $server, $load, %options) = @_;
	return bless { disturbances => 0, %options, server => $server, load => $load, faults => {}, refused => {} }, $class;
}

my @kinds = ('server killed', 'server killed', 'session ended', 'statement cancelled', 'client killed');

# Runs a statement. Returns '' if it succeeded, the SQLSTATE of its error, or "disturbed".
sub perform
{
	my ($self, $sql, %options) = @_;
	my $exchange = $sql =~ /_cut_over|_roll_back|_finish/;
	my $disturbance = $self->{disturbances} > 0 && rand() < ($options{chance} // ($exchange ? 0.6 : 0.25)) ? $kinds[ rand @kinds ] : undef;
	if ($self->{sure} and !$self->{faults}{'server killed'})
	{
		# The last of them is for this.
		$disturbance = $sql =~ /_backfill/ ? $kinds[0] : $self->{disturbances} > 1 ? $disturbance : undef;
	}
	# Most statements are short, and a batch is somewhere in the middle.
	my $at = time() + rand() ** 3 * ($exchange ? 0.7 : 1.5);
	my $file = "$self->{server}{dir}.mover";
	my $began = time();
	my $pid = $self->{pid} = fork() // die "cannot fork: $!\n";
	if (!$pid)
	{
		my $env = $self->{server}->environment('mover', 'keeper', $options{settings});
		@ENV{ keys %$env } = values %$env;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', $file);
		open(STDERR, '>&', \*STDOUT);
		exec("$config{bindir}/psql", '-XAt', '-R', "\x1e", '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-c', $sql) or exit 127;
	}
	my $disturbed = '';
	while (waitpid($pid, 1) == 0)
	{
		die "stuck for five minutes: $sql\n" if time() > $began + 300;
		if ($disturbance and !$disturbed and time() >= $at)
		{
			$self->disturb($disturbance, $pid);
			$disturbed = $disturbance;
		}
		$self->meanwhile;
		usleep(10_000);
	}
	my $status = $?;
	$self->{pid} = undef;
	if ($disturbed) { $self->{load}->restart if $disturbed eq 'server killed'; }
	open(my $in, '<', $file) or die "cannot read $file: $!\n";
	my $text = do { local $/ = undef; <$in> } // '';
	$self->{said} = $text;
	append_to("$self->{server}{dir}.story", sprintf("%s %6.2f s %s %s\n%s\n", scalar localtime(), time() - $began, $disturbed || 'undisturbed',
		$status == 0 ? 'done' : 'failed', $sql));
	return '' if $status == 0;
	return 'disturbed' if $disturbed;
	return $text =~ /(?:ERROR|FATAL):\s+(\w{5}):/ ? $1 : "status $status";
}

sub disturb
{
	my ($self, $kind, $client) = @_;
	$self->{disturbances}--;
	$self->{faults}{$kind}++;
	my $server = $self->{server};
	if ($kind eq 'server killed') { $server->crash; }
	elsif ($kind eq 'client killed') { kill('KILL', $client); }
	else
	{
		my $function = $kind eq 'session ended' ? 'pg_terminate_backend' : 'pg_cancel_backend';
		$server->ask("SELECT $function(pid) FROM pg_stat_activity WHERE application_name = 'mover' AND state = 'active'");
	}
	return;
}

# What others do beside: somebody decides prepared transactions that were left alone.
sub meanwhile
{
	my ($self) = @_;
	return if time() < ($self->{next_look} // 0);
	$self->{next_look} = time() + 0.5;
	$self->{load}->decide_prepared(2);
	return;
}

# Lets time pass.
sub pause
{
	my ($self, $seconds) = @_;
	my $end = time() + $seconds;
	while (time() < $end) { $self->meanwhile; usleep(20_000); }
	return;
}

sub end { my ($self) = @_; if ($self->{pid}) { kill('KILL', $self->{pid}); waitpid($self->{pid}, 0); } return; }

1;
