# What the TAP tests of leases share: a registry in a PostgreSQL of its own, and servers that use it.
#
# IDGEN_REGISTRY=etcd or =zookeeper: a server of that kind instead, for tests that ask nothing else of the registry.
package LeaseTest;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use lib "$FindBin::RealBin/../torture";
use Test::More;
use Time::HiRes qw(usleep time);

use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Torture::Registry::Process;

our @EXPORT = qw(new_registry new_member conf_of machine_of state_of worker_pid wait_until no_duplicates TERM_S $KIND);

use constant TERM_S => 3;

our $KIND = $ENV{IDGEN_REGISTRY} // 'postgresql';
my %others;    # registries of other kinds

# Starts a registry. It has no extension.
sub new_registry
{
	my ($name) = @_;
	if ($KIND ne 'postgresql')
	{
		$Torture::Server::log = "$PostgreSQL::Test::Utils::log_path/$name.log";
		my $dir = PostgreSQL::Test::Utils::tempdir_short();
		return $others{$name} = Torture::Registry::Process->new({ dir => $dir, servers => [] }, $KIND)->start;
	}
	my $registry = PostgreSQL::Test::Cluster->new($name);
	$registry->init;
	$registry->start;
	return $registry;
}

END
{
	local $?;
	$_->kill_postmaster for values %others;
}

sub address_of
{
	my ($registry) = @_;
	return "$KIND://127.0.0.1:$registry->{port}/test" if $KIND ne 'postgresql';
	return 'postgresql:///postgres?host=' . $registry->host . '&port=' . $registry->port;
}

# The settings of a server that uses the registry. Waits are longer than a term, so that a call ends
# with an ID where one will be made.
sub conf_of
{
	my ($registry, %options) = @_;
	my $source = $options{source} // 'registry';
	my $machines = $options{machines} // 32;
	my $wait = $options{wait} // '20s';
	my $term_s = $options{term_s} // TERM_S;
	return ($options{conf} // '') . "
		idgen.registry = '" . address_of($registry) . "'
		idgen.machine_id_source = $source
		restart_after_crash = on
		idgen.machine_id = " . ($options{machine} // 0) . "
		idgen.registry_machines = $machines
		idgen.lease_term = '${term_s}s'
		idgen.max_lease_wait = '$wait'
		idgen.max_clock_wait = '20s'\n"
	  . ($options{preload} ? "shared_preload_libraries = 'idgen'\n" : '');
}

# Starts a server. The first one of a registry makes the registry's tables.
sub new_member
{
	my ($name, $registry, %options) = @_;
	$options{conf} = conf_of($registry, %options);
	my $node = new_server($name, %options);
	$registry->safe_psql('postgres', $node->safe_psql('postgres', 'SELECT idgen_registry_schema()')) if $KIND eq 'postgresql';
	return $node;
}

# The machine ID that the server makes IDs with.
sub machine_of
{
	my ($node) = @_;
	return $node->safe_psql('postgres', 'SELECT snowflake_machine(snowflake_nextval())');
}

sub state_of
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		"SELECT string_agg(concat_ws(' ', 'm' || machine_id, 's' || shard_id, state), ', ') FROM idgen_identity");
}

# The process ID of the server's lease worker, or 0.
sub worker_pid
{
	my ($node) = @_;
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my ($list) = run_command([ 'ps', '-o', 'pid=,args=', '--ppid', $postmaster ]);
	return $list =~ /^\s*(\d+).*idgen lease worker/m ? $1 : 0;
}

# Waits for a condition; fails the test after a minute.
sub wait_until
{
	my ($name, $condition) = @_;
	my $end = time + 60;
	while (time < $end)
	{
		return pass($name) if $condition->();
		usleep(100_000);
	}
	return fail($name);
}

# Checks that no two of all IDs are equal, and that there are some.
sub no_duplicates
{
	my ($name, @lists) = @_;
	my %seen;
	my $duplicates = 0;
	for my $list (@lists) { $duplicates += $seen{$_}++ ? 1 : 0 for @$list; }
	cmp_ok(scalar(keys %seen), '>', 0, "$name: there are IDs");
	is($duplicates, 0, "$name: no duplicate");
	return;
}

1;
