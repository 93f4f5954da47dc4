# The registry of a fleet: a PostgreSQL server without the extension in use, and for each member of
# the fleet a network of its own in between, which can be disturbed (proxy.cpp).
package Torture::Registry;

use strict;
use warnings;

use Time::HiRes qw(usleep);

use Torture::Round;
use Torture::Server;

# Starts it; `names` are those of all members there will ever be.
sub new
{
	my ($class, $round, @names) = @_;
	my $server = $round->plain_server('registry');
	$server->configure("cluster_name = 'registry'")->start;
	$server->sql($server->sql('SELECT idgen_registry_schema()'));
	my $self = bless { round => $round, server => $server, links => {}, ports => {} }, $class;
	write_file($self->file('links'), '');
	$self->start_proxy(@names);
	return $self;
}

sub file { my ($self, $name) = @_; return "$self->{round}{dir}/$name"; }

sub start_proxy
{
	my ($self, @names) = @_;
	my $pid = fork() // die "cannot fork: $!\n";
	if (!$pid)
	{
		open(STDERR, '>>', $Torture::Server::log);
		exec("$config{tools}/proxy", 'links=' . $self->file('links'), 'ports=' . $self->file('ports'),
			"upstream=$config{dir}/.s.PGSQL.$self->{server}{port}", 'names=' . join(',', @names))
		  or exit 127;
	}
	push @{ $self->{round}{beside} }, $pid;
	for (1 .. 400) { last if -e $self->file('ports'); usleep(25_000); }
	open(my $in, '<', $self->file('ports')) or die "the proxy does not start\n";
	while (<$in>) { $self->{ports}{$1} = $2 if /^(\S+) (\d+)$/; }
	return;
}

# The address by which a member reaches it.
sub address
{
	my ($self, $name) = @_;
	return "postgresql://postgres\@127.0.0.1:$self->{ports}{$name}/postgres?sslmode=disable&gssencmode=disable";
}

# Disturbs the network of a member: "cut", "hang", "deaf", "delay MS", or nothing.
sub link
{
	my ($self, $name, $mode) = @_;
	$self->{links}{$name} = $mode;
	delete $self->{links}{$name} unless $mode;
	write_file($self->file('links'), join('', map { "$_ $self->{links}{$_}\n" } sort keys %{ $self->{links} }));
	return;
}

1;
