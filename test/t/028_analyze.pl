# IDs that are on several servers twice: three servers, one of which asks. What travels are digests and
# suspects, not the IDs, and what the servers were asked is seen in their logs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %nodes = map { $_ => new_server("shard$_", conf => "log_statement = all\n") } 1 .. 3;
my $asks = $nodes{1};
plan skip_all => 'postgres_fdw is not installed'
  unless $asks->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'});

# Machine IDs 1, 2 and 3, as it should be.
my $fill = q{INSERT INTO orders SELECT idgen_compose('snowflake', '2026-01-01Z'::timestamptz + n * interval '1 ms', 0, %d, NULL, 0)
	FROM generate_series(%d, %d) n};
for my $i (1 .. 3)
{
	$nodes{$i}->safe_psql('postgres', 'CREATE TABLE orders (id bigint PRIMARY KEY, note text); '
		  . sprintf($fill, $i, 1, 20000));
}
$asks->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw');
for my $i (2, 3)
{
	my ($host, $port) = ($nodes{$i}->host, $nodes{$i}->port);
	$asks->safe_psql('postgres', qq{
		CREATE SERVER shard$i FOREIGN DATA WRAPPER postgres_fdw
		  OPTIONS (host '$host', port '$port', dbname 'postgres', extensions 'idgen');
		CREATE USER MAPPING FOR CURRENT_USER SERVER shard$i;
		CREATE FOREIGN TABLE orders_$i (id bigint NOT NULL, note text) SERVER shard$i OPTIONS (table_name 'orders');
	});
}

# A query whose only condition is the machine.
my $all = qr/^\tSELECT id FROM public\.orders WHERE \(+id & \d+::bigint\) = ANY \('\{\d+\}'::bigint\[\]\)\)\)$/m;

# Finds collisions. Returns the rows, the messages, and what the other servers were asked.
sub find
{
	my (%options) = @_;
	my %before = map { $_ => -s $nodes{$_}->logfile } 2, 3;
	my ($status, $rows, $messages) = $asks->psql('postgres',
		"SELECT id, found_in FROM idgen_find_collisions('{orders,orders_2,orders_3}') ORDER BY id");
	is($status, 0, 'idgen_find_collisions() ran') or diag($messages);
	# Digests are in it, so no test prints it.
	my $asked = join('', map { slurp_file($nodes{$_}->logfile, $before{$_}) } 2, 3);
	return ($rows, $messages, $asked);
}

my ($rows, $messages, $asked) = find();
is($rows, '', 'no ID twice');
like($messages, qr/compared 0 IDs by 0 bytes of digests and 0 suspects/, 'nor anything to look at');
ok($asked =~ /^\tSELECT [^\n]*count\(\*\)[^\n]*GROUP BY/m, 'identities are counted by their servers');
ok($asked !~ /idgen_bloom/, 'no digest was made');

# Server 3 had server 1's machine ID for a while. Three IDs are the same, one is on all servers.
$nodes{3}->safe_psql('postgres', sprintf($fill, 1, 19998, 40000));
$nodes{2}->safe_psql('postgres', sprintf($fill, 1, 20000, 20000));
my $expected = $asks->safe_psql('postgres', q{
	SELECT id, CASE WHEN n = 20000 THEN '{orders,orders_2,orders_3}' ELSE '{orders,orders_3}' END
	FROM (SELECT n, idgen_compose('snowflake', '2026-01-01Z'::timestamptz + n * interval '1 ms', 0, 1, NULL, 0) AS id
	      FROM generate_series(19998, 20000) n) x ORDER BY id});
($rows, $messages, $asked) = find();
is($rows, $expected, 'all of them are found, with where they are');
my ($compared, $suspects) = $messages =~ /compared (\d+) IDs by \d+ bytes of digests and (\d+) suspects/;
is($compared, 20000 + 20003 + 1, 'only IDs of the shared machine ID are compared');
cmp_ok($suspects, '<', 400, "and few travel: $suspects");
ok($asked =~ /^\tSELECT [^\n]*idgen_bloom_agg\(/m, 'a digest is made by its server');
ok($asked =~ /^\tSELECT [^\n]* WHERE [^\n]*idgen_bloom_contains\(/m, 'suspects are found by their server');
ok($asked !~ $all, 'no server sent all of its IDs');

# Of a server that is not known to have idgen, all IDs of that machine come here.
$asks->safe_psql('postgres', 'ALTER SERVER shard3 OPTIONS (DROP extensions)');
($rows, $messages, $asked) = find();
is($rows, $expected, 'the result is the same if a server cannot help');
like($messages, qr/WARNING:  IDs of foreign table "orders_3" will be transferred/, 'but there is a warning');
ok($asked =~ $all, 'and they do');

# Other functions read foreign tables too.
is( $asks->safe_psql('postgres', q{SELECT identity, ids FROM idgen_analyze_identities('orders_2') ORDER BY 1}),
	"datacenter 0, machine 1|1\ndatacenter 0, machine 2|20000",
	'a foreign table is analyzed');
is($asks->safe_psql('postgres', q{SELECT sum(ids) FROM idgen_histogram('orders_3')}), 40003, 'and drawn');

# A server that is away is an error, not "no collisions".
$nodes{2}->stop;
my ($state) = sqlstate_of($asks, q{SELECT * FROM idgen_find_collisions('{orders,orders_2}')});
is($state, '08001', 'a server that is away');

$nodes{$_}->stop for 1, 3;
done_testing();
