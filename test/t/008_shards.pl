# Shards: all of them on one server, a shard that moves to a server whose clock is behind, and a
# partitioned table with some of its servers away. The SQL is that of the examples.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = "$FindBin::RealBin/../../examples/sharding";
my $dir = PostgreSQL::Test::Utils::tempdir();

# Runs a file of the examples. The other arguments are psql variables.
sub run_example
{
	my ($node, $file, %variables) = @_;
	my ($out, $err);
	IPC::Run::run(
		[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
			(map { ('-v', "$_=$variables{$_}") } sort keys %variables), '-f', "$examples/$file" ],
		'>', \$out, '2>', \$err) or die "$file: $err";
	return;
}

sub bytes_in
{
	my ($folder) = @_;
	my $bytes = 0;
	$bytes += -s $_ for glob("$folder/mmap.*");
	return $bytes;
}

# All 8,192 shards on one server, from eight sessions at once, without any setting.
{
	my $node = new_server('all_shards', conf => "dynamic_shared_memory_type = mmap\n");
	my $shared = $node->data_dir . '/pg_dynshmem';
	$node->safe_psql('postgres', q{
		CREATE TABLE ids (id bigint PRIMARY KEY);
		SELECT count(instagram_nextval(shard)) FROM generate_series(0, 15) AS shard;
	});
	my $few = bytes_in($shared);
	append_to_file("$dir/all.sql", q{
		INSERT INTO ids SELECT instagram_nextval((shard + 1024 * :client_id) % 8192)
		FROM generate_series(0, 8191) AS shard;
	});
	$node->command_ok(
		[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', '8', '-j', '2', '-t', '3',
			'-f', "$dir/all.sql", 'postgres' ],
		'eight sessions, each with all shards');
	my $per_shard = q{SELECT count(*), min(n), max(n)
		FROM (SELECT count(*) AS n FROM ids GROUP BY instagram_shard(id)) AS shards};
	is($node->safe_psql('postgres', $per_shard), '8192|24|24', 'every shard has its IDs');

	# The slot, what is counted of it, and the directory of slots.
	my $all = bytes_in($shared);
	cmp_ok($all - $few, '<=', 8192 * 800, "shared memory: $few bytes for 16 shards, $all for all");
	$node->safe_psql('postgres',
		'SELECT count(instagram_nextval(shard % 8192)) FROM generate_series(0, 16383) AS shard');
	is(bytes_in($shared), $all, 'and no more for more IDs');

	kill_server($node);
	$node->start;
	is($node->safe_psql('postgres', q{
			SELECT count(*), bool_and(instagram_nextval(shard) > last)
			FROM (SELECT instagram_shard(id) AS shard, max(id) AS last FROM ids GROUP BY 1) AS shards}),
		'8192|t', 'after a crash all of them go on above their last ID');
	$node->stop;
}

# A shard moves to a server whose clock is an hour behind. A dump of one schema has no mark.
SKIP:
{
	skip 'libfaketime is not installed', 1 unless have_faketime();

	my $old = new_server('old');
	run_example($old, 'schemas.sql');
	$old->safe_psql('postgres', 'SELECT create_shard(5), create_shard(6)');
	my $insert = q{INSERT INTO shard_0005.orders (customer) SELECT 'ann' FROM generate_series(1, 1000) RETURNING id};
	my @before = split /\n/, $old->safe_psql('postgres', $insert);

	# A transaction that has written is waited for and is part of the move.
	my $insert_one = q{INSERT INTO shard_0005.orders (customer) VALUES ('ann') RETURNING id};
	my $writer = $old->background_psql('postgres');
	push @before, $writer->query_safe("BEGIN; $insert_one");
	my ($last, $errors) = ('', '');
	my $closing = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $old->connstr('postgres'), '-c', 'SELECT close_shard(5)' ],
		'>', \$last, '2>', \$errors);
	$old->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'})
	  or die 'close_shard() does not wait';
	# A client has seen the last IDs, but no row has them.
	push @before, split /\n/, $writer->query_safe(
		"SAVEPOINT one; $insert_one; $insert_one; ROLLBACK TO one; COMMIT");
	$writer->quit;
	$closing->finish;
	chomp $last;
	is($last, $before[-1], 'close_shard() waits for writers, and returns the last ID');
	is(($old->psql('postgres', 'SELECT close_shard(5)'))[1], $last, 'and the same when it is called again');

	my ($state) = sqlstate_of($old, $insert);
	is($state, '25006', 'the old server takes no rows of a closed shard');
	is($old->safe_psql('postgres', 'SELECT count(*) FROM shard_0005.orders'), 1001,
		'reading goes on');
	isnt($old->safe_psql('postgres', q{INSERT INTO shard_0006.orders (customer) VALUES ('bob') RETURNING id}),
		'', 'and so do other shards');
	$old->restart;
	($state) = sqlstate_of($old, $insert);
	is($state, '25006', 'closed is closed, also after a restart');
	($state) = sqlstate_of($old, 'SELECT drop_shard(6)');
	is($state, 'P0001', 'an open shard is not dropped');

	my $new = PostgreSQL::Test::Cluster->new('new');
	$new->init;
	start_with_clock($new, '-3600');
	run_example($new, 'schemas.sql');
	$old->command_ok(
		[ 'pg_dump', '-n', 'shard_0005', '-f', "$dir/shard.dump", '-d', $old->connstr('postgres') ],
		'pg_dump of one schema');
	$new->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-1', '-f', "$dir/shard.dump", '-d',
			$new->connstr('postgres') ], 'restored');

	($state) = sqlstate_of($new, $insert);
	is($state, '25006', 'the shard arrives closed');
	# What happens without open_shard(): nothing else remembers the old IDs.
	my @naive = split /\n/,
	  $new->safe_psql('postgres', "BEGIN; DROP TRIGGER closed ON shard_0005.orders; $insert; ROLLBACK");
	cmp_ok($naive[0], '<', $before[0], 'without open_shard() the IDs would go back an hour');

	($state) = sqlstate_of($new, "SELECT open_shard(5, $last)");
	is($state, '22023', 'open_shard() is refused: the last ID is too far ahead of the clock');
	($state) = sqlstate_of($new, $insert);
	is($state, '25006', 'and the shard stays closed');
	($state) = sqlstate_of($new, 'SELECT open_shard(5, 6 << 10)');
	is($state, 'P0001', 'an ID of another shard is refused');

	my $lead = "SET idgen.max_clock_lead = '2h'";
	$new->safe_psql('postgres', "$lead; SELECT open_shard(5, $last)");
	($state) = sqlstate_of($new, "SET idgen.max_clock_wait = '100ms'; $insert");
	is($state, '58000', 'opened by force, the shard waits for the clock');
	my @runs = (\@before);
	push @runs, [ split /\n/, $new->safe_psql('postgres', "$lead; SET idgen.clock_regression = lead; $insert") ];
	check_ids('IDs that run ahead of the clock', @runs);

	# The new server's own mark remembers them.
	kill_server($new);
	start_with_clock($new, '-3600');
	($state) = sqlstate_of($new, "SET idgen.max_clock_wait = '100ms'; $insert");
	is($state, '58000', 'after a crash it still waits for the clock');
	push @runs, [ split /\n/, $new->safe_psql('postgres', "$lead; SET idgen.clock_regression = lead; $insert") ];
	set_clock($new, '+0');
	push @runs, [ split /\n/, $new->safe_psql('postgres', "SET idgen.max_clock_wait = '10s'; $insert") ];
	check_ids('after a crash, and when the clock is right', @runs);
	is($new->safe_psql('postgres', 'SELECT count(*), count(DISTINCT instagram_shard(id)) FROM shard_0005.orders'),
		'4001|1', 'all rows are there, in one shard');

	$old->safe_psql('postgres', 'SELECT drop_shard(5)');
	($state) = sqlstate_of($old, $insert);
	is($state, '42P01', 'on the old server there is nothing left that makes IDs of it');
	$new->stop;
	$old->stop;
}

# One server of the partitioned table is up, the two others are away.
SKIP:
{
	my $node = new_server('alone');
	skip 'postgres_fdw is not installed', 1
	  unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'});
	run_example($node, 'fdw.sql', server => 1,
		map { ("host$_" => $node->host, "port$_" => $node->port + ($_ > 1 ? 10000 : 0)) } 1 .. 3);

	# Customers of server 1 are served. Those of others get errors, not "no rows".
	my $customers = q{FROM (SELECT 'customer ' || n AS customer FROM generate_series(1, 3000) AS n) AS c};
	my $own = 'WHERE idgen_shard(customer, 2048) * 4 < 2732';
	$node->safe_psql('postgres', "INSERT INTO orders SELECT order_id(customer), customer $customers $own");
	my $id = $node->safe_psql('postgres', 'SELECT max(id) FROM orders_1');
	is($node->safe_psql('postgres', "SELECT count(*) FROM get_order($id)"), 1, 'an ID of this server is found');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM orders_of('bob')}), 0, 'and a customer looked for');
	my ($state) = sqlstate_of($node, 'SELECT * FROM get_order(3000 << 10)');
	is($state, '08001', 'an ID of a server that is away is an error');
	($state) = sqlstate_of($node, "INSERT INTO orders SELECT order_id(customer), customer $customers");
	is($state, '08001', 'so is a row for it');

	# Even a plan that is made before the ID is known asks only one server.
	my $plan = $node->safe_psql('postgres', qq{
		SET plan_cache_mode = force_generic_plan;
		PREPARE find(bigint) AS SELECT * FROM get_order(\$1);
		EXPLAIN (COSTS OFF) EXECUTE find($id);});
	like($plan, qr/Subplans Removed: 2/, 'a generic plan leaves the other partitions out');
	unlike($plan, qr/Foreign Scan/, 'and asks no other server');

	# IDs of another server's partition are refused where they do not belong.
	($state) = sqlstate_of($node, q{INSERT INTO orders_1 VALUES (instagram_nextval(2732), 'eve', 'tea')});
	is($state, '23514', 'a row of another partition');
	$node->stop;
}

done_testing();
