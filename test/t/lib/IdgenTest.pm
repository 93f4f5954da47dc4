# What the TAP tests share: servers with idgen, clocks that step, and the one check that all of them
# need.
package IdgenTest;

use strict;
use warnings;

use Exporter 'import';
use Test::More;
use Time::HiRes qw(usleep);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(
  new_server start_with_clock restart_with_clock set_clock have_faketime
  kill_server nextvals check_ids sqlstate_of
);

my ($faketime) = grep { -e } glob('/usr/lib/*/faketime/libfaketime.so.1');

sub have_faketime { return defined $faketime; }

# Starts a server with the extension in database postgres. Options: conf (text), streaming (allow
# standbys), initdb (its options), install_path (of another PostgreSQL).
sub new_server
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, $options{install_path} ? (install_path => $options{install_path}) : ());
	$node->init(allows_streaming => $options{streaming} // 0, $options{initdb} ? (extra => $options{initdb}) : ());
	$node->append_conf('postgresql.conf', $options{conf}) if $options{conf};
	if (defined $options{clock}) { start_with_clock($node, $options{clock}); }
	else { $node->start; }
	$node->safe_psql('postgres', 'CREATE EXTENSION idgen');
	return $node;
}

sub clock_file { return $_[0]->basedir . '/clock'; }

# Steps the wall clock of a server that start_with_clock() started, to an offset from the real time
# in seconds ("+0", "-3600", "-0.050"). Its monotonic clock stays true.
sub set_clock
{
	my ($node, $offset) = @_;
	my $file = clock_file($node);
	open(my $out, '>', "$file.new") or die "cannot write $file.new: $!";
	print $out "$offset\n";
	close($out);
	rename("$file.new", $file) or die "cannot rename $file.new: $!";
	return;
}

sub start_with_clock
{
	my ($node, $offset, %options) = @_;
	set_clock($node, $offset);
	local $ENV{LD_PRELOAD} = $faketime;
	local $ENV{FAKETIME_TIMESTAMP_FILE} = clock_file($node);
	local $ENV{FAKETIME_NO_CACHE} = 1;
	local $ENV{FAKETIME_DONT_FAKE_MONOTONIC} = 1;
	$node->start(%options);
	return;
}

sub restart_with_clock
{
	my ($node, $offset) = @_;
	$node->stop('fast');
	start_with_clock($node, $offset);
	return;
}

# Kills the postmaster and waits until all its processes are gone, as after a power failure.
sub kill_server
{
	my ($node) = @_;
	my $dir = $node->data_dir;
	my $pid = slurp_file("$dir/postmaster.pid");
	$pid =~ s/\n.*//s;
	kill('KILL', $pid) or die "cannot kill $pid: $!";
	# Its children notice and leave. Until then they use the shared memory.
	for (1 .. 600)
	{
		last unless kill(0, $pid) or children_left($dir);
		usleep(50_000);
	}
	$node->{_pid} = undef;
	unlink("$dir/postmaster.pid");
	return;
}

sub children_left
{
	my ($dir) = @_;
	for my $link (glob('/proc/[0-9]*/cwd'))
	{
		my $target = readlink($link);
		return 1 if defined $target and $target eq $dir;
	}
	return 0;
}

# Returns IDs straight from a generator, as the client gets them. They count as handed out whatever
# becomes of the transaction.
sub nextvals
{
	my ($node, $count, %options) = @_;
	my $database = $options{database} // 'postgres';
	my $generator = $options{generator} // 'snowflake';
	my $set = $options{set} // '';
	my $result = $node->safe_psql($database,
		"$set; SELECT idgen_nextval('$generator') FROM generate_series(1, $count)");
	return split(/\n/, $result);
}

# Checks that every ID occurs once, and that each list of `runs` is entirely above the one before.
sub check_ids
{
	my ($name, @runs) = @_;
	my %seen;
	my ($duplicates, $steps_back, $last) = (0, 0, -1);
	for my $run (@runs)
	{
		my $largest = $last;
		for my $id (@$run)
		{
			$duplicates++ if $seen{$id}++;
			$steps_back++ if $id <= $last;
			$largest = $id if $id > $largest;
		}
		$last = $largest;
	}
	my $count = keys %seen;
	cmp_ok($count, '>', 0, "$name: there are IDs");
	is($duplicates, 0, "$name: no duplicate among $count IDs");
	is($steps_back, 0, "$name: no step back");
	return;
}

# Runs SQL. Returns the SQLSTATE of its error, or '' if there was none, and psql's output.
sub sqlstate_of
{
	my ($node, $sql, %options) = @_;
	my ($out, $err) = ('', '');
	$node->psql($options{database} // 'postgres',
		"\\set VERBOSITY verbose\n$sql", stdout => \$out, stderr => \$err, on_error_stop => 1);
	my ($state) = $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/;
	return ($state // '', $out, $err);
}

1;
