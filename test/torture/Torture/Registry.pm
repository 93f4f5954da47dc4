# The registry of a fleet: a PostgreSQL server that does not use the extension itself, or another
# kind of server (Torture::Registry::Process). For each member of the fleet there is a network of its
# own in between, which can be disturbed (proxy.cpp).
package Torture::Registry;

use strict;
use warnings;

use Time::HiRes qw(usleep);

use Torture::Registry::Process;
use Torture::Round;
use Torture::Server;

# Starts one of the campaign's kind; `names` are those of all members that there will ever be.
sub new
{
	my ($class, $round, @names) = @_;
	my $self = bless { round => $round, kind => $config{registry}, links => {}, ports => {} }, $class;
	if ($self->{kind} eq 'postgresql')
	{
		my $server = $self->{server} = $round->plain_server('registry');
		$server->configure("cluster_name = 'registry'")->start;
		$server->sql($server->sql('SELECT idgen_registry_schema()'));
		$self->{upstream} = "$config{dir}/.s.PGSQL.$server->{port}";
	}
	else
	{
		$self->{server} = Torture::Registry::Process->new($round, $self->{kind})->start;
		$self->{upstream} = $self->{server}{port};
	}
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
			"upstream=$self->{upstream}", 'names=' . join(',', @names))
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
	my $place = "127.0.0.1:$self->{ports}{$name}";
	return "$self->{kind}://$place/torture" if $self->{kind} ne 'postgresql';
	return "postgresql://postgres\@$place/postgres?sslmode=disable&gssencmode=disable";
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

# What the registry holds, for a person.
sub contents
{
	my ($self) = @_;
	return '' if $self->{kind} ne 'postgresql';
	my ($status, $text) = $self->{server}->ask('SELECT i.*, h.name, h.used_until, h.expires, h.ended
		FROM idgen_registry.identity i LEFT JOIN idgen_registry.holder h ON h.token = holder');
	return $text;
}

1;
