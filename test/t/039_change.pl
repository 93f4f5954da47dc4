# A generator goes over to other layouts while everybody writes: on a server that is killed, under a
# clock that steps, and past a session that does not hear of the change in time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use ChangeTest;
use IdgenTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my $machine = 11;

my $node = new_server('change', clock => '+0', streaming => 1, conf => <<'END');
idgen.max_clock_wait = '20s'
idgen.reserve_window = '200ms'
restart_after_crash = off
max_prepared_transactions = 5
END
$node->safe_psql('postgres', "SELECT idgen_create_generator('orders', 'snowflake', machine_id => $machine)");

# A change at the first instant from then on at which it is possible.
sub change
{
	my ($generator, $to, $ahead) = @_;
	return "SELECT extract(epoch FROM idgen_change_layout('$generator', '$to', "
	  . "(idgen_check_change('$generator', '$to', clock_timestamp() + interval '$ahead')).earliest))";
}

# --- Ten changes in a row ----------------------------------------------------------------------

my $changes = 10;
my %kill_after = (2 => 1, 5 => 1, 8 => 1);
my @at;
start_clients($node, $machine);
for my $change (1 .. $changes)
{
	my $to = $LAYOUTS[ $change % @LAYOUTS ];
	push @at, $node->safe_psql('postgres', change('orders', $to, '1200 ms'));
	if ($kill_after{$change})
	{
		end_clients($node);
		kill_server($node);
		start_with_clock($node, $change == 5 ? '-0.8' : '+0');
		start_clients($node, $machine);
	}
	set_clock($node, ('+0', '-0.5', '+0.3', '-0.2')[ $change % 4 ]) if $change % 3 == 0;
	my ($left) = map { $_ + 0.3 } $node->safe_psql('postgres', "SELECT $at[-1] - extract(epoch FROM clock_timestamp())");
	sleep($left) if $left > 0;
}
set_clock($node, '+0');
sleep(0.3);
end_clients($node);

my $layout = $node->safe_psql('postgres', "SELECT layout FROM idgen_generators WHERE generator = 'orders'");
is(scalar(split(/ until /, $layout)), $changes + 1, 'all layouts are there');

check_made($node, @at);

# --- A server whose clock was set back after the change, and a restart ---------------------------

my @before = nextvals($node, 100, generator => 'orders');
$node->stop('fast');
start_with_clock($node, '-5');
check_ids('a restart before the last change', \@before, [ nextvals($node, 100, generator => 'orders') ]);
$node->stop('fast');
start_with_clock($node, '+0');

# --- Mode lead: IDs are ahead of the clock when they come to the instant -------------------------------

# 16 IDs in a tick: enough of them take the generator past the instant long before the clock.
my ($few, $other) = map { "timestamp:41, $_, tick:1ms, epoch:2020-01-01Z" } 'machine:16, sequence:4', 'sequence:4, machine:16';
$node->safe_psql('postgres', "SELECT idgen_create_generator('lead', '$few', machine_id => 515)");
my @ahead = nextvals($node, 100, generator => 'lead');
set_clock($node, '-3');
my $lead_at = $node->safe_psql('postgres', change('lead', $other, '4 s'));
push @ahead, nextvals($node, 30_000, generator => 'lead', set => 'SET idgen.clock_regression = lead');
set_clock($node, '+0');
check_ids('mode lead', map { [$_] } @ahead);
my $made = join(',', @ahead);
is( $node->safe_psql('postgres', "SELECT count(*) FILTER (WHERE idgen_timestamp(id, 'lead') < to_timestamp($lead_at)) > 0
	AND count(*) FILTER (WHERE idgen_timestamp(id, 'lead') >= to_timestamp($lead_at)) > 0
	AND bool_and((idgen_parse(id, 'lead')).machine_id = 515) FROM unnest(ARRAY[$made]) id"), 't',
	'IDs of both layouts, each of its own');

# --- Many shards, and sessions that come to them late ---------------------------------------------

$node->safe_psql('postgres', "SELECT idgen_create_generator('shards', 'instagram')");
my $old_session = $node->background_psql('postgres');
my $shards = "SELECT idgen_nextval('shards', s) FROM generate_series(1, 60) s";
# Ten of them are not used before the change.
my @runs = ([ split(/\n/, $old_session->query_safe("$shards WHERE s <= 50")) ]);
$node->safe_psql('postgres',
	change('shards', 'timestamp:39, shard:14, sequence:10, tick:2ms, epoch:2011-08-24T21:07:01.721Z', '1 s'));
sleep(1.2);
push @runs, [ nextvals_of($shards) ];
# The clock goes back to before the change. Another session has used the new layout: so all do, the one that was
# there before and one that comes to new shards.
set_clock($node, '-3');
push @runs, [ split(/\n/, $old_session->query_safe("$shards WHERE s <= 50")) ];
set_clock($node, '-6');
push @runs, [ nextvals_of("$shards ORDER BY s DESC") ];
$runs[-1] = [ reverse(@{ $runs[-1] }) ];
set_clock($node, '+0');
my %last;
my $back = 0;
for my $run (@runs)
{
	is(scalar(@$run), $run == $runs[0] || $run == $runs[2] ? 50 : 60, 'IDs of all shards');
	for my $shard (0 .. $#$run)
	{
		$back++ if $run->[$shard] <= ($last{$shard} // 0);
		$last{$shard} = $run->[$shard];
	}
}
is($back, 0, 'IDs of each shard grow');
is($node->safe_psql('postgres', "SELECT idgen_parse($runs[3][41], 'shards')") =~ /,42,/ ? 1 : 0, 1, 'the shard is read');
$old_session->quit;

sub nextvals_of { return split(/\n/, $node->safe_psql('postgres', $_[0])); }

# --- A layout that ends, and one that does not -------------------------------------------------------

# It ends in three seconds. Nobody notices when it does.
my ($ms) = $node->safe_psql('postgres', 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 3000');
my $bits = 36;
my $epoch = ($ms - 2**$bits) * 1000;
my ($short, $long) = map { "timestamp:$_, machine:8, sequence:12, tick:1ms, epoch:${epoch}us" } $bits, 43;
$node->safe_psql('postgres', "SELECT idgen_create_generator('short', '$short')");
like((sqlstate_of($node, "SELECT idgen_change_layout('short', '$short')"))[2], qr/has no IDs from/, 'not to itself');
my $end = $node->safe_psql('postgres', "SELECT extract(epoch FROM idgen_change_layout('short', '$long', to_timestamp($ms / 1000.0)))");
my $user = $node->background_psql('postgres');
my @life;
push @life, [ split(/\n/, $user->query_safe("SELECT idgen_nextval('short') FROM generate_series(1, 100)")) ] and sleep(0.2)
  while time < $end + 0.5;
check_ids('the end of a layout', @life);
is($node->safe_psql('postgres', "SELECT idgen_timestamp($life[-1][0], 'short') > to_timestamp($end)"), 't', 'it is over');
$user->quit;

# --- A session that does not hear of it -----------------------------------------------------------

# A transaction has announced its change and is still being committed: it waits for the lock of NOTIFY,
# which a stopped backend holds that itself was about to commit.
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\n");
$node->reload;
my $stopped = $node->background_psql('postgres');
my $stopped_pid = $stopped->query_safe('SELECT pg_backend_pid()');
$stopped->query_until(qr/sent/, "\\echo sent\nBEGIN; NOTIFY anybody; CREATE TABLE noticed (); COMMIT;\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
  or die 'NOTIFY does not wait for a standby';
kill('STOP', $stopped_pid);
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
my $deaf = $node->background_psql('postgres');
$deaf->query_safe("SELECT idgen_nextval('orders')");
my $committer = $node->background_psql('postgres');
my $to = $LAYOUTS[ ($changes + 1) % @LAYOUTS ];
$committer->query_until(qr/sent/,
	"\\echo sent\nBEGIN; NOTIFY anybody;\n" . change('orders', $to, '1 s') . ";\nCOMMIT;\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'object' AND NOT granted")
  or die 'the change does not wait for the lock';
my @still = split(/\n/, $deaf->query_safe("SELECT idgen_nextval('orders') FROM generate_series(1, 100)"));
sleep(1.2);
# Its instant is over. Whoever wants an ID now has to wait until it is clear which layout it is of.
my $asked = IPC::Run::start(
	[ 'psql', '-X', '-q', '-A', '-t', '-h', $node->host, '-p', $node->port,
		'-c', "SELECT idgen_nextval('orders')", 'postgres' ],
	'>', \my $answer, '2>', \my $complaint);
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
  or die 'nobody waits for the change';
is($node->safe_psql('postgres', "SET statement_timeout = '60s'; SELECT snowflake_nextval() > 0"), 't',
	'other generators go on');
kill('CONT', $stopped_pid);
$asked->finish;
my $heard = $deaf->query_safe("SELECT idgen_nextval('orders')");
for my $id ($answer, $heard)
{
	chomp($id);
	is($node->safe_psql('postgres', "SELECT (idgen_parse($id, '$to')).machine_id"), $machine,
		'an ID of the new layout');
}
check_ids('all of them', \@still, [ $answer, $heard ]);
$_->quit for $deaf, $committer, $stopped;

# --- Another database uses the same ID space, for longer --------------------------------------------

$node->safe_psql('postgres', "CREATE DATABASE other");
$node->safe_psql('other', 'CREATE EXTENSION idgen');
$node->safe_psql($_, "SELECT idgen_create_generator('both', 'snowflake', machine_id => 12)") for 'postgres', 'other';
my $apart = 'timestamp:41, sequence:14, machine:8, tick:1ms, epoch:2020-01-01Z';
my $both_at = $node->safe_psql('postgres', change('both', $apart, '2 s'));
$node->safe_psql('other', "SELECT idgen_observe('both', snowflake_max_id(to_timestamp($both_at) + interval '5 s'))");
my $observed = $node->safe_psql('postgres', "SELECT idgen_observe('both', snowflake_min_id(to_timestamp(0) + interval '51 years'))");
my $next = $node->safe_psql('postgres', "SELECT idgen_nextval('both')");
is($node->safe_psql('postgres', "SELECT machine_id FROM idgen_parse($next, '$apart')"), 12, 'the next ID is of the next layout');
cmp_ok($next, '>', $observed, 'and greater than what idgen_observe() has returned');

$node->stop;
done_testing();
