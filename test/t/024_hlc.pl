# The hybrid logical clock: three servers that exchange messages through tables while their clocks are
# up to the maximum offset apart, step, and while servers crash; and messages that must be refused.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

# Clocks differ by this at most, in seconds, and are never behind the real one.
use constant OFFSET => 0.49;
srand(20261126);

my @nodes = map {
	new_server($_,
		clock => '+0',
		conf => "idgen.reserve_window = '2s'\nidgen.max_clock_wait = '10s'\nidgen.max_clock_step = '1min'\n")
} ('a', 'b', 'c');
my @sessions;

sub connect_to { $sessions[ $_[0] ] = $nodes[ $_[0] ]->background_psql('postgres', on_error_stop => 0); return; }

# Runs a query in the session of a server.
sub ask
{
	my ($who, $sql) = @_;
	my $result = $sessions[$who]->query($sql);
	chomp $result;
	return $result;
}

for my $who (0 .. 2)
{
	$nodes[$who]->safe_psql('postgres',
		'CREATE TABLE sent (hlc bigint PRIMARY KEY DEFAULT hlc_now()); CREATE TABLE received (hlc bigint, seen bigint)');
	connect_to($who);
}

# --- Causal order --------------------------------------------------------------------------------

my @last = (0, 0, 0);
my ($messages, $steps_back, $before_send, $too_far_ahead, $refused) = (0, 0, 0, 0, 0);

# Something that a server's clock said.
sub note_time
{
	my ($who, $hlc) = @_;
	if ($hlc !~ /^\d+$/) { $refused++; return; }
	$steps_back++ if $hlc <= $last[$who];
	$too_far_ahead++ if ($hlc >> 17) > (time() + OFFSET) * 1000;
	$last[$who] = $hlc;
	return;
}

sub exchange
{
	my ($rounds) = @_;
	for my $round (1 .. $rounds)
	{
		my $from = int(rand(3));
		my $to = ($from + 1 + int(rand(2))) % 3;
		set_clock($nodes[ int(rand(3)) ], sprintf('+%.3f', rand(OFFSET))) if rand() < 0.2;
		my $sent = ask($from, 'INSERT INTO sent DEFAULT VALUES RETURNING hlc');
		note_time($from, $sent);
		note_time($to, ask($to, 'SELECT hlc_now()')) if rand() < 0.3;
		my $seen = ask($to, "INSERT INTO received VALUES ($sent, hlc_observe($sent)) RETURNING seen");
		note_time($to, $seen);
		$before_send++ if $seen <= $sent;
		$messages++;
	}
	return;
}

# At first as far apart as they may be: the fast one makes all of them run ahead.
set_clock($nodes[0], '+' . OFFSET);
exchange(150);

# A server that crashes, whose clock is slower then. Its marks lie ahead of all clocks. It must not be
# so itself: others would refuse what it sends.
set_clock($nodes[0], '+' . OFFSET);
note_time(0, ask(0, 'SELECT hlc_now()'));
$sessions[0]->quit;
kill_server($nodes[0]);
start_with_clock($nodes[0], '+0');
connect_to(0);
my $first = ask(0, 'SELECT hlc_now()');
note_time(0, $first);
cmp_ok($first >> 17, '<=', time() * 1000, 'after a crash it is not ahead of the clock');
exchange(50);

# A clean restart.
$sessions[1]->quit;
restart_with_clock($nodes[1], '+0');
connect_to(1);
exchange(50);

is($messages, 250, 'messages were exchanged');
is($refused, 0, 'none was refused');
is($before_send, 0, 'every receive is after its send');
is($steps_back, 0, 'no clock went back');
is($too_far_ahead, 0, 'none is ahead of the fastest clock');
is($nodes[$_]->safe_psql('postgres', 'SELECT count(*) FROM received WHERE seen <= hlc'), 0, "server $_: what the table says")
  for 0 .. 2;

# --- Too far ahead --------------------------------------------------------------------------------

set_clock($nodes[$_], '+0') for 0, 1;
set_clock($nodes[2], '+5');
my $ahead = ask(2, 'SELECT hlc_now()');
my $before = ask(0, 'SELECT hlc_now()');
my ($state, $out, $err) = sqlstate_of($nodes[0], "SELECT hlc_observe($ahead)");
is($state, '22023', 'a message of a clock that is 5 s ahead');
like($err, qr/ERROR: .*HLC timestamp $ahead is [45]\.\d{3} s ahead of the clock/, 'too far ahead: the message');
like($err, qr/DETAIL: .*idgen\.max_clock_offset is 500 ms/, 'too far ahead: the detail');
like($err, qr/HINT: .*time synchronization/, 'too far ahead: the hint');
my $after = ask(0, 'SELECT hlc_now()');
ok($after > $before && $after < $ahead, 'nothing has moved');
ok(ask(2, "SELECT hlc_observe($after)") > $ahead, 'the fast one hears the others');

# It is set right, and is further ahead of its own clock now than it may be.
set_clock($nodes[2], '+0');
($state, $out, $err) = sqlstate_of($nodes[2], "SET idgen.max_clock_wait = '50ms'; SELECT hlc_now()");
is($state, '58000', 'a clock that went back too far');
like($err, qr/clock is [345]\.\d{3} s behind the next ID of generator "hlc"/, 'a clock that went back: the message');
like($err, qr/HINT: .*idgen\.max_clock_wait and idgen\.max_clock_offset say/, 'a clock that went back: the hint');
is((sqlstate_of($nodes[2], 'SELECT snowflake_nextval()'))[0], '', 'IDs do not depend on it');
ok(ask(2, "SET idgen.max_clock_offset = '10s'; SELECT hlc_now()") =~ /(\d+)$/ && $1 > $ahead, 'it goes on from there');

# A step forward that nobody has accepted: what is near that clock is not received.
my $real = ask(0, 'SELECT hlc_now()');
set_clock($nodes[0], '+3600');
is((sqlstate_of($nodes[0], 'SELECT hlc_now()'))[0], '55000', 'a step that is not accepted');
is((sqlstate_of($nodes[0], "SELECT hlc_observe(hlc_min_id(clock_timestamp() + '100 ms'))"))[0],
	'55000', 'and no message is received by that clock');
set_clock($nodes[0], '+0');
my $now = ask(0, 'SELECT hlc_now()');
ok($now > $real && ($now >> 17) <= (time() + OFFSET) * 1000, 'no trace of it is left');

# --- Sessions are in order, and take no blocks. While the clock stands still, a block would last. ----

set_clock($nodes[1], strftime('%Y-%m-%d %H:%M:%S', localtime(time() + 20)));
my $one = ask(1, 'SET idgen.block_size = 64; SELECT max(hlc_now()) FROM generate_series(1, 3)');
my $two = $nodes[1]->safe_psql('postgres', 'SET idgen.block_size = 64; SELECT hlc_now()');
my $three = ask(1, 'SELECT hlc_now()');
$one =~ s/^SET\n//;
ok($one >> 17 == $three >> 17, 'the clock stands still');
ok($one < $two && $two < $three, 'sessions are in order');

$_->quit for @sessions;
$_->stop for @nodes;
done_testing();
