# Partitions by time under load: no row is lost, whatever is made, moved or detached meanwhile. And
# pg_partman, where it is installed: what works with IDs, and what does not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('partitions', conf => "timezone = 'UTC'\n");
$node->safe_psql('postgres', 'CREATE EXTENSION idgen_tools');

# Inserts rows until told to stop. A row that waits for the default partition while another partition
# takes over its range fails: PostgreSQL says so, and the next attempt finds the new partition.
$node->safe_psql('postgres', q{
	CREATE TABLE visits (id bigint DEFAULT snowflake_nextval() PRIMARY KEY, page text) PARTITION BY RANGE (id);
	CREATE TABLE visits_default PARTITION OF visits DEFAULT;
	CREATE TABLE going (on_ boolean);
	CREATE PROCEDURE load(INOUT rows int, INOUT retries int) LANGUAGE plpgsql AS $$
	BEGIN
		WHILE EXISTS (SELECT FROM going) LOOP
			BEGIN
				INSERT INTO visits (page) SELECT 'p' || n FROM generate_series(1, 5) n;
				rows := rows + 5;
			EXCEPTION WHEN check_violation THEN
				retries := retries + 1;
			END;
			COMMIT;
		END LOOP;
	END $$;
});

# Runs statements beside two sessions that insert. Returns how many rows these committed.
sub under_load
{
	my ($name, @statements) = @_;
	$node->safe_psql('postgres', 'INSERT INTO going VALUES (true)');
	my @sessions = map { { out => '' } } 1 .. 2;
	$_->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', 'CALL load(0, 0)' ],
		'>', \$_->{out}, '2>', \$_->{err})
	  for @sessions;
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM visits');
	$node->poll_query_until('postgres', "SELECT count(*) > $before + 100 FROM visits");
	for my $statement (@statements)
	{
		my ($state, undef, $err) = sqlstate_of($node, $statement);
		is($state, '', "$name: $statement") or diag($err);
		my $so_far = $node->safe_psql('postgres', 'SELECT max(id) FROM visits');
		$node->poll_query_until('postgres', "SELECT max(id) > $so_far FROM visits");
	}
	$node->safe_psql('postgres', 'DELETE FROM going');
	$_->{run}->finish for @sessions;
	is(join('', map { $_->{err} } @sessions), '', "$name: no error but those of the moment");
	my $rows = 0;
	$rows += (split /\|/, $_->{out})[0] for @sessions;
	return $rows;
}

# The first partition is that of the rows, if the hour has not just begun: later ones find the default
# partition locked already.
my $hour = "date_trunc('hour', now() - interval '2 minutes')";
my $rows = under_load('a partition for rows of the default partition',
	"SELECT * FROM idgen_create_partitions('visits', $hour, $hour + interval '2 hours', '1 hour', move_default => true)");
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE page IS NULL) FROM visits'),
	"$rows|$rows|0", "all $rows rows are there");
is($node->safe_psql('postgres', 'SELECT count(*) FROM visits_default'), '0', 'none of them in the default partition');

$node->safe_psql('postgres', "SELECT * FROM idgen_create_partitions('visits', $hour - interval '3 hours', $hour, '1 hour')");
my $more = under_load('partitions made ahead, and old ones detached',
	"CALL idgen_maintain_partitions('visits', ahead => '6 hours', step => '1 hour', lock_timeout => '1 min')",
	"CALL idgen_maintain_partitions('visits', ahead => '9 hours', keep => '1 hour', lock_timeout => '1 min')",
	"CALL idgen_maintain_partitions('visits', ahead => '12 hours', keep => '1 hour', drop_old => true, lock_timeout => '1 min')");
is($node->safe_psql('postgres', 'SELECT count(*) FROM visits'), $rows + $more, "all $more more rows are there");
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM idgen_partitions WHERE parent = 'visits'::regclass"),
	'>=', 14, 'the partitions are there');

# Two of them at once, again and again: none fails, and each hour has one partition.
my @makers = map { { out => '' } } 1 .. 2;
my $calls = join('', map { "CALL idgen_maintain_partitions('visits', ahead => '" . (12 + 2 * $_) . " hours', lock_timeout => '1 min');\n" } 1 .. 5);
$_->{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
	'<', \"SET client_min_messages = warning;\n$calls", '>', \$_->{out}, '2>', \$_->{err})
  for @makers;
$_->{run}->finish for @makers;
is(join('', map { $_->{err} } @makers), '', 'two sessions keep the partitions at once');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT from_ts, lag(to_ts) OVER (ORDER BY from_ts) AS before FROM idgen_partitions WHERE NOT is_default) p
	WHERE before <> from_ts}), '0', 'the partitions have no gaps');

# A dump has the partitions and the encoders, which need no idgen_tools.
$node->safe_psql('postgres', q{
	CREATE SCHEMA codecs;
	SELECT idgen_create_encoders('uuidv7', 'v7', 'codecs'), idgen_create_encoders('ulid', 'ulid', 'codecs');
	SELECT idgen_create_encoders('sonyflake', 'sonyflake', 'codecs');
});
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'a dump is made');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ], 'a dump is restored');
is($node->safe_psql('restored', 'SELECT count(*) FROM visits'), $rows + $more, 'with its rows');
is($node->safe_psql('restored', q{
	DROP EXTENSION idgen_tools;
	SELECT codecs.v7_decoder(codecs.v7_encoder('2026-11-01Z')::text) = '2026-11-01Z'}), 't', 'and encoders');

# pg_partman.
SKIP:
{
	my $version = $node->safe_psql('postgres',
		"SELECT default_version FROM pg_available_extensions WHERE name = 'pg_partman'");
	skip 'pg_partman is not installed', 1 unless $version;
	my ($major, $minor) = $version =~ /^(\d+)\.(\d+)/;
	$node->safe_psql('postgres', 'CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman');

	# Ranges of integers, that are days.
	my $type = $major < 5 ? 'native' : 'range';
	$node->safe_psql('postgres', qq{
		CREATE TABLE ticks (id bigint DEFAULT snowflake_nextval() PRIMARY KEY) PARTITION BY RANGE (id);
		SELECT partman.create_parent('public.ticks', 'id', p_type => '$type', p_interval => (86400000::bigint << 22)::text,
			p_premake => 3, p_start_partition => snowflake_min_id(date_trunc('day', now(), 'UTC'))::text);
		INSERT INTO ticks SELECT snowflake_nextval() FROM generate_series(1, 10);
		SELECT partman.run_maintenance('public.ticks');
	});
	is($node->safe_psql('postgres', q{
		SELECT count(*) FILTER (WHERE to_ts - from_ts = '1 day' AND from_ts = date_trunc('day', from_ts)), count(*) FILTER (WHERE note IS NOT NULL),
			min(from_ts) FILTER (WHERE NOT is_default) <= now(), max(to_ts) > now() + interval '2 days'
		FROM idgen_partitions WHERE parent = 'ticks'::regclass}), '4|0|t|t', "pg_partman $version: ranges of integers are days");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM ONLY ticks_default'), '0', 'no row is in the default partition');
	is($node->safe_psql('postgres', q{
		SELECT count(*) FILTER (WHERE created), count(*) FROM idgen_create_partitions('ticks', date_trunc('day', now()), date_trunc('day', now()) + interval '6 days', '1 day')}),
		'2|6', "idgen goes on where pg_partman's partitions end");

	skip "pg_partman $version has no encoders", 1 if $major < 5 || ($major == 5 && $minor < 2);
	for my $kind ('v7', 'ulid')
	{
		my $maker = $kind eq 'v7' ? 'uuidv7' : 'ulid';
		$node->safe_psql('postgres', qq{
			CREATE TABLE $kind (id uuid DEFAULT ${maker}_nextval() PRIMARY KEY, made timestamptz DEFAULT clock_timestamp()) PARTITION BY RANGE (id);
			SELECT partman.create_parent('public.$kind', 'id', '1 month', p_premake => 3, p_time_encoder => 'codecs.${kind}_encoder',
				p_time_decoder => 'codecs.${kind}_decoder');
			INSERT INTO $kind SELECT FROM generate_series(1, 10);
			UPDATE partman.part_config SET premake = 5 WHERE parent_table = 'public.$kind';
			SELECT partman.run_maintenance('public.$kind');
		});
		is($node->safe_psql('postgres', qq{
			SELECT count(*) FILTER (WHERE to_ts - from_ts >= '28 days' AND from_ts = date_trunc('month', from_ts)), count(*) FILTER (WHERE note IS NOT NULL),
				max(to_ts) > now() + interval '5 months' FROM idgen_partitions WHERE parent = '$kind'::regclass}),
			'9|0|t', "pg_partman $version: months of $maker");
		is($node->safe_psql('postgres', "SELECT count(*) FROM ${kind}_default"), '0', "no $maker is in the default partition");
		is($node->safe_psql('postgres', qq{
			SELECT bool_and(i.child_start_time::timestamptz = p.from_ts) FROM idgen_partitions p,
				partman.show_partition_info('public.' || p.partition, p_parent_table => 'public.$kind') i
			WHERE p.parent = '$kind'::regclass AND NOT p.is_default}), 't', "pg_partman $version reads its bounds");
	}
	# Not for bigint yet: https://github.com/pgpartman/pg_partman/pull/730
	my ($state, undef, $err) = sqlstate_of($node, q{
		CREATE TABLE flakes (id bigint DEFAULT snowflake_nextval() PRIMARY KEY) PARTITION BY RANGE (id);
		SELECT partman.create_parent('public.flakes', 'id', '1 month', p_time_encoder => 'public.snowflake_min_id',
			p_time_decoder => 'public.snowflake_timestamp')});
	like($err, qr/can only be used with text\/uuid type control column/, "pg_partman $version refuses encoders for bigint");
}

$node->stop;
done_testing();
