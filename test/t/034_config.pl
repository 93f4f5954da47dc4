# idgen_check_config(), where servers must be restarted, have files, a registry or a standby, or a clock that is
# wrong; and what the log says at the start.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The findings, one a line. Without those about fsync, which is off in these tests, and about the kernel's clock, which
# is as it is.
sub findings
{
	my ($node, %options) = @_;
	return $node->safe_psql($options{database} // 'postgres', ($options{before} // '') . "
		SELECT concat_ws(' ', severity, topic || ':', message) FROM idgen_check_config()
		WHERE message !~ '^(fsync is off|kernel|clock of this machine)'", extra_params => $options{params} // []);
}

# --- A server as it comes -----------------------------------------------------------------------

my $node = new_server('one');
is(findings($node), '', 'nothing is wrong with a new server');
is($node->safe_psql('postgres', "SELECT severity, message FROM idgen_check_config() WHERE topic = 'durability'"),
	'warning|fsync is off', 'but for fsync, which is off here');

$node->safe_psql('postgres', q{
	CREATE TABLE copied (id bigint DEFAULT snowflake_nextval());
	CREATE TABLE others (id uuid DEFAULT uuidv7_nextval());
	CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);
	INSERT INTO pg_subscription_rel SELECT oid, 'others'::regclass, 'r' FROM pg_subscription;});
is(findings($node), '', 'a subscription of another table');
$node->safe_psql('postgres', "INSERT INTO pg_subscription_rel SELECT oid, 'copied'::regclass, 'r' FROM pg_subscription");
is(findings($node), 'warning identity: public.copied.id receives rows by a subscription, and idgen.machine_id was never set',
	'rows of other writers, and no identity');
is(findings($node, before => 'SET idgen.machine_id = 0;'), '', 'an identity that was set');
$node->safe_psql('postgres', 'DROP SUBSCRIPTION sub');

# --- The server's files ---------------------------------------------------------------------------

sub alter { my ($node, @settings) = @_; $node->psql('postgres', "LOAD 'idgen'; ALTER SYSTEM SET $_") for @settings; return; }
sub reload { my ($node) = @_; $node->safe_psql('postgres', 'SELECT pg_reload_conf()'); return; }
# A session reads the files when the postmaster has told it to.
sub after_reload
{
	my ($name, $node, $wanted) = @_;
	reload($node);
	$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM idgen_check_config() WHERE topic = 'files')");
	is(findings($node), $wanted, $name);
	return;
}

alter($node, 'idgen.machine_id = 5', q{idgen.max_clock_lead = '2min'}, q{idgen.max_clock_wait = '2000ms'},
	q{idgen.registry_pool = 'pool'}, 'idgen.clock_regression = lead');
is(findings($node), join("\n",
		'warning files: idgen.clock_regression is "lead" in the server\'s files, and wait here',
		'warning files: idgen.machine_id is "5" in the server\'s files, and 0 here',
		'warning files: idgen.max_clock_lead is "2min" in the server\'s files, and 10000 here',
		'warning files: idgen.registry_pool has another value in the server\'s files'),
	'settings that were not reloaded');
after_reload('and reloaded', $node, '');
$node->safe_psql('postgres', q{LOAD 'idgen'; ALTER SYSTEM RESET idgen.max_clock_lead});
is(findings($node), 'warning files: idgen.max_clock_lead is not in the server\'s files any more', 'a line that was taken out');
$node->safe_psql('postgres', "ALTER DATABASE postgres SET idgen.max_clock_lead = '10s'");
is(findings($node), '', 'what the database says hides it');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET ALL; ALTER SYSTEM RESET ALL');
after_reload('all taken out', $node, '');

my $conf = slurp_file($node->data_dir . '/postgresql.conf');
$node->append_conf('postgresql.conf', "IDGEN.block_size = 0\nidgen.max_clock_wait = 3s\nidgen.max_clock_wait = 2s\n");
like(findings($node), qr/\Aerror files: \S+postgresql.conf, line \d+: idgen.block_size: setting could not be applied\z/, 'a value out of range, and one superseded');
$node->append_conf('postgresql.conf', "what is this\n");
like(findings($node), qr/error files: \S+postgresql.conf, line \d+: syntax error/, 'a syntax error');
unlink $node->data_dir . '/postgresql.conf';
append_to_file($node->data_dir . '/postgresql.conf', $conf);
is(findings($node), '', 'put right');

# Ordinary roles may not see the files.
$node->safe_psql('postgres', "CREATE ROLE plain LOGIN; CREATE ROLE reader LOGIN;
	GRANT SELECT ON pg_file_settings TO reader; GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO reader");
alter($node, 'idgen.block_size = 7');
is(findings($node, before => 'SET ROLE plain;'), "notice not checked: not checked for lack of privileges: the server's files", 'an ordinary role');
is(findings($node, before => 'SET ROLE reader;'), 'warning files: idgen.block_size is "7" in the server\'s files, and 1 here', 'a role that may');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');

# --- Durability ---------------------------------------------------------------------------------------

alter($node, 'full_page_writes = off', 'fsync = on', "synchronous_standby_names = 'nobody'", 'synchronous_commit = local');
reload($node);
$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM idgen_check_config() WHERE topic = 'durability'");
is(findings($node), "warning durability: full_page_writes is off\n"
	. 'notice durability: synchronous_commit does not wait for the synchronous standbys', 'full_page_writes, and standbys that nobody waits for');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');
reload($node);

# --- Preloaded, and the log --------------------------------------------------------------------------

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'idgen'\n");
is(findings($node), "warning files: idgen is in shared_preload_libraries of the server's files, and not preloaded", 'not restarted');
$node->restart;
is(findings($node), '', 'preloaded');
like(slurp_file($node->logfile), qr/WARNING:  idgen: fsync is off\n.*HINT:  A crash of the machine/, 'the log of a start says what is wrong');

$node->append_conf('postgresql.conf', "fsync = on\nrestart_after_crash = on\nidgen.max_clock_wait = '100ms'\n"
	. "idgen.machine_id_source = 'registry'\nidgen.mashine_id = 3\nidgen.reserve_window = '2min'\n");
my $from = -s $node->logfile;
$node->restart;
is(join("\n", slurp_file($node->logfile, $from) =~ /WARNING:  (idgen: .*)/g), join("\n",
		'idgen: a setting was refused: idgen.mashine_id = "3", which is no setting of idgen',
		'idgen: idgen.machine_id_source is registry, and there is no registry',
		'idgen: idgen.max_clock_wait is 100.000 ms, and idgen.reserve_window is 120.000 s'),
	'the worst of it, once');
like(findings($node), qr/^error files: .*: idgen.mashine_id: setting could not be applied\n/, 'and the function says the same');
is(findings($node) =~ s/^error files: .*\n//r, join("\n",
		'error identity: idgen.machine_id_source is registry, and there is no registry',
		'error settings: a setting was refused: idgen.mashine_id = "3", which is no setting of idgen',
		'warning clock: idgen.max_clock_wait is 100.000 ms, and idgen.reserve_window is 120.000 s',
		'notice clock: idgen.reserve_window is 120.000 s'),
	'and more');
$from = -s $node->logfile;
my $victim = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
kill 'KILL', $victim;
wait_until('the server has recovered', sub { slurp_file($node->logfile, $from) =~ /ready to accept connections/ });
unlike(slurp_file($node->logfile, $from), qr/WARNING:  idgen/, 'not again after a crash');

# The number at the end of the host's name, or the lack of one.
$node->append_conf('postgresql.conf', "idgen.machine_id_source = 'hostname'\nidgen.reserve_window = '50ms'\n");
my ($host) = `uname -n` =~ /^([^.\n]*)/;
reload($node);
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM idgen_check_config() WHERE topic = 'clock' AND message ~ 'idgen'");
like(findings($node), $host =~ /(?<!\d)\d{1,9}$/ ? qr/^((?!identity).)*$/s : qr/^error identity: host name does not give a machine ID$/m, 'the host name');

# The kernel's clock is said to be of interest.
$node->append_conf('postgresql.conf', "idgen.max_clock_error = '1ms'\n");
reload($node);
$node->poll_query_until('postgres', "SELECT current_setting('idgen.max_clock_error') = '1ms'");
my $clock = "SELECT count(*) FROM idgen_check_config() WHERE message ~ '^(kernel|clock of this machine)'";
is($node->safe_psql('postgres', "$clock AND (severity, topic) IN (('warning', 'clock'), ('notice', 'not checked'))"), 1, 'a clock that nobody can keep that exact');
$node->append_conf('postgresql.conf', "idgen.max_clock_error = 0\n");
reload($node);
$node->poll_query_until('postgres', "SELECT current_setting('idgen.max_clock_error') = '0'");
is($node->safe_psql('postgres', $clock), 0, 'not looked at');
$node->stop;

# --- A registry ------------------------------------------------------------------------------------------

# Its sessions see a false clock at once. Of a server's worker that is not certain on PostgreSQL 15.
my $registry = PostgreSQL::Test::Cluster->new('registry');
$registry->init;
if (have_faketime) { start_with_clock($registry, '+0'); }
else { $registry->start; }
my $a = new_member('a', $registry, machines => 2, preload => 1);
my $b = new_member('b', $registry, machines => 2);
is(findings($a), '', 'a server of a pool');
is(findings($b), 'warning preload: idgen.registry is set, and idgen is not preloaded', 'not preloaded');
machine_of($_) for $a, $b;
like(findings($a), qr/^warning registry: no machine ID of pool "default" is free: 2 of 2 are held or banned$/, 'a full pool');
alter($a, 'idgen.registry_machines = 64', 'idgen.machine_id = 7');
$a->safe_psql('postgres', 'CREATE TABLE used (id bigint DEFAULT snowflake_nextval())');
reload($a);
$a->poll_query_until('postgres', "SELECT current_setting('idgen.registry_machines') = '64'");
is(findings($a), join("\n", 'warning identity: idgen.registry_machines is 64, and generator "snowflake" has room for 32',
		'notice identity: idgen.machine_id = 7 has no effect'), 'a pool that the layout has no room for');

# With a number of its own.
my $others = $b->safe_psql('postgres', 'SELECT machine_id FROM idgen_identity WHERE datacenter_id = 0');
alter($a, 'idgen.machine_id_source = setting', "idgen.machine_id = $others");
reload($a);
$a->poll_query_until('postgres', "SELECT current_setting('idgen.machine_id') = '$others'");
like(findings($a), qr/^error registry: machine ID $others of datacenter 0 is held by ".*"$/, 'the number of another server');
is(findings($a, before => 'CREATE ROLE plain; SET ROLE plain;'),
	"notice not checked: not checked for lack of privileges: the server's files, the registry", 'whoever may not ask the registry');
$a->safe_psql('postgres', 'SELECT idgen_registry_ban(20)');
like(findings($a, before => 'SET idgen.machine_id = 20;'), qr/^error registry: machine ID 20 of datacenter 0 is banned in the registry$/m, 'a banned number');
is(findings($a, before => 'SET idgen.machine_id = 21;'), '', 'a free number');
my ($state) = sqlstate_of($a, "SET idgen.max_lease_wait = '300ms'; SELECT snowflake_nextval()");
is($state, '55006', 'refused');
like(findings($a, before => 'SET ROLE plain;'), qr/^error registry: machine ID $others, shard -, datacenter 0: held by/, 'seen by whoever may not ask');
$a->safe_psql('postgres', 'ALTER SYSTEM RESET idgen.machine_id');
$conf = slurp_file($a->data_dir . '/postgresql.conf') =~ s/^\s*idgen\.machine_id = .*//mr;
unlink $a->data_dir . '/postgresql.conf';
append_to_file($a->data_dir . '/postgresql.conf', $conf);
$a->restart;
like(findings($a), qr/^warning identity: idgen.registry is set, and idgen.machine_id was never set$/m, 'every server claims number 0');
like(slurp_file($a->logfile), qr/WARNING:  idgen: idgen.registry is set, and idgen.machine_id was never set$/m, 'and the log says so');
like(findings($a, before => 'SET idgen.max_lease_wait = 0;'), qr/^warning identity: idgen.max_lease_wait is 0$/m, 'no wait for the registry');

SKIP:
{
	skip 'libfaketime is not installed', 3 unless have_faketime;
	is($a->poll_query_until('postgres', 'SELECT abs(registry_clock_offset) < 400 FROM idgen_stat_server'), 1, 'a right clock');
	unlike(findings($a), qr/clock of this server/, 'is none of the findings');
	set_clock($registry, '+5');
	$a->poll_query_until('postgres', 'SELECT registry_clock_offset < -4000 FROM idgen_stat_server');
	like(findings($a), qr/^warning clock: clock of this server is [45]\.\d+ s behind the registry's$/m, "a clock that is not the registry's");
}

$registry->stop('immediate');
like(findings($b, before => "SET idgen.max_lease_wait = '1s';"), qr/^error registry: registry does not answer: /, 'no registry');
$_->stop('immediate') for $a, $b;

# --- A standby, and clocks that step -----------------------------------------------------------------------

SKIP:
{
	skip 'libfaketime is not installed', 8 unless have_faketime;
	my $primary = new_server('primary', clock => '+0', streaming => 1, conf => "idgen.max_clock_step = '1h'\n");
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$primary->backup('b');
	$standby->init_from_backup($primary, 'b', has_streaming => 1);
	$standby->start;
	$standby->poll_query_until('postgres', 'SELECT last_msg_receipt_time IS NOT NULL FROM pg_stat_wal_receiver');
	is(findings($standby), '', 'a standby as it should be');
	set_clock($primary, '+20');
	nextvals($primary, 1);
	$primary->wait_for_catchup($standby);
	like(findings($standby), qr/^warning mark: high-water mark of this database is .* ahead of the clock\nwarning standby: clock of this standby is behind its primary's$/,
		'a standby whose clock is behind');
	$standby->stop;

	set_clock($primary, '+7220');
	($state) = sqlstate_of($primary, 'SELECT snowflake_nextval()');
	is($state, '55000', 'a step too long');
	like(findings($primary), qr/^error clock: no IDs are made: the clock was set forward by 7\d\d\d\.\d+ s$/, 'a step that nobody accepted');
	$primary->safe_psql('postgres', 'SELECT idgen_accept_clock()');
	nextvals($primary, 1);
	is(findings($primary), '', 'accepted');
	set_clock($primary, '+0');
	like(findings($primary), qr/^error mark: high-water mark of this database is 7\d\d\d\.\d+ s ahead of the clock$/, 'a mark that is far ahead');
	$primary->safe_psql('postgres', 'SELECT idgen_start_over(9)');
	like(findings($primary), qr/^error mark: no IDs are made until the server is restarted: idgen_start_over\(\) was called$/m, 'a restart is needed');
	$primary->append_conf('postgresql.conf', "idgen.machine_id = 9\n");
	restart_with_clock($primary, '+0');
	like(findings($primary), qr/^notice mark: only machine ID 9 makes IDs until [^\n]*$/, 'after it');
	$primary->stop;
}

done_testing();
