# Logical replication with several writers. With their own machine IDs nothing collides. With one
# machine ID on two servers, idgen_check_identity() reports it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $logical = "max_logical_replication_workers = 12\nmax_worker_processes = 24\n";

# A server that writes to its own partition of a table that it shares with the others.
sub new_writer
{
	my ($name, $number, $servers, %options) = @_;
	my $node = new_server($name,
		streaming => 'logical',
		conf => $logical . "idgen.machine_id = " . ($options{machine} // $number) . "\n"
		  . "track_commit_timestamp = " . ($options{tracked} // 'on') . "\n");
	$node->safe_psql('postgres', qq{
		CREATE TABLE orders (
			id bigint NOT NULL DEFAULT snowflake_nextval(),
			server int NOT NULL DEFAULT $number,
			item text,
			PRIMARY KEY (id, server)
		) PARTITION BY LIST (server);
	});
	$node->safe_psql('postgres',
		"CREATE TABLE orders_$_ PARTITION OF orders FOR VALUES IN ($_)")
	  for (1 .. $servers);
	$node->safe_psql('postgres', "CREATE PUBLICATION orders FOR TABLE orders_$number");
	return $node;
}

# Each subscribes to a publication of all others.
sub connect_writers
{
	my ($publication, $with, @nodes) = @_;
	for my $to (@nodes)
	{
		for my $from (grep { $_ != $to } @nodes)
		{
			my $name = subscription($publication, $from, $to);
			my $source = $from->connstr . ' dbname=postgres';
			$to->safe_psql('postgres',
				"CREATE SUBSCRIPTION $name CONNECTION '$source' PUBLICATION $publication $with");
		}
	}
	$_->wait_for_subscription_sync for @nodes;
	return;
}

sub subscription
{
	my ($publication, $from, $to) = @_;
	return join('_', $publication, $from->name, 'to', $to->name);
}

sub catch_up
{
	my ($publication, @nodes) = @_;
	for my $from (@nodes)
	{
		$from->wait_for_catchup(subscription($publication, $from, $_))
		  for grep { $_ != $from } @nodes;
	}
	return;
}

# Several sessions on each of the servers, all at once.
sub insert_at_once
{
	my ($name, $sql, @nodes) = @_;
	my $script = "$dir/insert.sql";
	unlink $script;
	append_to_file($script, $sql);
	my @runs;
	for my $node (@nodes)
	{
		my ($out, $err) = ('', '');
		push @runs,
		  [ $node,
			\$err,
			IPC::Run::start(
				[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', '4', '-j', '2',
					'-t', '50', '-f', $script, 'postgres' ],
				'<', \undef, '>', \$out, '2>', \$err) ];
	}
	for my $run (@runs)
	{
		my ($node, $err, $harness) = @$run;
		ok($harness->finish, "$name: sessions on " . $node->name) or diag($$err);
	}
	return;
}

# Every server has the same rows, none twice.
sub same_rows
{
	my ($name, $table, $count, @nodes) = @_;
	my %contents;
	for my $node (@nodes)
	{
		my $all = $node->safe_psql('postgres', "SELECT count(*), count(DISTINCT id) FROM $table");
		is($all, "$count|$count", "$name: all rows are on " . $node->name . ', with IDs of their own');
		$contents{ $node->safe_psql('postgres',
			"SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM $table o") } = 1;
	}
	is(scalar keys %contents, 1, "$name: the same rows on all servers");
	return;
}

# Returns the problems that idgen_check_identity() reports: the identities, and where it finds them.
sub problems
{
	my ($node, %options) = @_;
	my $table = $options{table} // 'orders';
	my $since = $options{since} ? ", since => '$options{since}'" : '';
	my $set = $options{set} // '';
	return $node->safe_psql('postgres', qq{
		$set;
		SELECT datacenter_id, machine_id, own, problem
		FROM idgen_check_identity('$table', 'id'$since) WHERE problem IS NOT NULL});
}

sub no_problem
{
	my ($name, $nodes, %options) = @_;
	is(problems($_, %options), '', "$name: no problem on " . $_->name) for @$nodes;
	return;
}

# Sets the machine ID, which new sessions have when this returns. Returns the time then, which is a
# tick after everything before.
sub change_machine
{
	my ($node, $machine) = @_;
	$node->append_conf('postgresql.conf', "idgen.machine_id = $machine\n");
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('idgen.machine_id') = '$machine'")
	  or die 'the machine ID does not change';
	my $now = $node->safe_psql('postgres', "SELECT clock_timestamp() + interval '2 ms'");
	$node->safe_psql('postgres', 'SELECT pg_sleep(0.01)');
	return $now;
}

my $came = "rows with this server's identity came from another server";
my $later = "IDs with this server's identity are later than any it made";

# Three servers with machine IDs of their own.
my @nodes = map { new_writer("server$_", $_, 3) } (1 .. 3);
my ($first, $second, $third) = @nodes;
connect_writers('orders', '', @nodes);

# From 16 on: a table that all of them write to.
my $both_ways = $first->safe_psql('postgres', 'SHOW server_version_num') >= 160000;
if ($both_ways)
{
	for my $node (@nodes)
	{
		$node->safe_psql('postgres', q{
			CREATE TABLE items (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item text);
			CREATE PUBLICATION items FOR TABLE items;
		});
	}
	connect_writers('items', 'WITH (origin = none, copy_data = false)', @nodes);
}
my @publications = $both_ways ? ('orders', 'items') : ('orders');
my %log_before = map { $_->name => -s $_->logfile } @nodes;
my $per_server = 4 * 50 * 20;

# A check during this takes nothing for another server's IDs; otherwise it would divide by zero.
my $check = q{\if :client_id = 0
SELECT 1 / (1 - sign(count(problem))) FROM idgen_check_identity('orders', 'id');
\endif
};
insert_at_once('own machine IDs',
	join('', map { "INSERT INTO $_ (item) SELECT 'tea' FROM generate_series(1, 20);\n" } @publications)
	  . $check,
	@nodes);
for my $table (@publications)
{
	catch_up($table, @nodes);
	same_rows("own machine IDs, $table", $table, 3 * $per_server, @nodes);
	no_problem("own machine IDs, $table", \@nodes, table => $table);
	is( $second->safe_psql('postgres', qq{
			SELECT machine_id, ids, own, replicated FROM idgen_check_identity('$table', 'id')}),
		join("\n", "1|$per_server|f|$per_server", "2|$per_server|t|0", "3|$per_server|f|$per_server"),
		"$table: the identities, and which rows came by replication");
}
is($_->safe_psql('postgres', 'SELECT count(*) FROM orders WHERE snowflake_machine(id) <> server'),
	0, 'the machine ID tells the server, on ' . $_->name)
  for @nodes;

# 19 counts errors of tables and of sequences apart.
my $version = $first->safe_psql('postgres', 'SHOW server_version_num');
my $errors = 'apply_error_count + ' . ($version >= 190000 ? 'sync_table_error_count' : 'sync_error_count');
$errors .= ' + confl_insert_exists' if $version >= 180000;
for my $node (@nodes)
{
	my $name = $node->name;
	my $subscriptions = 2 * @publications;
	ok( $node->poll_query_until('postgres',
			'SELECT count(DISTINCT subid) FROM pg_stat_subscription WHERE relid IS NULL AND pid IS NOT NULL',
			$subscriptions),
		"$name: all subscriptions are at work");
	is( $node->safe_psql('postgres', "SELECT count(*), sum($errors) FROM pg_stat_subscription_stats"),
		"$subscriptions|0", "$name: no conflict");
	unlike(substr(slurp_file($node->logfile), $log_before{$name}),
		qr/ERROR:|conflict detected/, "$name: no error in the log");
}

# Later than everything that arrived, wherever it was made.
for my $node (@nodes)
{
	$node->safe_psql('postgres', q{SELECT idgen_observe('snowflake', max(id)) FROM orders});
	is($node->safe_psql('postgres', 'SELECT snowflake_nextval() > max(id) FROM orders'),
		't', 'after idgen_observe() IDs are later than all others, on ' . $node->name);
}

# Rows that this server made and another one updated have the other's origin. They are no problem.
$first->safe_psql('postgres', q{
	SELECT pg_replication_origin_create('elsewhere');
	SELECT pg_replication_origin_session_setup('elsewhere');
	UPDATE orders SET item = 'milk' WHERE server = 1;
});
is( $first->safe_psql('postgres', q{
		SELECT replicated, problem IS NULL FROM idgen_check_identity('orders', 'id') WHERE own}),
	"$per_server|t", 'own rows that another server updated');
if ($both_ways)
{
	$second->safe_psql('postgres', "UPDATE items SET item = 'milk'");
	catch_up('items', @nodes);
	no_problem('rows that another server updated', \@nodes, table => 'items');
	same_rows('rows that another server updated', 'items', 3 * $per_server, @nodes);
}

# The second server gets the first one's machine ID by mistake. Its rows are in its own partition,
# whose primary key does not see the other's rows.
change_machine($second, 1);
insert_at_once('one machine ID',
	"INSERT INTO orders (item) SELECT 'tea' FROM generate_series(1, 20);\n", @nodes);
catch_up('orders', @nodes);
is($_->safe_psql('postgres', 'SELECT count(*) FROM orders'),
	6 * $per_server, 'one machine ID: nothing holds the rows up, on ' . $_->name)
  for @nodes;
is( $first->safe_psql('postgres', 'SELECT count(*) FROM orders WHERE server = 2 AND snowflake_machine(id) = 1'),
	$per_server, 'one machine ID: foreign IDs');
is(problems($first), "0|1|t|$came", 'one machine ID: found on the first server');
is(problems($second), "0|1|t|$came", 'one machine ID: found on the second server');
no_problem('one machine ID, a server that has another', [$third]);

note('duplicates that came by chance: ', $third->safe_psql('postgres',
	'SELECT count(*) FROM (SELECT FROM orders GROUP BY id HAVING count(*) > 1) duplicates'));

# The same ID twice. It needs no luck if both are ahead of the clock.
my $ahead = $first->safe_psql('postgres',
	"SELECT snowflake_min_id(clock_timestamp() + interval '1 h')");
my $twice = q{
	SET idgen.datacenter_id = 7;
	SET idgen.machine_id = 1;
	SET idgen.clock_regression = lead;
	SET idgen.max_clock_lead = '2h'};
my @same;
for my $node ($first, $second)
{
	push @same, $node->safe_psql('postgres', qq{
		$twice;
		DO \$\$BEGIN PERFORM idgen_observe('snowflake', $ahead); END\$\$;
		INSERT INTO orders (item) VALUES ('tea') RETURNING id});
}
is($same[0], $same[1], 'one machine ID: two servers make the same ID');
catch_up('orders', @nodes);
is( $_->safe_psql('postgres', "SELECT id, count(*) FROM orders WHERE id = $same[0] GROUP BY id"),
	"$same[0]|2", 'one machine ID: it is in the table twice, on ' . $_->name)
  for @nodes;
is(problems($_, set => $twice), "0|1|t|$came\n7|1|t|$came",
	'one machine ID: the one ID is found on ' . $_->name)
  for ($first, $second);
# One of the two gets a new ID, on the server that made it.
$first->safe_psql('postgres',
	"UPDATE orders SET id = snowflake_nextval() WHERE id = $same[0] AND server = 1");
catch_up('orders', @nodes);
is($_->safe_psql('postgres', "SELECT server FROM orders WHERE id = $same[0]"),
	2, 'one machine ID: the ID is of one row again, on ' . $_->name)
  for @nodes;

# Corrected. Old problems are still reported, and new rows are in order.
my $corrected = change_machine($second, 2);
insert_at_once('corrected',
	"INSERT INTO orders (item) SELECT 'tea' FROM generate_series(1, 20);\n", @nodes);
catch_up('orders', @nodes);
for my $node (@nodes)
{
	is( $node->safe_psql('postgres', qq{
			SELECT machine_id, ids, problem IS NULL
			FROM idgen_check_identity('orders', 'id', since => '$corrected')
			WHERE datacenter_id = 0}),
		join("\n", map { "$_|$per_server|t" } (1 .. 3)),
		'corrected: what is new has no problem on ' . $node->name);
}
is(problems($first), "0|1|t|$came\n7|1|t|$came",
	'corrected: what was before is still found on the first server');
is(problems($second), "0|1|t|$came", 'corrected: and on the second');

# In a table that is replicated both ways, the primary key stops the replication of the second of
# two equal IDs. The repair is that of docs/replication.md.
if ($both_ways)
{
	$second->safe_psql('postgres', 'CREATE TABLE moved (LIKE items)');
	my %offset = map { $_->name => -s $_->logfile } @nodes;
	my $id = $ahead + 1000;
	# Neither row has arrived when the other is made. The third server gets the first one's.
	my @held = ([ $second, $third ], [ $second, $first ], [ $first, $second ]);
	my $switch = sub {
		my ($on) = @_;
		$_->[1]->safe_psql('postgres',
			"ALTER SUBSCRIPTION " . subscription('items', @$_) . " $on")
		  for @held;
	};
	$switch->('DISABLE');
	$first->safe_psql('postgres', "INSERT INTO items VALUES ($id, 'of the first')");
	$second->safe_psql('postgres', "INSERT INTO items VALUES ($id, 'of the second')");
	$first->wait_for_catchup(subscription('items', $first, $third));
	$switch->('ENABLE');
	for my $to (@nodes)
	{
		ok( $to->poll_query_until('postgres',
				'SELECT sum(apply_error_count) > 0 FROM pg_stat_subscription_stats'),
			'both ways: the same ID stops the replication to ' . $to->name);
	}

	# The second server's row is removed, unseen by the others, and returns with a new ID.
	$second->safe_psql('postgres', qq{
		SELECT pg_replication_origin_create('mend');
		SELECT pg_replication_origin_session_setup('mend');
		WITH gone AS (DELETE FROM items WHERE id = $id RETURNING *) INSERT INTO moved SELECT * FROM gone;
	});
	for my $to ($first, $third)
	{
		my $name = subscription('items', $second, $to);
		my $finished = qr{finished at ([0-9A-F]+/[0-9A-F]+)};
		$to->wait_for_log($finished, $offset{ $to->name });
		my ($lsn) = substr(slurp_file($to->logfile), $offset{ $to->name }) =~ $finished;
		$to->safe_psql('postgres', "ALTER SUBSCRIPTION $name SKIP (lsn = '$lsn')");
	}
	$second->safe_psql('postgres',
		'INSERT INTO items SELECT snowflake_nextval(), item FROM moved');
	catch_up('items', @nodes);
	same_rows('both ways, mended', 'items', 3 * $per_server + 2, @nodes);
	is( $_->safe_psql('postgres', "SELECT item FROM items WHERE id = $id"),
		'of the first', 'both ways, mended: the ID is of one row, on ' . $_->name)
	  for @nodes;
}
$_->stop for @nodes;

# Without track_commit_timestamp only the position tells. Two servers with one machine ID.
my @pair = map { new_writer("pair$_", $_, 2, machine => 9, tracked => 'off') } (1 .. 2);
connect_writers('orders', '', @pair);
my $insert = "INSERT INTO orders (item) SELECT 'tea' FROM generate_series(1, 10)";
$pair[0]->safe_psql('postgres', $insert);
catch_up('orders', @pair);
no_problem('by the position: the one that made all IDs', [ $pair[0] ]);
is(problems($pair[1]), "0|9|t|$later", 'by the position: the one that made none');

# The server that made no IDs for longer finds those of the other.
for my $i (1, 0, 1)
{
	$pair[$i]->safe_psql('postgres', $insert);
	catch_up('orders', @pair);
	is(problems($pair[ 1 - $i ]), "0|9|t|$later", 'by the position: found on ' . $pair[ 1 - $i ]->name);
}
is( $pair[0]->safe_psql('postgres', q{
		SELECT bool_and(replicated IS NULL) FROM idgen_check_identity('orders', 'id')}),
	't', 'by the position: it is not known where rows come from');

$corrected = change_machine($pair[1], 10);
$_->safe_psql('postgres', $insert) for @pair;
catch_up('orders', @pair);
no_problem('by the position, corrected', \@pair, since => $corrected);
$pair[1]->safe_psql('postgres', $insert);
catch_up('orders', @pair);
no_problem('by the position, corrected, and another one is later', \@pair, since => $corrected);

# After a restart the server knows again what it may have made.
$_->restart for @pair;
no_problem('by the position, corrected, after a restart', \@pair, since => $corrected);

# A restored dump: its mark covers IDs that were made before.
$pair[0]->safe_psql('postgres', q{
	INSERT INTO orders (id) VALUES
		(idgen_compose('snowflake', clock_timestamp() + interval '10 min', 0, 9, NULL, 1))});
is(problems($pair[0]), "0|9|t|$later", 'by the position: rows of the future');
$pair[0]->safe_psql('postgres', q{
	INSERT INTO idgen_restore VALUES
		((extract(epoch FROM clock_timestamp() + interval '20 min') * 1000)::bigint::text::idgen_mark)});
no_problem('by the position: the mark covers them', [ $pair[0] ]);

$_->stop for @pair;
done_testing();
