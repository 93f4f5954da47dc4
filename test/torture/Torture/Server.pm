# A server with its own clock, and what can be done to it.
package Torture::Server;

use strict;
use warnings;
no warnings 'portable';    # addresses of 64 bits

use Exporter 'import';
use File::Path qw(remove_tree);
use Time::HiRes qw(clock_gettime usleep CLOCK_MONOTONIC);

our @EXPORT = qw(mono_ns whole command try_command output_of write_file append_to %config $log);

# The campaign sets bindir, clock (the shim), dir (of the campaign) and port (the first).
our %config;
our $log;    # a file name: what servers and commands say

# Returns an integer that also prints as one.
sub whole { return 0 + sprintf('%d', $_[0]); }

sub mono_ns { return whole(clock_gettime(CLOCK_MONOTONIC) * 1e9); }

# --- commands, all of them bounded ------------------------------------------------------

sub write_file
{
	my ($file, $text) = @_;
	open(my $out, '>', "$file.new") or die "cannot write $file.new: $!\n";
	print $out $text;
	close($out) or die "cannot write $file.new: $!\n";
	rename("$file.new", $file) or die "cannot rename $file.new: $!\n";
	return;
}

sub append_to
{
	my ($file, $text) = @_;
	open(my $out, '>>', $file) or die "cannot write $file: $!\n";
	print $out $text;
	close($out) or die "cannot write $file: $!\n";
	return;
}

# Returns status and output; finds PostgreSQL's programs by name.
sub output_of
{
	my (@command) = @_;
	my %env = ref $command[0] ? %{ shift @command } : ();
	my $program = shift @command;
	$program = "$config{bindir}/$program" if -x "$config{bindir}/$program";
	my $pid = open(my $out, '-|') // die "cannot fork: $!\n";
	if (!$pid)
	{
		open(STDIN, '<', '/dev/null');
		open(STDERR, '>>', $log);
		@ENV{ keys %env } = values %env;
		exec('timeout', '-k', '5', '120', $program, @command) or exit 127;
	}
	my $text = do { local $/ = undef; <$out> } // '';
	close($out);
	chomp $text;
	return ($? >> 8 || $?, $text);
}

sub try_command { my ($status) = output_of(@_); return $status == 0; }

sub command
{
	my (@command) = @_;
	my ($status, $text) = output_of(@command);
	die "@{[grep { !ref } @command]}: status $status\n" if $status != 0;
	return $text;
}

# --- making one -------------------------------------------------------------------------

my $count = 0;

sub forget_all { $count = 0; return; }

# Has name, number (in histories), port, dir and the clock's file. Creates no files yet.
sub new
{
	my ($class, $round, $name) = @_;
	my $self = bless {
		round => $round, name => $name, number => ++$count, port => $config{port} + $count,
		dir => "$round->{dir}/$name", clock => "$round->{dir}/$name.clock",
		wall_ns => whole(Time::HiRes::time() * 1e9), mono_ns => mono_ns(), rate => 0, changes => 0, halted => [],
	}, $class;
	push @{ $round->{servers} }, $self;
	$self->set_clock(0);
	return $self;
}

# The settings of every server; later ones override earlier ones.
sub configure
{
	my ($self, @settings) = @_;
	append_to("$self->{dir}/postgresql.conf", join("\n",
		"listen_addresses = ''", "unix_socket_directories = '$config{dir}'", "port = $self->{port}",
		'shared_buffers = 32MB', 'max_connections = 60', 'max_prepared_transactions = 20', 'autovacuum = off', 'fsync = off',
		'max_wal_size = 4GB', 'wal_level = replica', 'wal_log_hints = on', 'max_wal_senders = 8',
		'wal_keep_size = 512MB', 'wal_sender_timeout = 0', 'wal_receiver_timeout = 0',
		'wal_retrieve_retry_interval = 50ms', 'hot_standby = on', 'log_min_messages = log',
		'log_line_prefix = \'%m [%p] \'',
		'min_parallel_table_scan_size = 0', 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
		@settings) . "\n");
	return $self;
}

# --- its clock ----------------------------------------------------------------------------

# Returns what the clock shows, by its line in force.
sub wall_ns
{
	my ($self, $at) = @_;
	my $elapsed = ($at // mono_ns()) - $self->{mono_ns};
	return $self->{wall_ns} + $elapsed + whole($elapsed * $self->{rate});
}

# Returns how far it is from the real clock, in seconds.
sub offset { my ($self) = @_; return $self->wall_ns / 1e9 - Time::HiRes::time(); }

# Steps it to the real time plus this many seconds, and lets it run fast or slow by `rate`.
sub set_clock
{
	my ($self, $seconds, $rate) = @_;
	return $self->set_wall(whole((Time::HiRes::time() + $seconds) * 1e9), $rate);
}

# Steps it relative to its present time.
sub step_clock { my ($self, $seconds) = @_; return $self->set_wall(undef, $self->{rate}, $seconds); }

sub slew_clock { my ($self, $rate) = @_; return $self->set_wall(undef, $rate, 0); }

# The order of a change (clock.h, checker.cpp): the new line is recorded as possible from the time
# before it is written; the old one may be seen until the new one is set.
sub set_wall
{
	my ($self, $wall_ns, $rate, $step) = @_;
	my $mono_ns = mono_ns();
	$wall_ns //= $self->wall_ns($mono_ns) + whole($step * 1e9);
	@$self{qw(mono_ns wall_ns rate)} = ($mono_ns, $wall_ns, $rate // 0);
	my $line = pack('qqd', @$self{qw(mono_ns wall_ns rate)});
	if (!-e $self->{clock})
	{
		write_file($self->{clock}, pack('Q', 0) . $line . $line . pack('QQQ', 0, 0, 0));
	}
	else
	{
		open(my $file, '+<', $self->{clock}) or die "cannot write $self->{clock}: $!\n";
		my $changes = ++$self->{changes};
		sysseek($file, 8 + 24 * ($changes % 2), 0);
		syswrite($file, $line);
		sysseek($file, 0, 0);
		syswrite($file, pack('Q', $changes));
		close($file);
	}
	my $set_ns = mono_ns() + 1;
	append_to("$self->{round}{history}/clocks",
		"$self->{number} $mono_ns $set_ns $wall_ns @{[sprintf '%.17g', $self->{rate}]}\n");
	return;
}

# Kills or stops the next process that gets to a moment (clock.h).
sub kill_at
{
	my ($self, $point, $stop) = @_;
	$point += 16 if $stop;
	open(my $file, '+<', $self->{clock}) or die "cannot write $self->{clock}: $!\n";
	sysseek($file, 56, 0);
	syswrite($file, pack('Q', $point));
	close($file);
	return;
}

# Returns how many were killed or stopped like this, and the last process.
sub kills
{
	my ($self) = @_;
	open(my $file, '<', $self->{clock}) or die "cannot read $self->{clock}: $!\n";
	sysseek($file, 64, 0);
	sysread($file, my $bytes, 16);
	my ($kills, $last) = unpack('QQ', $bytes);
	return wantarray ? ($kills, $last) : $kills;
}

# --- start and stop -----------------------------------------------------------------------

sub connection
{
	my ($self, $database, $user) = @_;
	return "host=$config{dir} port=$self->{port} user=" . ($user // 'postgres') . ' dbname='
	  . ($database // 'postgres');
}

sub try_start
{
	my ($self) = @_;
	return try_command({ LD_PRELOAD => $config{clock}, TORTURE_CLOCK => $self->{clock} },
		'pg_ctl', 'start', '-s', '-w', '-t', '60', '-D', $self->{dir}, '-l', $log);
}

sub start
{
	my ($self) = @_;
	return $self if $self->try_start;
	# A process of the previous server may have been slow to leave.
	usleep(1_000_000);
	$self->try_start or die "server $self->{name} does not start\n";
	return $self;
}

# Stops the server: fast or immediate.
sub stop
{
	my ($self, $mode) = @_;
	try_command('pg_ctl', 'stop', '-s', '-w', '-t', '60', '-m', $mode, '-D', $self->{dir})
	  or !$self->postmaster
	  or die "server $self->{name} does not stop\n";
	return;
}

sub postmaster
{
	my ($self) = @_;
	open(my $file, '<', "$self->{dir}/postmaster.pid") or return 0;
	my $pid = <$file> // 0;
	chomp $pid;
	return kill(0, $pid) && !is_dead($pid) ? $pid : 0;
}

# A process counts as gone even if its parent has not waited for it yet.
sub is_dead
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/stat") or return 1;
	my $line = <$file> // '';
	return $line =~ /\) [ZX] /;
}

# Returns backends and other child processes, by the parent in /proc.
sub children
{
	my ($self) = @_;
	my $postmaster = $self->postmaster or return;
	my @children;
	for my $name (glob('/proc/[0-9]*/stat'))
	{
		open(my $file, '<', $name) or next;
		my ($pid, $parent) = (<$file> // '') =~ /^(\d+) \(.*\) \S (\d+)/ or next;
		push @children, $pid if $parent == $postmaster;
	}
	return @children;
}

# Kills the postmaster with kill -9; its children notice and leave.
sub kill_postmaster
{
	my ($self) = @_;
	my @children = $self->children;
	my $postmaster = $self->postmaster or return;
	kill('KILL', $postmaster);
	for my $pid ($postmaster, @children)
	{
		for (1 .. 1200)
		{
			last if is_dead($pid);
			usleep(25_000);
		}
	}
	unlink("$self->{dir}/postmaster.pid", "$config{dir}/.s.PGSQL.$self->{port}",
		"$config{dir}/.s.PGSQL.$self->{port}.lock");
	return;
}

# Returns those children whose title, as update_process_title shows it, matches. The server's own
# name (cluster_name) does not count.
sub children_called
{
	my ($self, $pattern) = @_;
	my @found;
	for my $pid ($self->children)
	{
		open(my $file, '<', "/proc/$pid/cmdline") or next;
		push @found, $pid if (<$file> // '') =~ /^postgres: (?:$self->{name}: )?$pattern/;
	}
	return @found;
}

# Returns one of the sessions, or nothing: user, database, [local], its action.
sub a_backend
{
	my ($self) = @_;
	my @backends = $self->children_called(qr/(?:postgres|app|owner|granted) \S+ \[local\] /) or return;
	return $backends[ int(rand(@backends)) ];
}

# Kills one of the sessions with kill -9. Returns whether there was one.
sub kill_backend
{
	my ($self) = @_;
	my $pid = $self->a_backend or return;
	return kill('KILL', $pid);
}

# Stops processes (SIGSTOP) until resume(): those given, or the whole server.
sub halt
{
	my ($self, @pids) = @_;
	if (!@pids)
	{
		my $postmaster = $self->postmaster or return;
		kill('STOP', $postmaster);
		@pids = ($postmaster, $self->children);
	}
	push @{ $self->{halted} }, @pids;
	return kill('STOP', @pids);
}

sub resume
{
	my ($self) = @_;
	kill('CONT', splice(@{ $self->{halted} }));
	return;
}

# Returns the bytes of dynamic shared memory that its sessions have mapped.
sub dynamic_memory
{
	my ($self) = @_;
	my %size;
	for my $pid ($self->children)
	{
		open(my $file, '<', "/proc/$pid/maps") or next;
		while (<$file>)
		{
			next unless m{^(\w+)-(\w+) .* (/dev/shm/PostgreSQL\S+)};
			# Addresses have more than 32 bits, but differences between them do not.
			$size{$3} = unpack('Q>', pack('H16', sprintf('%016s', $2))) - unpack('Q>', pack('H16', sprintf('%016s', $1)));
		}
	}
	my $bytes = 0;
	$bytes += $_ for values %size;
	return $bytes;
}

# Waits until the server answers and is no standby.
sub wait_ready
{
	my ($self) = @_;
	for (1 .. 1200)
	{
		my ($status, $text) = $self->ask('SELECT pg_is_in_recovery()');
		return $self if $status == 0 and $text eq 'f';
		usleep(50_000);
	}
	die "server $self->{name} does not get ready\n";
}

sub promote
{
	my ($self) = @_;
	command('pg_ctl', 'promote', '-s', '-w', '-t', '60', '-D', $self->{dir});
	return $self->wait_ready;
}

sub remove { my ($self) = @_; remove_tree($self->{dir}); return; }

# --- asking it -----------------------------------------------------------------------------

# Returns status and answer. Several statements go in a list, each in its own transaction.
# PostgreSQL's own timeouts may stand still with the clock, so the call is bounded from outside.
sub ask
{
	my ($self, $sql, $database, $user) = @_;
	return output_of('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $self->connection($database, $user),
		map { ('-c', $_) } ref $sql ? @$sql : $sql);
}

# Starts a session beside: it runs all of the SQL, and stays until it is ended (Round.pm) or an
# error comes.
sub begin
{
	my ($self, $sql, $database, $user) = @_;
	my @command = ('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $self->connection($database, $user),
		map { ('-c', $_) } (ref $sql ? @$sql : $sql));
	my $pid = fork() // die "cannot fork: $!\n";
	if (!$pid)
	{
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', '/dev/null');
		open(STDERR, '>>', $log);
		exec("$config{bindir}/" . shift @command, @command) or exit 127;
	}
	push @{ $self->{round}{beside} }, $pid;
	return $pid;
}

sub sql
{
	my ($self, $sql, $database, $user) = @_;
	my ($status, $text) = $self->ask($sql, $database, $user);
	die 'server ', $self->{name}, ': ', ref $sql ? join('; ', @$sql) : $sql, ": status $status\n"
	  if $status != 0;
	return $text;
}

1;
