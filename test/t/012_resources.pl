# What idgen needs of the server, and what others use of it: all connections in use, transactions
# without an ID, parallel workers, prepared transactions, many thousands of ID spaces, no shared
# memory left, a session that is idle for long, and a connection pooler.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_server('sessions', conf => "max_connections = 100\nmax_prepared_transactions = 5\n"
	  . "min_parallel_table_scan_size = 0\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n"
	  . "parallel_leader_participation = off\nidgen.reserve_window = '100ms'\n");

sub script
{
	my ($name, $sql) = @_;
	append_to_file("$dir/$name.sql", $sql);
	return "$dir/$name.sql";
}

sub pgbench
{
	my ($server, @options) = @_;
	return ('pgbench', '-n', '-h', $server->host, '-p', $server->port, @options, 'postgres');
}

# All connections at once, each with its own IDs, and some more, which find no room.
{
	$node->safe_psql('postgres', 'CREATE TABLE ids (id bigint, made_by int)');
	my $file = script('all', q{
		INSERT INTO ids SELECT snowflake_nextval(), :client_id FROM generate_series(1, 50);
		SELECT pg_advisory_xact_lock_shared(1);
	});
	my $gate = $node->background_psql('postgres');
	$gate->query_safe('SELECT pg_advisory_lock(1)');
	my ($out, $err) = ('', '');
	my $all = IPC::Run::start([ pgbench($node, '-c', '99', '-j', '2', '-t', '3', '-f', $file) ],
		'>', \$out, '2>', \$err, IPC::Run::timeout(120));
	my $waiting = 0;
	for (1 .. 600)
	{
		$waiting = $gate->query_safe(
			q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted});
		last if $waiting == 99;
		usleep(50_000);
	}
	is($waiting, 99, 'every connection is in use, and has made IDs');
	my $refused = 0;
	for (1 .. 8)
	{
		my ($state, undef, $error) = sqlstate_of($node, 'SELECT snowflake_nextval()');
		$refused++ if $error =~ /too many clients|remaining connection slots/;
	}
	is($refused, 8, 'eight more are refused');
	like($gate->query_safe('SELECT snowflake_nextval()'), qr/^\d+$/, 'and those that are there go on');
	$gate->query_safe('SELECT pg_advisory_unlock(1)');
	$all->finish;
	is($all->result(0), 0, 'all of them end well') or diag($err);
	$gate->quit;
	is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id), count(DISTINCT made_by) FROM ids'),
		(99 * 3 * 50) . '|' . (99 * 3 * 50) . '|99', 'no ID twice');
}

# Read-only transactions have no transaction ID. All that they write to the WAL is the mark, at most
# once in each reserve window.
for my $how ('BEGIN READ ONLY', 'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE',
	'SET default_transaction_read_only = on; BEGIN')
{
	my $made = 3000;
	my ($ids, $start, $assigned, $end, $ms) = split /\n/, $node->safe_psql('postgres', qq{
		SELECT snowflake_nextval() \\g /dev/null
		$how;
		SELECT count(snowflake_nextval()) + count(instagram_nextval(5)) FROM generate_series(1, $made);
		SELECT pg_current_wal_insert_lsn(), clock_timestamp() AS began \\gset
		SELECT :'pg_current_wal_insert_lsn';
		DO \$\$
		DECLARE
			began timestamptz := clock_timestamp();
		BEGIN
			WHILE clock_timestamp() < began + interval '700 ms' LOOP
				PERFORM count(snowflake_nextval()) FROM generate_series(1, 1000);
			END LOOP;
		END \$\$;
		SELECT pg_current_xact_id_if_assigned();
		SELECT pg_current_wal_insert_lsn();
		SELECT ceil(extract(epoch FROM clock_timestamp() - :'began') * 1000);
		COMMIT});
	is("$ids $assigned", 2 * $made . ' ', "$how: IDs, and no transaction ID");
	my ($records, $errors);
	IPC::Run::run([ 'pg_waldump', '-p', $node->data_dir . '/pg_wal', '-r', 'Generic', '-s', $start, '-e', $end ],
		'>', \$records, '2>', \$errors);
	my $marks = () = $records =~ /^rmgr: Generic/mg;
	cmp_ok($marks, '>', 0, "$how: the mark is in the WAL") or diag($errors);
	# Up to a quarter of a window of 100 ms may be left.
	cmp_ok($marks, '<=', $ms / 75 + 2, "$how: $marks records in $ms ms");
}

# Only parallel workers make the IDs of a table.
$node->safe_psql('postgres', q{
	CREATE TABLE numbers AS SELECT generate_series(1, 100000) AS n;
	ANALYZE numbers;
	CREATE FUNCTION worker() RETURNS int PARALLEL SAFE STABLE LANGUAGE plpgsql AS
		'BEGIN RETURN pg_backend_pid(); END'});
for my $call ('snowflake_nextval()', 'instagram_nextval(n % 50)', q{idgen_nextval('tso')}, q{idgen_reserve('leaf', 2)})
{
	my $select = "CREATE TABLE made AS SELECT n, $call AS id, worker() AS made_by FROM numbers";
	like($node->safe_psql('postgres', "EXPLAIN (COSTS OFF) $select"), qr/Gather/, "$call: a parallel plan");
	is( $node->safe_psql('postgres', qq{
			$select;
			SELECT count(*), count(DISTINCT id), bool_and(made_by <> pg_backend_pid()) FROM made;
			DROP TABLE made}),
		'100000|100000|t', "$call: made by parallel workers, and all different");
}

# Transactions that are prepared and end after a crash.
{
	my $insert = 'INSERT INTO ids SELECT snowflake_nextval() FROM generate_series(1, 1000) RETURNING id';
	$node->safe_psql('postgres', 'TRUNCATE ids');
	my @before = split /\n/, $node->safe_psql('postgres', qq{
		BEGIN; $insert; PREPARE TRANSACTION 'one';
		BEGIN; $insert; PREPARE TRANSACTION 'two';
		$insert});
	kill_server($node);
	$node->start;
	my @after = split /\n/, $node->safe_psql('postgres', qq{
		$insert; COMMIT PREPARED 'one'; ROLLBACK PREPARED 'two'; $insert});
	is(@before + @after, 5000, 'prepared transactions: all IDs were handed out');
	check_ids('prepared transactions and a crash', \@before, \@after);
	is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id) FROM ids'), '4000|4000',
		'and no ID is in the table twice');
}

# A session is idle while another works and the mark moves on by many windows. The first session
# still has part of a block.
{
	my $idle = $node->background_psql('postgres');
	$idle->query_safe('SET idgen.block_size = 1000');
	my @before = split /\n/, $idle->query_safe('SELECT snowflake_nextval() FROM generate_series(1, 10)');
	my $mark = 'SELECT last_value FROM idgen_high_water_mark';
	my $then = $node->safe_psql('postgres', $mark);
	my @others;
	for (1 .. 200)
	{
		push @others, nextvals($node, 500);
		last if $node->safe_psql('postgres', $mark) > $then + 1000;
		usleep(20_000);
	}
	cmp_ok($node->safe_psql('postgres', $mark), '>', $then + 1000, 'ten windows later');
	my @after = split /\n/, $idle->query_safe('SELECT snowflake_nextval() FROM generate_series(1, 10)');
	check_ids('a session that was idle', \@before, \@others, \@after);
	$idle->quit;
}

# PgBouncer in transaction mode: a client may get another server connection for each transaction,
# and what is set or remembered there may come from any client. So the shard is set with SET LOCAL
# or named in the call. snowflake_currval() is the client's own ID in the transaction that made it;
# afterwards it is another client's, or error 55000.
SKIP:
{
	my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
	skip 'pgbouncer is not installed', 7 unless defined $pgbouncer;

	my $sockets = PostgreSQL::Test::Utils::tempdir_short();
	my ($host, $port, $user) = ($node->host, $node->port, $node->safe_psql('postgres', 'SELECT current_user'));
	append_to_file("$dir/pgbouncer.ini", qq{
[databases]
postgres = host=$host port=$port dbname=postgres user=$user
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $sockets
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
logfile = $dir/pgbouncer.log
pidfile = $dir/pgbouncer.pid
});
	my ($log, $out) = ('', '');
	my $pooler = IPC::Run::start([ $pgbouncer, "$dir/pgbouncer.ini" ], '<', \undef, '>', \$log, '2>&1');
	for (1 .. 200)
	{
		last if -S "$sockets/.s.PGSQL.$port";
		usleep(50_000);
	}
	$node->safe_psql('postgres', q{
		CREATE TABLE sharded (id bigint, shard int, made_by int, currval bigint);
		CREATE TABLE seen (shard text)});
	my $file = script('pooled', q{
		\set shard 100 + :client_id
		BEGIN;
		SET LOCAL idgen.shard_id = :shard;
		INSERT INTO sharded SELECT instagram_nextval(), :shard, pg_backend_pid() FROM generate_series(1, 5);
		COMMIT;
		BEGIN;
		INSERT INTO sharded VALUES (snowflake_nextval()) RETURNING id \gset
		UPDATE sharded SET currval = snowflake_currval() WHERE id = :id;
		COMMIT;
		-- On a connection that has not loaded the module yet there is no such setting.
		INSERT INTO seen VALUES (coalesce(current_setting('idgen.shard_id', true), '-1'));
	});
	local $ENV{PGHOST} = $sockets;
	command_ok([ 'pgbench', '-n', '-h', $sockets, '-p', $port, '-c', '40', '-j', '2', '-t', '20', '-f', $file, 'postgres' ],
		'40 clients through PgBouncer') or diag($log);
	is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id) FROM sharded'),
		(40 * 20 * 6) . '|' . (40 * 20 * 6), 'no ID twice');
	cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT made_by) FROM sharded'), '<=', 3,
		'they shared three connections');
	is($node->safe_psql('postgres',
			'SELECT count(*) FILTER (WHERE instagram_shard(id) <> shard), count(DISTINCT shard) FROM sharded WHERE shard IS NOT NULL'),
		'0|40', 'each client has its own shard');
	is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT shard, ' ') FROM seen}), '-1',
		'which is gone with its transaction');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM sharded WHERE shard IS NULL AND currval IS DISTINCT FROM id'),
		0, 'currval within a transaction');
	my $pooled = $node->connstr('postgres') =~ s/host=\S+/host=$sockets/r;
	my $error = '';
	IPC::Run::run([ 'psql', '-Xq', '-v', 'VERBOSITY=verbose', '-d', $pooled, '-c', 'SELECT instagram_nextval()' ],
		'>', \$out, '2>', \$error);
	like($error, qr/55000/, 'a transaction that sets no shard has none');
	$pooler->kill_kill(grace => 10);
}
$node->stop;

# Many thousands of ID spaces.
sub bytes_in
{
	my ($folder) = @_;
	my $bytes = 0;
	$bytes += -s $_ for glob("$folder/mmap.*");
	return $bytes;
}

$node = new_server('spaces', conf => "dynamic_shared_memory_type = mmap\n");
my $shared = $node->data_dir . '/pg_dynshmem';
$node->safe_psql('postgres', q{
	SELECT idgen_create_layout('sharded', 'timestamp:38, shard:20, sequence:5', tick => '10 ms', epoch => '2024-01-01Z');
	CREATE TABLE ids (id bigint);
	SELECT idgen_nextval('sharded', 0)});
my $few = bytes_in($shared);
# PostgreSQL's own statistics may take a segment at any time.
my $room = 2**20;
{
	my $file = script('sharded', q{
		INSERT INTO ids SELECT idgen_nextval('sharded', (shard + 5000 * :client_id) % 20000)
		FROM generate_series(0, 19999) AS shard;
	});
	command_ok([ pgbench($node, '-c', '4', '-j', '2', '-t', '1', '-f', $file) ], 'four sessions, each with 20,000 shards');
	is($node->safe_psql('postgres', q{
			SELECT count(*), count(DISTINCT id), count(DISTINCT shard_id) FROM ids, idgen_parse(id, 'sharded')}),
		'80000|80000|20000', 'no ID twice');
	my $many = bytes_in($shared);
	cmp_ok($many - $few, '<=', 20_000 * 512, "shared memory grew from $few to $many bytes");
	cmp_ok($many, '>', $few, 'it grew');
	$node->safe_psql('postgres', q{
		SELECT count(idgen_nextval('sharded', n % 20000)) FROM generate_series(0, 399999) AS n});
	cmp_ok(bytes_in($shared) - $many, '<=', $room, 'and by nothing for more IDs of the same spaces');

	# What a session keeps about them: 64 bytes for each, in a table that is at most half full.
	my $of_session = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};
	my ($before, $after) = split /\n/, $node->safe_psql('postgres', qq{
		SELECT count(idgen_nextval('sharded', 1)) \\g /dev/null
		$of_session;
		SELECT count(idgen_nextval('sharded', shard)) FROM generate_series(0, 19999) AS shard \\g /dev/null
		$of_session});
	cmp_ok($after - $before, '<', 20_000 * 300, 'the session has ' . ($after - $before) . ' bytes more');

	# A role that may set a shard can go through all of them without filling the memory.
	$node->safe_psql('postgres', 'CREATE ROLE visitor LOGIN');
	$node->safe_psql('postgres', q{
		SELECT count(idgen_nextval('sharded', n)) FROM generate_series(0, 299999) AS n},
		extra_params => [ '-U', 'visitor' ]);
	cmp_ok(bytes_in($shared) - $few, '<=', 16_384 * 512 + $room, '300,000 shards share what 16,384 need');

	$node->restart;
	$node->safe_psql('postgres', q{SELECT idgen_nextval('sharded', 0)});
	cmp_ok(bytes_in($shared) - $few, '<=', $room, 'all of it is gone after a restart');
}

# Dynamic shared memory runs out while spaces are created, at various places. A session that needs
# more gets an error, again and again; one that does not goes on. When there is room again,
# everything works.
{
	$node->safe_psql('postgres', q{
		SELECT idgen_create_layout('machines', 'timestamp:38, machine:20, sequence:5', tick => '10 ms', epoch => '2024-01-01Z');
		CREATE SEQUENCE next_machine MINVALUE 0;
		CREATE FUNCTION made_by(machine bigint) RETURNS bigint LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM set_config('idgen.machine_id', machine::text, false);
			RETURN idgen_nextval('machines');
		END $$;
		CREATE FUNCTION make_spaces(most int) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN
			FOR i IN 1..most LOOP
				PERFORM made_by(nextval('next_machine'));
			END LOOP;
			RETURN 'all';
		END $$});
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $old = $session->query_safe(q{SELECT idgen_nextval('machines')});
	my ($failed, $hinted, $again, $went_on, $recovered, $rounds) = (0, 0, 0, 0, 0, 6);
	for my $round (1 .. $rounds)
	{
		chmod(0500, $shared) or die "cannot change $shared: $!";
		my ($state, $out, $err) = sqlstate_of($node, 'SELECT make_spaces(400000)');
		$failed++ if $state ne '' and $state ne 'XX000' and $err =~ /shared memory/;
		$hinted++ if $err =~ /HINT:.*idgen needs a little shared memory/;
		my $machine = $node->safe_psql('postgres', 'SELECT last_value FROM next_machine');
		for (1 .. 3)
		{
			($state) = sqlstate_of($node, "SELECT made_by($machine)");
			$again++ if $state ne '' and $state ne 'XX000';
		}
		my $new = $session->query(q{SELECT idgen_nextval('machines')});
		$went_on++ if $new =~ /^\d+$/ and $new > $old;
		$old = $new;
		chmod(0700, $shared) or die "cannot change $shared: $!";
		my @ids = map { $node->safe_psql('postgres', "SELECT made_by($machine)") } 1 .. 2;
		$recovered++ if $ids[0] < $ids[1]
		  and $node->safe_psql('postgres', "SELECT machine_id FROM idgen_parse($ids[0], 'machines')") == $machine;
	}
	is($failed, $rounds, 'no shared memory left: an error');
	is($hinted, $rounds, 'with a hint');
	is($again, 3 * $rounds, 'the same for the same machine, and no crash');
	is($went_on, $rounds, 'a session goes on in its spaces');
	is($recovered, $rounds, 'with room, the machine works');
	$session->quit;
	my $spaces = $node->safe_psql('postgres', 'SELECT last_value FROM next_machine');
	is($node->safe_psql('postgres', qq{
			SELECT count(*), count(DISTINCT id), count(DISTINCT machine_id)
			FROM (SELECT made_by(machine) AS id FROM generate_series(0, $spaces - 1) AS machine) AS made,
			     idgen_parse(id, 'machines')}),
		"$spaces|$spaces|$spaces", 'and so do all the others');
	$node->stop;
	unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|invalid DSA/, 'the server did not crash');
}

# After a start the marks of all databases are read. Nobody without rights can block that.
{
	my $node = new_server('locks');
	$node->safe_psql('postgres', 'CREATE DATABASE other; CREATE ROLE clerk LOGIN');
	$node->safe_psql('other', 'CREATE EXTENSION idgen');
	my @before = nextvals($node, 100, database => 'other');
	$node->safe_psql('other', 'CREATE SCHEMA clerk AUTHORIZATION clerk');
	my %kinds = (
		'a temporary sequence' => 'SET ROLE clerk; BEGIN; CREATE TEMP SEQUENCE idgen_high_water_mark',
		'a sequence' => 'SET ROLE clerk; BEGIN; CREATE SEQUENCE clerk.idgen_high_water_mark');
	for my $kind (sort keys %kinds)
	{
		$node->restart;
		my $session = $node->background_psql('other', on_error_stop => 0);
		$session->query($kinds{$kind});
		my ($state, $out) = sqlstate_of($node, "SET statement_timeout = '3s'; SELECT snowflake_nextval()");
		is($state, '', "$kind that somebody has just made does not hold up the first ID");
		check_ids("$kind: the marks were read", \@before, [$out =~ /^(\d+)$/m]);
		$session->quit;
	}
	# Nor can a role that owns a database, or drops the extension in it and does not end the
	# transaction.
	for my $held ('ANALYZE pg_class', 'DROP EXTENSION idgen', 'LOCK TABLE pg_class IN ACCESS EXCLUSIVE MODE')
	{
		$node->restart;
		my $session = $node->background_psql('other', on_error_stop => 0);
		$session->query("BEGIN; $held");
		my ($state, $out) = sqlstate_of($node, "SET statement_timeout = '20s'; SELECT snowflake_nextval()");
		is($state, '', "$held in a transaction that is open");
		check_ids("$held: the marks were read", \@before, [ $out =~ /^(\d+)$/m ]);
		is($session->query("CREATE TABLE made (); SELECT 'made'; ROLLBACK"), 'made', 'and it goes on');
		$session->quit;
	}
	$node->stop;
}

done_testing();
