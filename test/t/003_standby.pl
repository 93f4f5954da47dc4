# A streaming standby: it refuses to generate and it decodes. Once promoted it continues above
# everything that the old primary handed out.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Replay is compared with what the primary wrote, page by page.
my $primary = new_server('primary', streaming => 1, conf => "wal_consistency_checking = 'generic'\n");
$primary->safe_psql('postgres',
	'CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item int)');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
# Its clock is behind the primary's by less than the mark is ahead.
if (have_faketime()) { start_with_clock($standby, '-0.7'); }
else { $standby->start; }

$primary->safe_psql('postgres', 'INSERT INTO orders (item) SELECT generate_series(1, 5000)');
my @before = nextvals($primary, 5000);
$primary->wait_for_catchup($standby);

my $session = $standby->background_psql('postgres', on_error_stop => 0);
for (
	[ 'snowflake_nextval()', 'generate IDs' ],
	[ 'snowflake_nextval_batch(3)', 'generate IDs' ],
	[ "idgen_reserve('snowflake', 3)", 'generate IDs' ],
	[ "idgen_observe('snowflake', 1)", 'observe IDs' ],
	[ "idgen_check_identity('orders', 'id')", 'check identities' ],
	[ 'hlc_now()', 'generate IDs' ],
	[ 'hlc_observe(1)', 'observe HLC timestamps' ])
{
	my ($call, $what) = @$_;
	my ($state, $out, $err) = sqlstate_of($standby, "SELECT $call");
	is($state, '25006', "$call on a standby");
	like($err, qr/cannot $what during recovery/, "$call on a standby: the message");
	like($err, qr/HINT:.*primary/, "$call on a standby: the hint");
}
$session->query('SELECT snowflake_nextval()');
is( $standby->safe_psql(
		'postgres', 'SELECT count(snowflake_timestamp(id)) FROM orders'),
	5000, 'decoding works on a standby');

# A dump of the standby has the mark.
my $dumped = $standby->safe_psql('postgres', 'SELECT mark_ms FROM idgen_get_mark()');
my ($dump) = run_command([ 'pg_dump', '-d', $standby->connstr('postgres') ]);
like($dump, qr/^$dumped,0,-1$/m, 'a dump of a standby has the mark');

# The old primary goes on until the last moment. The mark is in the log before the IDs.
push @before, nextvals($primary, 5000);
$primary->wait_for_catchup($standby);
$primary->stop('immediate');
$standby->promote;
my @after = nextvals($standby, 5000, set => "SET idgen.max_clock_wait = '10s'");
check_ids('promotion', \@before, \@after);

# A session that connected to the standby, and failed then, works now.
like($session->query('SELECT snowflake_nextval()'),
	qr/^\d+$/, 'a session from before the promotion generates');
$session->quit;

$standby->safe_psql('postgres', 'INSERT INTO orders (item) SELECT generate_series(1, 5000)');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM orders'),
	10000, 'rows of both servers in one table');

$standby->stop;

# Synchronous replication: the standby's mark covers every ID that a client has, even in a
# transaction that writes nothing. While the standby is away, IDs end with the mark.
{
	my $node = new_server('sync', streaming => 1, conf => "idgen.reserve_window = '1s'\n");
	$node->backup('base');
	my $other = PostgreSQL::Test::Cluster->new('sync_standby');
	$other->init_from_backup($node, 'base', has_streaming => 1);
	if (have_faketime()) { start_with_clock($other, '-3600'); }
	else { $other->start; }
	$node->append_conf('postgresql.conf', "synchronous_standby_names = '*'\n");
	$node->reload;
	$node->poll_query_until('postgres', q{SELECT sync_state = 'sync' FROM pg_stat_replication})
	  or die 'the standby does not become synchronous';
	$node->safe_psql('postgres', 'CREATE ROLE hasty LOGIN; ALTER ROLE hasty SET synchronous_commit = off');
	my @ids = nextvals($node, 100);

	$other->stop('immediate');
	# One ID a call, in transactions of their own that write nothing, until one has to wait. A session
	# that asks for less than the server does changes nothing, neither for itself nor for others.
	my $local = $node->background_psql('postgres', on_error_stop => 0);
	$local->query("SET synchronous_commit = local; SET statement_timeout = '200ms'");
	my $state = '';
	for (1 .. 200)
	{
		push @ids, $local->query('SELECT snowflake_nextval()') =~ /^(\d+)$/m;
		($state, my $out) = sqlstate_of($node,
			"SET statement_timeout = '1s'; SELECT snowflake_nextval(); SELECT pg_sleep(0.05)");
		push @ids, $out =~ /^(\d+)$/m;
		last if $state ne '';
	}
	my ($status, $stdout, $stderr) = $node->psql('postgres',
		"SET statement_timeout = '1s'; SELECT snowflake_nextval()", extra_params => [ '-U', 'hasty' ]);
	like($stderr, qr/canceled while the high-water mark was being replicated/,
		'a role\'s own synchronous_commit does not count');
	$local->query('SELECT snowflake_nextval()');
	$local->quit;
	is($state, '57014', 'without the standby, IDs end with the mark that it has');
	cmp_ok(scalar @ids, '>', 100, 'there were some until then');
	($state) = sqlstate_of($node, "SET statement_timeout = '1s'; SELECT snowflake_nextval()");
	is($state, '57014', 'so they do for every session');
	is($node->safe_psql('postgres', 'SELECT snowflake_timestamp(0) IS NOT NULL'), 't', 'reading goes on');

	$node->stop('immediate');
	if (have_faketime()) { start_with_clock($other, '-3600'); }
	else { $other->start; }
	$other->promote;
	my @leading = nextvals($other, 1000,
		set => "SET synchronous_commit = local; SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '2h'");
	check_ids('promoted, an hour behind', \@ids, \@leading);
	$other->stop;

	# Nobody waits if the server's own setting does not ask for it, once it no longer asks, or once the
	# standby is back.
	$node->append_conf('postgresql.conf', "synchronous_commit = local\n");
	$node->start;
	is(scalar nextvals($node, 10), 10, 'synchronous_commit = local in the file');
	$node->append_conf('postgresql.conf', "synchronous_commit = on\n");
	$node->reload;
	$node->poll_query_until('postgres', q{SELECT current_setting('synchronous_commit') = 'on'});
	my $waits = $node->background_psql('postgres', on_error_stop => 0);
	$waits->query_until(qr/begun/, "\\echo begun\nSELECT 'made', snowflake_nextval();\n");
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'})
	  or die 'the session does not wait';
	$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
	$node->reload;
	like($waits->query('SELECT 1'), qr/made/, 'a session that waits goes on when replication is switched off');
	$waits->quit;
	$node->append_conf('postgresql.conf', "synchronous_standby_names = '*'\n");
	$node->reload;
	my $third = PostgreSQL::Test::Cluster->new('third');
	$third->init_from_backup($node, 'base', has_streaming => 1);
	$third->start;
	is(scalar nextvals($node, 20000), 20000, 'with a standby again');
	$node->safe_psql('postgres',
		'CREATE TABLE made AS SELECT snowflake_nextval() AS id FROM generate_series(1, 20000)');
	$third->stop;
	$node->stop;
}

done_testing();
