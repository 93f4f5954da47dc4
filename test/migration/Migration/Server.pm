# A server with the shop on it: dev/torture's, without its clocks.
package Migration::Server;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use lib abs_path(dirname(__FILE__) . '/../../torture');
use Torture::Server;
use parent -norequire, 'Torture::Server';

use Exporter 'import';
our @EXPORT = qw(output_of write_file append_to whole %config);

our $sources = abs_path(dirname(__FILE__) . '/..');
*config = \%Torture::Server::config;

# What the server writes; its lines begin with time|application|process|SQLSTATE|.
sub log_file { return "$_[0]{dir}.log"; }

sub new
{
	my ($class, $dir, $port) = @_;
	$Torture::Server::log = "$dir.commands.log";
	return bless { name => 'shop', dir => $dir, port => $port, halted => [] }, $class;
}

sub create
{
	my ($self) = @_;
	Torture::Server::command('initdb', '-D', $self->{dir}, '-U', 'postgres', '-A', 'trust', '--locale=C', '--encoding=UTF8', '-N');
	append_to("$self->{dir}/postgresql.conf", join("\n",
		"listen_addresses = ''", "unix_socket_directories = '$config{dir}'", "port = $self->{port}",
		'shared_buffers = 64MB', 'max_connections = 60', 'max_prepared_transactions = 20', 'max_wal_size = 1GB',
		# kill -9 of the server loses nothing that it has written.
		'fsync = off', 'autovacuum_naptime = 2s', "log_line_prefix = '%m|%a|%p|%e|'", 'log_checkpoints = off') . "\n");
	$self->start;
	$self->sql([ 'CREATE ROLE keeper LOGIN', 'CREATE ROLE app LOGIN', 'GRANT SET ON PARAMETER session_replication_role TO keeper',
		'CREATE EXTENSION idgen', 'CREATE EXTENSION idgen_tools', 'CREATE EXTENSION IF NOT EXISTS amcheck' ]);
	return $self;
}

sub try_start
{
	my ($self) = @_;
	return Torture::Server::try_command('pg_ctl', 'start', '-s', '-w', '-t', '60', '-D', $self->{dir}, '-l', $self->log_file);
}

# Kills the postmaster with kill -9 and starts the server again.
sub crash
{
	my ($self) = @_;
	$self->kill_postmaster;
	return $self->start->wait_ready;
}

# The environment for libpq: an application's name, and settings.
sub environment
{
	my ($self, $application, $user, $options) = @_;
	return { PGHOST => $config{dir}, PGPORT => $self->{port}, PGUSER => $user // 'postgres', PGDATABASE => 'postgres', PGAPPNAME => $application,
		PGOPTIONS => $options // '' };
}

# Runs a file of the sources by psql, with variables.
sub script
{
	my ($self, $file, %variables) = @_;
	my ($status, $text) = output_of($self->environment('check'), 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1',
		(map { ('-v', "$_=$variables{$_}") } sort keys %variables), '-f', "$sources/$file");
	die "$file: status $status\n" if $status != 0;
	return $text;
}

# Returns the SQLSTATE of the first error in the SQL, or ''.
sub state_of
{
	my ($self, $sql) = @_;
	my ($status, $text) = output_of('sh', '-c', 'exec "$@" 2>&1', 'sh', "$config{bindir}/psql", '-XqAt', '-v', 'ON_ERROR_STOP=1',
		'-v', 'VERBOSITY=sqlstate', '-d', $self->connection, '-c', $sql);
	return '' if $status == 0;
	return $text =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : "status $status";
}

# Returns the errors in the server's log, by application: SQLSTATE and message => how many. What ended a session from
# outside (57P) is left out.
sub errors_of
{
	my ($self, $application) = @_;
	open(my $in, '<', $self->log_file) or return {};
	my %errors;
	while (<$in>)
	{
		$errors{"$1: $2"}++ if /^[^|]*\|\Q$application\E\|\d+\|(?!57P)(\w{5})\|(?:ERROR|FATAL|PANIC): +(.*)/;
	}
	return \%errors;
}

1;
