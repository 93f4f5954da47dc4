# One round: its servers, the sessions that make IDs on them, what happens to both, and the check at
# the end.
package Torture::Round;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path remove_tree);
use Time::HiRes qw(time usleep);

use Torture::Server;

our @EXPORT = qw(one_of between chance make_template);

# Random choices; the campaign sets the seed.
sub one_of { return $_[ int(rand(@_)) ]; }
sub between { my ($least, $most) = @_; return $least + rand($most - $least); }
sub chance { return rand() < $_[0]; }

# Errors that may come from a server that goes down under its sessions.
my @DOWN = qw(08001 08006 57P01 57P02 57P03);
# Errors of a clock that is behind.
my @BEHIND = qw(58000);

# --- the cluster that all servers start from --------------------------------------------------

my $ending_epoch_us;    # of the layout that ends in a hundred days

sub template { return "$config{dir}/template"; }

sub make_template
{
	$ending_epoch_us = (int(time() / 86400) - 100) * 86_400_000_000;
	my $round = { dir => $config{dir}, history => $config{dir}, servers => [] };
	my $server = Torture::Server->new($round, 'template');
	command('initdb', '-D', $server->{dir}, '-U', 'postgres', '-A', 'trust', '--locale=C',
		'--encoding=UTF8', '--wal-segsize=1', '-N');
	$server->configure->start;
	# An ordinary role, a database's owner, and a role with the usual blanket grants.
	$server->sql([ 'CREATE ROLE app LOGIN', 'CREATE ROLE owner LOGIN CREATEDB', 'CREATE ROLE granted LOGIN',
		'GRANT pg_write_all_data, pg_read_all_data TO granted',
		'CREATE DATABASE other OWNER owner' ]);
	prepare_database($server, $_) for 'postgres', 'other';
	$server->stop('fast');
	unlink("$config{dir}/clocks");
	return;
}

# Layouts: one with a second's tick, one that ends soon, one with many shards, and one with a
# million. Also a generator with its own machine ID, a table, and enough rows for parallel workers.
sub prepare_database
{
	my ($server, $database) = @_;
	my $epoch = $ending_epoch_us / 1e6;
	$server->sql($_, $database) for
	  'ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO granted',
	  'CREATE EXTENSION idgen',
	  make_seconds(),
	  "SELECT idgen_create_layout('torture_ending', 'timestamp:34, machine:10, sequence:12',
		epoch => to_timestamp($epoch))",
	  "SELECT idgen_create_layout('torture_wide', 'timestamp:40, shard:6, machine:5, sequence:12',
		epoch => '2020-01-01Z')",
	  "SELECT idgen_create_layout('torture_many', 'timestamp:38, shard:20, sequence:5',
		epoch => '2024-01-01Z')",
	  "SELECT idgen_create_generator('fixed', 'snowflake', machine_id => 9)",
	  "SELECT idgen_create_generator('torture_changing', 'snowflake')",
	  'CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item int)',
	  'CREATE SEQUENCE torture_tickets',
	  'GRANT USAGE, SELECT ON SEQUENCE torture_tickets TO PUBLIC',
	  'CREATE TABLE numbers AS SELECT generate_series(1, 2000) AS n',
	  'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO granted',
	  'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO PUBLIC';
	return;
}

sub make_seconds
{
	return "SELECT idgen_create_layout('torture_seconds',
		'timestamp:32, machine:10, sequence:20', tick => '1 s', epoch => '2020-01-01Z')";
}

# --- the round --------------------------------------------------------------------------

sub new
{
	my ($class, %options) = @_;
	my $self = bless {
		%options,    # dir, seed, scale
		history => "$options{dir}/history", servers => [], faults => {}, clients => [], beside => [],
		found => {}, said => '', threads => 0,
		errors => { map { $_ => 1 } @BEHIND }, identities => { '1:3' => 1 }, fixed => { 9 => 1 },
	}, $class;
	make_path($self->{history});
	Torture::Server::forget_all();
	$Torture::Server::log = "$self->{dir}/log";
	write_file($self->targets_file, '');
	return $self;
}

sub targets_file { return "$_[0]{dir}/targets"; }

sub note
{
	my ($self, $text) = @_;
	append_to("$self->{dir}/story", sprintf("%.3f %s\n", mono_ns() / 1e9, $text));
	return;
}

# Counts a fault and notes it.
sub fault
{
	my ($self, $kind, $text) = @_;
	$self->{faults}{$kind}++;
	$self->note(defined $text ? "$kind: $text" : $kind);
	return;
}

# Allows errors: SQLSTATEs, or "down".
sub allow
{
	my ($self, @states) = @_;
	$self->{errors}{$_} = 1 for map { $_ eq 'down' ? @DOWN : $_ } @states;
	return;
}

# A running server with a copy of the template, and with an identity from a list or the usual one.
sub server
{
	my ($self, $name, @settings) = @_;
	my @identity = ref $settings[0] ? shift(@settings)->@* : ('idgen.datacenter_id = 1', 'idgen.machine_id = 3');
	my $server = $self->plain_server($name);
	$server->configure(@identity, @settings,
		chance($ENV{IDGEN_PRELOAD} ? 1 : 0.3) ? "shared_preload_libraries = 'idgen'" : ());
	return $server->start;
}

# A server with a copy of the template, which has no settings of its own yet and does not run.
sub plain_server
{
	my ($self, $name) = @_;
	my $server = Torture::Server->new($self, $name);
	command('cp', '-a', template(), $server->{dir});
	return $server;
}

# Returns, now and then, settings with which sessions go on at once whenever the clock is behind. A
# lost part of a mark then shows.
my $LEAD_MS = 7_200_000;
sub leading
{
	my ($self) = @_;
	return () unless chance(0.6);
	$self->{leading} = 1;
	return ('idgen.clock_regression = lead', "idgen.max_clock_lead = $LEAD_MS");
}

# A server whose files another command will create.
sub empty_server { my ($self, $name) = @_; return Torture::Server->new($self, $name); }

# Directs the sessions from now on: to both databases of each server, or to those named; to none
# without a server.
sub target { my ($self, @where) = @_; return $self->target_of($self->targets_file, @where); }

# The same for sessions that have this file as their target.
sub target_of
{
	my ($self, $file, $server, @databases) = @_;
	@databases = ('postgres', 'other') unless @databases;
	return target_lines($file, map { [ $server, $_ ] } $server ? @databases : ());
}

# Directs the sessions to all of these servers at once.
sub target_all
{
	my ($self, @servers) = @_;
	return target_lines($self->targets_file, map { ([ $_, 'postgres' ], [ $_, 'other' ]) } @servers);
}

sub target_lines
{
	my ($file, @lines) = @_;
	write_file($file, join('', map { "$_->[0]{number} " . $_->[0]->connection($_->[1]) . "\n" } @lines));
	return;
}

# Waits until no session is connected: what was in flight is over.
sub pause_sessions
{
	my ($self, $server) = @_;
	$self->target;
	for (1 .. 1200)
	{
		my ($status, $text) = $server->ask(
			"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'torture'");
		return if $status == 0 and $text eq '0';
		usleep(25_000);
	}
	die "sessions do not leave server $server->{name}\n";
}

# Starts sessions that make IDs (client.cpp); a second call starts others beside them.
sub sessions
{
	my ($self, %options) = @_;
	%options = (threads => 8, wait_ms => '50,200', lead_ms => 10000, modes => 'wait,wait,lead,error',
		ids => $config{most_ids}, first => $self->{threads}, %options);
	$self->{threads} += $options{threads};
	%options = (%options, modes => 'lead', plain_mode => 'lead', lead_ms => $LEAD_MS, plain_lead_ms => $LEAD_MS)
	  if $self->{leading};
	$self->note("sessions " . join(' ', map { "$_=$options{$_}" } sort keys %options));
	my $pid = fork() // die "cannot fork: $!\n";
	if (!$pid)
	{
		open(STDERR, '>>', $Torture::Server::log);
		exec("$config{tools}/client", "dir=$self->{history}", 'target=' . $self->targets_file,
			"seed=$self->{seed}", map { "$_=$options{$_}" } sort keys %options) or exit 127;
	}
	push @{ $self->{clients} }, $pid;
	return;
}

sub stop_sessions
{
	my ($self) = @_;
	kill('TERM', @{ $self->{clients} });
	# Its calls are bounded, and so is this wait.
	while (my $pid = shift @{ $self->{clients} })
	{
		my $gone = 0;
		for (1 .. 6000)
		{
			$gone = waitpid($pid, 1) or usleep(20_000), next;
			last;
		}
		die "the client failed: status $?\n" if $gone == $pid and $? != 0;
		next if $gone == $pid;
		kill('KILL', $pid);
		die "the client does not end\n";
	}
	return;
}

# Ends the sessions that run beside.
sub end_beside
{
	my ($self) = @_;
	while (my $pid = shift @{ $self->{beside} })
	{
		kill('TERM', $pid);
		waitpid($pid, 0);
	}
	return;
}

# Lets this many seconds (times the scale) pass, and runs one of the actions now and then.
sub during
{
	my ($self, $seconds, $every, @actions) = @_;
	my $end = time() + $seconds * $self->{scale};
	while (time() < $end)
	{
		my $pause = @actions ? between(0.2, 1.8) * $every : $end - time();
		$pause = $end - time() if $pause > $end - time();
		usleep($pause * 1e6) if $pause > 0;
		one_of(@actions)->() if @actions and time() < $end;
	}
	return;
}

# Expects that every generator soon makes IDs again: nothing is stuck.
sub expect_ids
{
	my ($self, $server, $database, @calls) = @_;
	@calls = ("snowflake_nextval()", 'instagram_nextval(1)', "idgen_nextval('fixed')",
		"idgen_nextval('torture_seconds')") unless @calls;
	return $self->expect_within(60, $server, $database, 'postgres', @calls);
}

# The same within this many seconds; a violation otherwise.
sub expect_within
{
	my ($self, $seconds, $server, $database, $user, @calls) = @_;
	my $start = time();
	for my $call (@calls)
	{
		for (;;)
		{
			my ($status, $text) = $server->ask("SELECT $call", $database, $user);
			last if $status == 0 and $text > 0;
			if (time() - $start > $seconds)
			{
				$self->found('stuck', "$call makes no IDs on server $server->{name}, database "
					  . ($database // 'postgres') . ", for $seconds s");
				return 0;
			}
			usleep(50_000);
		}
	}
	return 1;
}

# Records a violation that the history does not show.
sub found
{
	my ($self, $kind, $text) = @_;
	$self->{found}{$kind}++;
	$self->{said} .= "\nviolation $kind: $text";
	$self->note("violation $kind: $text");
	return;
}

# --- the check ------------------------------------------------------------------------------

# Returns what the checker says; its options override the round's.
sub check
{
	my ($self, %options) = @_;
	$_->resume for @{ $self->{servers} };
	$self->stop_sessions;
	my %all = (
		dir => $self->{history}, ending_epoch_us => $ending_epoch_us, counter => $config{counter},
		order => $self->{order} // 'all',
		identities => join(',', sort keys %{ $self->{identities} }),
		fixed => join(',', sort keys %{ $self->{fixed} }),
		errors => join(',', sort keys %{ $self->{errors} }), %options);
	my ($status, $text) = output_of("$config{tools}/checker", map { "$_=$all{$_}" } sort keys %all);
	append_to("$self->{dir}/check", "$text\n");
	die "the checker failed: status $status\n" if $status > 1;
	my %result = (violations => {}, errors => {}, text => $text);
	for (split /\n/, $text)
	{
		$result{$1} = $2 if /^(ids|calls|spaces) (\d+)$/;
		$result{errors}{$1} = $2 if /^errors (\S+) (\d+)$/;
		$result{violations}{$1} = $2 if /^violations (\S+) (\d+)$/;
	}
	$result{violations}{$_} += $self->{found}{$_} for keys %{ $self->{found} };
	$result{text} .= $self->{said};
	return \%result;
}

sub end
{
	my ($self) = @_;
	$_->resume for @{ $self->{servers} };
	eval { $self->stop_sessions };
	$self->end_beside;
	for my $server (@{ $self->{servers} })
	{
		eval { $server->stop('immediate') if $server->postmaster };
		$server->kill_postmaster;
	}
	return;
}

1;
