# The test clock where a server must restart, or another program is needed: it is only ever turned on
# by a session, its IDs are the same after a restart, a registry is not asked, a standby makes none.
# And the examples of docs/testing.md, with pgTAP and with SQLAlchemy.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = new_server('server', streaming => 1);
my $one_of_each = q{SELECT idgen_test_clock('2026-01-01Z'), snowflake_nextval(), idgen_nextval('sonyflake'),
  uuidv1_nextval(), uuidv4_nextval(), uuidv6_nextval(), uuidv7_nextval(), ulid_nextval(), id128_nextval(), hlc_now()};
my $first = $server->safe_psql('postgres', $one_of_each);
like($first, qr/794354201395200000/, 'a session has a test clock');
is($server->safe_psql('postgres', $one_of_each), $first, 'another one has the same IDs');

# --- A standby ------------------------------------------------------------------------------------

$server->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($server, 'base', has_streaming => 1);
$standby->start;
my ($state) = sqlstate_of($standby, "BEGIN; SELECT idgen_test_clock('2026-01-01Z'); SELECT snowflake_nextval()");
is($state, '25006', 'a standby makes no IDs of a test clock');
$standby->stop('immediate');

# --- Not by a session -------------------------------------------------------------------------------

my $conf = $server->data_dir . '/postgresql.conf';
my $plain = slurp_file($conf);

sub write_conf
{
	my ($more) = @_;
	open(my $out, '>', $conf) or die "cannot write $conf: $!";
	print $out $plain, $more;
	close($out);
	return;
}

# Restarts the server with that much more in its file, and on its command line.
sub restart_with
{
	my ($more, $options) = @_;
	my @server = ('-s', '-w', '-D', $server->data_dir);
	system_or_bail('pg_ctl', 'stop', @server, '-m', 'fast');
	write_conf($more);
	system_or_bail('pg_ctl', 'start', @server, '-l', $server->logfile, '-o', $options // '');
	$server->_update_pid(1);
	return;
}

# Whatever a server, a database or a connection was given, a session makes no ID of the test clock:
# an error, or if there is to be none, a real one. Returns the error.
sub refused
{
	my ($name, $expected) = @_;
	my ($found, $out, $err) =
	  sqlstate_of($server, 'SELECT snowflake_timestamp(snowflake_nextval()) > now() - interval \'1 hour\'');
	is("$found $out", $expected ? "$expected " : ' t', "$name: refused");
	return $err;
}

for my $preload ('', 'idgen')
{
	my $how = $preload ? 'preloaded' : 'loaded by a session';
	my $load = "shared_preload_libraries = '$preload'\n";

	restart_with($load);
	is($server->safe_psql('postgres', $one_of_each), $first, "$how: the same IDs after a restart");

	# A server that knows the setting refuses the connection.
	for my $option ('idgen.test_clock=2026-01-01Z', 'idgen.test_clock_commit=on')
	{
		local $ENV{PGOPTIONS} = "-c $option";
		if ($preload)
		{
			my $refusal = '';
			is($server->psql('postgres', 'SELECT 1', stderr => \$refusal), 2, "$how, options of a connection: none");
			like($refusal, qr/can only be set by the session itself/, 'and it says why');
		}
		else { refused("$how, options of a connection", 'F0000'); }
	}

	# Set where idgen was not loaded, and so could not object.
	if (!$preload)
	{
		$server->safe_psql('postgres', "ALTER DATABASE postgres SET idgen.test_clock = '2026-01-01Z'");
		like(refused("$how, ALTER DATABASE", 'F0000'), qr/idgen\.test_clock = "2026-01-01Z"/, 'and it says what');
		restart_with("shared_preload_libraries = 'idgen'\n");
		refused('preloaded, ALTER DATABASE');
		$server->safe_psql('postgres', 'ALTER DATABASE postgres RESET idgen.test_clock');
	}

	restart_with("${load}idgen.test_clock = '2026-01-01Z'\n");
	refused("$how, the server's file", 'F0000');
	restart_with($load, '-c idgen.test_clock_commit=on');
	refused("$how, its command line", 'F0000');
	restart_with($load);
	refused("$how, neither");
	write_conf("${load}idgen.test_clock = '2026-01-01Z'\n");
	$server->reload;
	$server->poll_query_until('postgres',
		q{SELECT bool_or(name = 'idgen.test_clock') FROM pg_file_settings WHERE pg_conf_load_time() > pg_postmaster_start_time()});
	refused("$how, a file that is read again", $preload ? '' : 'F0000');
}
restart_with('');

# --- A registry ------------------------------------------------------------------------------------

restart_with("idgen.machine_id_source = registry\nidgen.machine_id = 6\nidgen.max_lease_wait = 100ms\n"
	  . "idgen.registry = 'postgresql://nobody\@127.0.0.1:1/nowhere'\n");
is($server->safe_psql('postgres',
		"SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL, snowflake_machine(snowflake_nextval()), instagram_shard(instagram_nextval(5))"),
	't|6|5', 'where the registry gives the machine ID, a test clock has that of the setting');
my $asked = "SELECT count(*) FROM idgen_identity WHERE state <> 'not asked for'";
is($server->safe_psql('postgres', $asked), '0', 'and nobody asks the registry');
($state) = sqlstate_of($server, 'SELECT snowflake_nextval()');
isnt($state, '', 'which would not answer');
isnt($server->safe_psql('postgres', $asked), '0', 'when it is asked');
restart_with('');

# --- The examples -----------------------------------------------------------------------------------

my $document = slurp_file("$FindBin::RealBin/../../docs/testing.md");
$server->safe_psql('postgres', q{CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item text NOT NULL);
  CREATE ROLE tester LOGIN; GRANT SET ON PARAMETER idgen.test_clock TO tester; GRANT ALL ON orders TO tester});
my $mark = 'SELECT mark_ms FROM idgen_get_mark()';
my $mark_before = $server->safe_psql('postgres', $mark);

SKIP:
{
	skip 'there is no pgTAP: see dev/setup tap', 3
	  unless $server->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pgtap'});
	$server->safe_psql('postgres', 'CREATE EXTENSION pgtap');
	my ($test) = $document =~ /^```pgsql\n(.*?)^```$/ms;
	for my $run (1, 2)
	{
		my ($out, $err) = ('', '');
		$server->psql('postgres', $test, stdout => \$out, stderr => \$err, extra_params => [ '-U', 'tester' ]);
		my ($plan) = $out =~ /^1\.\.(\d+)$/m;
		my $passed = () = $out =~ /^ok \d/mg;
		ok($plan && $passed == $plan && $out !~ /^not ok/m, "the example passes, run $run") or diag($out, $err);
	}
	is($server->safe_psql('postgres', 'SELECT count(*) FROM orders'), '0', 'and leaves nothing behind');
}

SKIP:
{
	my $has_alchemy = eval { IPC::Run::run([ 'python3', '-c', 'import sqlalchemy, psycopg2' ], '>&', \my $out) };
	skip 'there is no SQLAlchemy with psycopg2: see dev/setup tap', 2 unless $has_alchemy;
	my ($test) = $document =~ /^```python\n(.*?)^```$/ms;
	my $file = $server->basedir . '/test_orders.py';
	append_to_file($file, $test);
	local $ENV{DATABASE_URL} = 'postgresql+psycopg2://tester@/postgres?host=' . $server->host . '&port=' . $server->port;
	my ($out, $err) = ('', '');
	my $passed = IPC::Run::run([ 'python3', $file ], '>', \$out, '2>', \$err);
	ok($passed && $err =~ /^Ran 3 tests/m && $err =~ /^OK$/m, 'the suite of the ORM passes') or diag($out, $err);
	is($server->safe_psql('postgres', 'SELECT count(*) FROM orders'), '0', 'and leaves nothing behind');
}
is($server->safe_psql('postgres', $mark), $mark_before, 'none of them moved the mark');

$server->stop;
done_testing();
