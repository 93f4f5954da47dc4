# Users' layouts and generators in a dump, on a standby, across a restart, and in several databases
# of one server.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('source', streaming => 1);
$node->safe_psql('postgres', q{
	SELECT idgen_create_layout('orders', 'timestamp:42, machine:6, sequence:15', epoch => '2024-01-01Z');
	SELECT idgen_create_layout('Big-1.0', 'timestamp:40, sequence:20, shard:3', tick => '10 ms', epoch => '2021-05-05 05:05:05.000005Z');
	SELECT idgen_create_generator('inherits', 'orders');
	SELECT idgen_create_generator('fixed', 'orders', machine_id => 7);
	SELECT idgen_create_generator('a_shard', 'Big-1.0', shard_id => 2);
	-- Names that sort before everything of idgen's, and expressions that decode while the data
	-- are loaded: a dump must bring what they need before the rows.
	CREATE SCHEMA aaa;
	CREATE TABLE aaa.aaa (
		id bigint PRIMARY KEY DEFAULT idgen_nextval('fixed'),
		made_at timestamptz GENERATED ALWAYS AS (idgen_timestamp(id, 'orders')) STORED,
		CHECK ((idgen_parse(id, 'orders')).machine_id = 7));
	CREATE INDEX ON aaa.aaa (idgen_timestamp(id, 'orders'));
	CREATE TABLE aaa.parts (id bigint DEFAULT idgen_nextval('a_shard'))
		PARTITION BY LIST (((idgen_parse(id, 'Big-1.0')).shard_id));
	CREATE TABLE aaa.part_2 PARTITION OF aaa.parts FOR VALUES IN (2);
	INSERT INTO aaa.aaa SELECT FROM generate_series(1, 2000);
	INSERT INTO aaa.parts SELECT FROM generate_series(1, 500);
	CREATE ROLE maker;
	GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO maker;
	SET ROLE maker;
	SELECT idgen_create_layout('theirs', 'timestamp:41, machine:2, sequence:20')});

my $all = q{SELECT layout, fields, tick, epoch, owner FROM idgen_layouts WHERE owner IS NOT NULL};
my $generators = q{SELECT * FROM idgen_generators WHERE owner IS NOT NULL};
my $rows = q{SELECT count(*), sum(id), min(made_at), max(made_at) FROM aaa.aaa};
my %expected = map { $_ => $node->safe_psql('postgres', $_) } ($all, $generators, $rows);
my $made = $node->safe_psql('postgres', 'SELECT max(id) FROM aaa.aaa');

# The dump brought the same layouts and generators, and they work.
sub is_whole
{
	my ($name, $database, $with_rows) = @_;
	is($node->safe_psql($database, $all), $expected{$all}, "$name: the layouts");
	is($node->safe_psql($database, $generators), $expected{$generators}, "$name: the generators");
	is($node->safe_psql($database, $rows), $expected{$rows}, "$name: the rows") if $with_rows;
	my ($state, $out) = sqlstate_of($node, 'INSERT INTO aaa.aaa DEFAULT VALUES RETURNING id',
		database => $database);
	is($state, '', "$name: the default works");
	cmp_ok($out, '>', $made, "$name: and goes on");
	is($node->safe_psql($database, q{
			SET idgen.machine_id = 9;
			SELECT machine_id FROM idgen_parse(idgen_nextval('inherits'), 'orders')}),
		9, "$name: an identity that is inherited is the settings'");
	return;
}

my $dir = $node->basedir;

# The binary form of a layout is its text, too.
$node->safe_psql('postgres', qq{
	COPY (SELECT value, layout FROM idgen_layouts) TO '$dir/layouts.bin' (FORMAT binary);
	CREATE TABLE copied (layout idgen_layout, name text);
	COPY copied FROM '$dir/layouts.bin' (FORMAT binary)});
is($node->safe_psql('postgres', 'SELECT count(*) - (SELECT count(*) FROM idgen_layouts), bool_and(layout = name::idgen_layout) FROM copied'),
	'0|t', 'layouts copied in binary form');
$node->safe_psql('postgres', 'DROP TABLE copied');

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('postgres') ], 'pg_dump');
my %servers = slurp_file("$dir/plain.sql") =~ /^CREATE SERVER (\S+) (.*?\));$/msg;
unlike($servers{idgen_inherits}, qr/machine_id/, 'an inherited identity does not travel');
like($servers{idgen_fixed}, qr/machine_id '7'/, 'a fixed one does');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql",
		$node->connstr('plain') ], 'restored');
is_whole('plain dump', 'plain', 1);

$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/parallel", $node->connstr('postgres') ],
	'pg_dump, parallel');
$node->safe_psql('postgres', 'CREATE DATABASE parallel');
$node->command_ok([ 'pg_restore', '-e', '-j3', '-d', $node->connstr('parallel'), "$dir/parallel" ],
	'restored by several sessions');
is_whole('parallel dump', 'parallel', 1);

$node->command_ok([ 'pg_dump', '-s', '-f', "$dir/schema.sql", $node->connstr('postgres') ],
	'pg_dump, schema only');
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/schema.sql",
		$node->connstr('bare') ], 'restored');
is_whole('schema only', 'bare', 0);

# The databases of a server share the positions of their ID spaces, even for layouts that each of
# them has created for itself.
{
	my @sessions = map { $node->background_psql($_, on_error_stop => 1) } qw(plain parallel bare);
	my (@ids, $steps_back);
	my $last = 0;
	for my $i (1 .. 60)
	{
		my $id = $sessions[ $i % 3 ]->query_safe(q{SELECT idgen_nextval('fixed')});
		$steps_back++ if $id <= $last;
		$last = $id;
	}
	is($steps_back, undef, 'three databases, one ID space: always upwards');
	$_->quit for @sessions;
}

# A standby decodes but does not generate. Once promoted, it generates.
{
	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	$standby->start;
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	is($standby->safe_psql('postgres', $all), $expected{$all}, 'standby: the layouts');
	is($standby->safe_psql('postgres', $rows), $expected{$rows}, 'standby: the rows');
	is($standby->safe_psql('postgres', q{SELECT count(*) FROM aaa.aaa WHERE idgen_timestamp(id, 'orders') = made_at}),
		2000, 'standby: decoding');
	my ($state) = sqlstate_of($standby, q{SELECT idgen_nextval('fixed')});
	is($state, '25006', 'standby: no generating');
	# A layout that the primary drops is gone there too, even for a session that has used it.
	my $session = $standby->background_psql('postgres', on_error_stop => 0);
	like($session->query(q{SELECT idgen_timestamp(5, 'theirs')}), qr/2020/, 'standby: decoded');
	$node->safe_psql('postgres', q{SELECT idgen_drop_layout('theirs')});
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	$session->query(q{SELECT idgen_timestamp(5, 'theirs')});
	like($session->{stderr}, qr/layout "theirs" does not exist/, 'standby: dropped by the primary');
	$session->quit;
	my @before = nextvals($node, 1000, generator => 'fixed');
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	$node->stop('immediate');
	$standby->promote;
	check_ids('promoted', \@before, [ nextvals($standby, 1000, generator => 'fixed') ]);
	$standby->stop;
}

# After a crash the generators exist, and their ID spaces continue above what they were.
$node->start;
my @before = nextvals($node, 3000, generator => 'a_shard');
kill_server($node);
$node->start;
check_ids('after a crash', \@before, [ nextvals($node, 3000, generator => 'a_shard') ]);

# Stored expressions contain the layout by value: no session, with or without the module, changes
# them through the layout's name.
{
	my $by = sub {
		my ($scan) = @_;
		return $node->safe_psql('plain', "SET enable_seqscan = @{[$scan eq 'index' ? 'off' : 'on']}; SET enable_bitmapscan = off;
			SET enable_indexscan = @{[$scan eq 'index' ? 'on' : 'off']};
			SELECT count(*) FROM aaa.aaa WHERE idgen_timestamp(id, 'timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z') > '2024-02-01Z'");
	};
	my $count = $node->safe_psql('plain', 'SELECT count(*) FROM aaa.aaa');
	$node->safe_psql('plain', 'ALTER SERVER idgen_orders RENAME TO hidden');
	my ($state) = sqlstate_of($node, q{SELECT idgen_timestamp(5, 'orders')}, database => 'plain');
	is($state, '42704', 'a renamed layout is not found');
	$node->safe_psql('plain', q{SELECT idgen_create_layout('orders', 'timestamp:40, sequence:3', tick => '10 ms', epoch => '1990-01-01Z')});
	is($by->($_), $count, "another layout of the name: by $_") for 'index', 'table';
	is($node->safe_psql('plain', q{SELECT machine_id FROM idgen_parse(idgen_nextval('fixed'), 'fixed')}), 7,
		'its generators go on');
	# A dump contains all of that, and restores it.
	$node->command_ok([ 'pg_dump', '-f', "$dir/renamed.sql", $node->connstr('plain') ], 'pg_dump after that');
	$node->safe_psql('postgres', 'CREATE DATABASE renamed');
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/renamed.sql",
			$node->connstr('renamed') ], 'restored');
	is($node->safe_psql('renamed', 'SELECT count(*) FROM aaa.aaa'), $count, 'with all rows');
	# If a later version builds in a layout of that name, the user's remains: its server comes with the
	# dump.
	$node->safe_psql('renamed', q{CREATE SERVER idgen_wide TYPE 'layout' FOREIGN DATA WRAPPER idgen
		OPTIONS (layout 'timestamp:41, sequence:22, tick:1ms, epoch:2020-01-01Z')});
	$node->command_ok([ 'pg_dump', '-f', "$dir/wide.sql", $node->connstr('renamed') ], 'pg_dump with a name of ours');
	$node->safe_psql('postgres', 'CREATE DATABASE wide');
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/wide.sql",
			$node->connstr('wide') ], 'restored');
	is($node->safe_psql('wide', q{SELECT 'wide'::idgen_layout}),
		'timestamp:41, sequence:22, tick:1ms, epoch:2020-01-01Z', q{the user's wins});
}

# Dropping the extension does not drop a user's layouts unless asked to.
{
	my ($state, $out, $err) = sqlstate_of($node, 'DROP EXTENSION idgen', database => 'bare');
	is($state, '2BP01', 'DROP EXTENSION refuses');
	like($err, qr/idgen_orders/, 'and names the layouts');
	($state) = sqlstate_of($node, 'DROP EXTENSION idgen CASCADE; CREATE EXTENSION idgen', database => 'bare');
	is($state, '', 'with CASCADE it is dropped, and made again');
	is($node->safe_psql('bare', $all), '', 'without them');
}
$node->stop;

done_testing();
