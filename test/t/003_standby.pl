# A streaming standby: it refuses to generate, decodes, and once promoted goes on above
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
for my $call ('snowflake_nextval()', 'snowflake_nextval_batch(3)',
	"idgen_reserve('snowflake', 3)", "idgen_observe('snowflake', 1)")
{
	my ($state, $out, $err) = sqlstate_of($standby, "SELECT $call");
	is($state, '25006', "$call on a standby");
	like($err, qr/cannot generate IDs during recovery/, "$call on a standby: the message");
	like($err, qr/HINT:.*primary/, "$call on a standby: the hint");
}
$session->query('SELECT snowflake_nextval()');
is( $standby->safe_psql(
		'postgres', 'SELECT count(snowflake_timestamp(id)) FROM orders'),
	5000, 'decoding works on a standby');

# The old primary goes on until the last moment; the mark is in the log before the IDs.
push @before, nextvals($primary, 5000);
$primary->wait_for_catchup($standby);
$primary->stop('immediate');
$standby->promote;
my @after = nextvals($standby, 5000, set => "SET idgen.max_clock_wait = '10s'");
check_ids('promotion', \@before, \@after);

# A session that was connected while it was a standby, and failed then, works now.
like($session->query('SELECT snowflake_nextval()'),
	qr/^\d+$/, 'a session from before the promotion generates');
$session->quit;

$standby->safe_psql('postgres', 'INSERT INTO orders (item) SELECT generate_series(1, 5000)');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM orders'),
	10000, 'rows of both servers in one table');

$standby->stop;
done_testing();
