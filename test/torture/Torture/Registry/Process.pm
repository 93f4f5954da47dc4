# A registry that is one process: etcd or ZooKeeper. It can do what the scenarios ask of a
# Torture::Server that is the registry; its clock is the machine's.
package Torture::Registry::Process;

use strict;
use warnings;

use File::Path qw(make_path);
use IO::Socket::INET;
use Time::HiRes qw(usleep);

use Torture::Server;

my $JARS = '/usr/share/java/zookeeper.jar';

# Returns whether this machine has such a server.
sub is_here
{
	my ($kind) = @_;
	my @needed = $kind eq 'zookeeper' ? ('java', $JARS) : ($kind);
	for my $file (@needed)
	{
		my @places = $file =~ m{/} ? $file : map { "$_/$file" } split(/:/, $ENV{PATH});
		return 0 unless grep { -e } @places;
	}
	return 1;
}

sub new
{
	my ($class, $round, $kind) = @_;
	my $self = bless {
		round => $round, kind => $kind, name => 'registry', dir => "$round->{dir}/registry",
		port => free_port(), peer_port => free_port(), pid => 0, halted => 0 }, $class;
	make_path($self->{dir});
	push @{ $round->{servers} }, $self;
	return $self;
}

sub free_port
{
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no free port: $!\n";
	return $socket->sockport;
}

sub command_of
{
	my ($self) = @_;
	my ($port, $peer, $dir) = @$self{qw(port peer_port dir)};
	return (
		'etcd', '--name', 'torture', '--data-dir', "$dir/data", '--log-level', 'error',
		'--listen-client-urls', "http://127.0.0.1:$port", '--advertise-client-urls', "http://127.0.0.1:$port",
		'--listen-peer-urls', "http://127.0.0.1:$peer", '--initial-advertise-peer-urls', "http://127.0.0.1:$peer",
		'--initial-cluster', "torture=http://127.0.0.1:$peer") if $self->{kind} eq 'etcd';
	write_file("$dir/zoo.cfg", "tickTime=200\ndataDir=$dir/data\nclientPort=$port\nclientPortAddress=127.0.0.1\n"
		  . "minSessionTimeout=400\nmaxSessionTimeout=60000\nadmin.enableServer=false\n");
	return ('java', '-Xmx128m', '-XX:+UseSerialGC', '-cp', $JARS,
		'org.apache.zookeeper.server.ZooKeeperServerMain', "$dir/zoo.cfg");
}

sub start
{
	my ($self) = @_;
	my @command = $self->command_of;
	my $pid = fork() // die "cannot fork: $!\n";
	if (!$pid)
	{
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', $Torture::Server::log);
		open(STDERR, '>>', $Torture::Server::log);
		exec(@command) or exit 127;
	}
	$self->{pid} = $pid;
	for (1 .. 1200)
	{
		return $self if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
		last if !$self->postmaster;
		usleep(50_000);
	}
	die "registry ($self->{kind}) does not start\n";
}

sub postmaster
{
	my ($self) = @_;
	my $pid = $self->{pid} or return 0;
	return $pid if waitpid($pid, 1) == 0;
	$self->{pid} = 0;
	return 0;
}

# Ends it by a signal; by kill -9 if that does not help.
sub finish
{
	my ($self, $signal) = @_;
	$self->resume;
	kill($signal, $self->{pid}) if $self->postmaster;
	for (1 .. 200) { return if !$self->postmaster; usleep(25_000); }
	return $self->kill_postmaster;
}

sub kill_postmaster { my ($self) = @_; return $self->finish('KILL'); }

sub stop { my ($self, $mode) = @_; return $self->finish($mode eq 'fast' ? 'TERM' : 'KILL'); }

sub halt { my ($self) = @_; return $self->{halted} = kill('STOP', $self->postmaster || return); }

sub resume
{
	my ($self) = @_;
	kill('CONT', $self->{pid}) if delete $self->{halted};
	return;
}

sub set_clock { return; }

1;
