# What others can do to the mark and to the settings: roles with and without grants, setval(), DDL
# that is rolled back, dropped databases. After each of these the server is killed and its clock
# goes back: no ID may occur twice.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my $node = new_server('outside', clock => '+0', conf => <<'EOC');
idgen.machine_id = 1
max_prepared_transactions = 5
EOC
$node->safe_psql('postgres', <<'EOS');
CREATE ROLE app LOGIN;
CREATE ROLE granted LOGIN;
GRANT pg_write_all_data TO granted;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO granted;
GRANT ALL ON ALL TABLES IN SCHEMA public TO granted;
CREATE TABLE orders (id bigint DEFAULT snowflake_nextval());
GRANT INSERT, SELECT ON orders TO app;
EOS

my $offset = 0;

# Kills the server and sets its clock back by this many seconds meanwhile. What it hands out then
# must be above `@before`.
sub crash_back
{
	my ($name, $seconds, @before) = @_;
	kill_server($node);
	$offset -= $seconds;
	start_with_clock($node, $offset);
	my @after = nextvals($node, 3000,
		set => "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '10min'");
	check_ids($name, \@before, \@after);
	$offset = 0;
	set_clock($node, '+0');
	return;
}

# --- settings that were refused -------------------------------------------------------------

sub as_app
{
	my ($sql, $options) = @_;
	local $ENV{PGOPTIONS} = $options // '';
	my ($out, $err) = ('', '');
	$node->psql('postgres', "\\set VERBOSITY verbose\n$sql", extra_params => [ '-U', 'app' ],
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	my @states = $err =~ /ERROR:\s+([0-9A-Z]{5}):/g;
	return ($out, join(' ', @states), $err);
}

my $make = 'SELECT snowflake_machine(snowflake_nextval())';
my ($out, $state, $err) = as_app($make);
is("$out$state", '1', 'a plain role has the server\'s machine ID');

($out, $state, $err) = as_app($make, '-c idgen.machine_id=2');
is("$out$state", 'F0000', 'with another one in PGOPTIONS it makes no IDs');
like($err, qr/a setting of idgen was refused: idgen.machine_id = "2"/, 'and is told so');
like($err, qr/HINT:.*connect/, 'with what to do');

($out, $state) = as_app('INSERT INTO orders DEFAULT VALUES RETURNING id', '-c idgen.machine_id=2');
is("$out$state", 'F0000', 'nor by the default of a table');

my $parallel = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
($out, $state) = as_app("SET $parallel = on; $make", '-c idgen.machine_id=2');
is("$out$state", 'F0000', 'nor in a parallel worker');

for my $setting ('machine_id = 2', 'datacenter_id = 3', 'max_clock_lead = 1', 'reserve_window = 20',
	q(machine_id = 'abc'), 'shard_id = -7', 'machineid = 3', 'max_clock_step = 1')
{
	($out, $state) = as_app("SET idgen.$setting; $make");
	is("$out$state", 'F0000', "SET idgen.$setting before the first use");
}
($out, $state) = as_app("SET idgen.shard_id = 7; SET idgen.block_size = 1; $make");
is("$out$state", '1', 'what everybody may set is none of it');
($out, $state) = as_app("SET idgen.machine_id = 2; $make; DISCARD ALL; $make");
is("$state $out", 'F0000 1', 'DISCARD ALL takes it back');
# The value that hid it goes, by RESET, which a superuser may use. Also if only a worker makes the
# IDs.
{
	local $ENV{PGOPTIONS} = '-c idgen.machine_id=abc';
	my $err = '';
	$node->psql('postgres', "\\set VERBOSITY verbose\nSET idgen.machine_id = 3; $make; RESET idgen.machine_id;
		SET $parallel = on; $make;\n$make", stdout => \$out, stderr => \$err, on_error_stop => 0);
	$state = join(' ', $err =~ /ERROR:\s+([0-9A-Z]{5}):/g);
	is("$out $state", '3 F0000 F0000', 'a refused value that RESET goes back to');
}
($out, $state) = as_app("BEGIN; SET LOCAL idgen.machine_id = 2; $make; ROLLBACK; $make");
is("$state $out", 'F0000 1', 'and so does the end of a transaction that had set it');
($out, $state) = as_app("$make; SET idgen.machine_id = 2; $make");
is("$out $state", "1\n1 42501", 'once the module is loaded SET itself is refused');

$node->safe_psql('postgres', q(ALTER ROLE app SET idgen.machine_id = 'abc'));
($out, $state) = as_app($make);
is("$out$state", 'F0000', 'a role\'s setting that is no number');
$node->safe_psql('postgres', 'ALTER ROLE app RESET ALL');

for my $line ('idgen.machine_id = abc', 'idgen.machineid = 3', "'idgen.machine_id' = 2x")
{
	my ($name) = $line =~ /(idgen\.\w+)/;
	my $other = new_server('other_' . length($line), conf => '');
	my ($value) = $line =~ /= (.*)/;
	for my $preload ('', "shared_preload_libraries = 'idgen'\n")
	{
		$other->append_conf('postgresql.conf', "$preload$name = '$value'\n");
		$other->restart;
		($state, $out) = sqlstate_of($other, $make);
		is($state, 'F0000', "$name = '$value' in the file" . ($preload ? ', preloaded' : ''));
		next if $preload;
		# Once it is removed, a reload is enough, although PostgreSQL keeps a placeholder of the name.
		my $file = $other->data_dir . '/postgresql.conf';
		my $without = slurp_file($file) =~ s/^\Q$name\E .*\n//mr;
		append_to_file("$file.new", $without);
		rename("$file.new", $file) or die "$file: $!";
		$other->reload;
		for (1 .. 100)
		{
			($state, $out) = sqlstate_of($other, $make);
			last if $state eq '';
			usleep(100_000);
		}
		is("$state$out", '0', 'and taken out of it');
		$other->append_conf('postgresql.conf', "$name = '$value'\n");
	}
	$other->stop;
}

# --- setval() -----------------------------------------------------------------------------------

my $year2049 = 2493072000000;
for my $value (1, $year2049)
{
	my @before = nextvals($node, 3000);
	$node->safe_psql('postgres', "SELECT setval('idgen_high_water_mark', $value)",
		extra_params => [ '-U', 'granted' ]);
	crash_back("setval to $value by a role with grants, idle", 5, @before);

	@before = nextvals($node, 3000);
	$node->safe_psql('postgres', "SELECT setval('idgen_high_water_mark', $value)",
		extra_params => [ '-U', 'granted' ]);
	push @before, nextvals($node, 3000, set => 'SELECT pg_sleep(0.8)');
	crash_back("setval to $value, and on", 5, grep { $_ } @before);
}
like(slurp_file($node->logfile), qr/LOG:.*"idgen_high_water_mark" was set to 1 by somebody else/,
	'the log says that somebody set it');

# As an extension that replicates sequences does: to a lower value, again and again.
{
	my $setter = $node->background_psql('postgres', on_error_stop => 0);
	my @before;
	for (1 .. 8)
	{
		$setter->query("SELECT setval('idgen_high_water_mark',
			(extract(epoch FROM clock_timestamp()) * 1000)::bigint - 3000, true)");
		push @before, nextvals($node, 300, set => 'SET idgen.reserve_window = 50');
		usleep(60_000);
	}
	$setter->quit;
	crash_back('a replicated sequence', 20, @before);
}
{
	my @before = nextvals($node, 300);
	$node->safe_psql('postgres', "SELECT nextval('idgen_high_water_mark')", extra_params => [ '-U', 'granted' ])
	  for 1 .. 3;
	crash_back('nextval() on it', 5, @before);
}

# Only superusers and the database's owner may restore rows, whatever was granted.
{
	my ($status, $stdout, $stderr) = $node->psql('postgres',
		"INSERT INTO idgen_restore VALUES ('$year2049')", extra_params => [ '-U', 'granted' ]);
	like($stderr, qr/permission denied to restore a high-water mark/, 'grants do not let restore');
}

# --- DDL that is rolled back ---------------------------------------------------------------------

my $some = "SELECT snowflake_nextval() FROM generate_series(1, 2000);
	SELECT FROM pg_sleep(1.3); SELECT snowflake_nextval() FROM generate_series(1, 2000)";
for my $ddl ('DROP EXTENSION idgen CASCADE; CREATE EXTENSION idgen',
	'ALTER SEQUENCE idgen_high_water_mark INCREMENT BY 2',
	'ALTER SEQUENCE idgen_high_water_mark RESTART',
	'SAVEPOINT s; ALTER SEQUENCE idgen_high_water_mark INCREMENT BY 3; ROLLBACK TO s')
{
	for my $end ('ROLLBACK', 'COMMIT')
	{
		my @before = nextvals($node, 100);
		push @before, grep { $_ } split /\n/, $node->safe_psql('postgres',
			"SET client_min_messages = error; BEGIN; $ddl; $some; $end");
		crash_back("$ddl; $end", 8, @before);
		$node->safe_psql('postgres', 'ALTER TABLE orders ALTER id SET DEFAULT snowflake_nextval()');
	}
}

# A parallel worker does not have the session's own knowledge of what is uncommitted.
{
	my @before = nextvals($node, 100);
	push @before, grep { $_ } split /\n/, $node->safe_psql('postgres', "
		SET client_min_messages = error; BEGIN; DROP EXTENSION idgen CASCADE; CREATE EXTENSION idgen;
		SET LOCAL $parallel = on; $some; ROLLBACK");
	crash_back('DDL and a parallel worker', 8, @before);
}

# Prepared, and rolled back after the crash. The other database goes on meanwhile.
$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION idgen');
{
	my @before = nextvals($node, 100);
	push @before, grep { $_ } split /\n/, $node->safe_psql('postgres', "
		SET client_min_messages = error; BEGIN; ALTER SEQUENCE idgen_high_water_mark INCREMENT BY 2;
		$some; PREPARE TRANSACTION 'altered'");
	kill_server($node);
	start_with_clock($node, '-8');
	my @after = nextvals($node, 3000, database => 'second',
		set => "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '10min'");
	check_ids('prepared DDL, seen from another database', \@before, \@after);
	$node->safe_psql('postgres', "ROLLBACK PREPARED 'altered'");
	push @before, @after;
	crash_back('prepared DDL, rolled back', 8, @before);
}

# --- what is dropped -----------------------------------------------------------------------------

for my $drop ([ 'postgres', 'DROP DATABASE third' ], [ 'third', 'DROP EXTENSION idgen' ])
{
	my ($where, $sql) = @$drop;
	$node->safe_psql('postgres', 'CREATE DATABASE third') if $where eq 'postgres';
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS third; ') if $where eq 'third';
	$node->safe_psql('postgres', 'CREATE DATABASE third') if $where eq 'third';
	$node->safe_psql('third', 'CREATE EXTENSION idgen');
	$node->restart;
	my @before = nextvals($node, 100, set => "SET idgen.max_clock_wait = '20s'");
	# IDs only there, for longer than the others' marks are ahead.
	push @before, nextvals($node, 500, database => 'third') and usleep(700_000) for 1 .. 4;
	$node->safe_psql($where, "LOAD 'idgen'");
	$node->psql($where, "LOAD 'idgen';\n$sql");
	crash_back($sql, 3, @before);
}

$node->stop;
done_testing();
