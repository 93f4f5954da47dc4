# Clocks that step, in each of the three modes, and clocks that went back while the server was down.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

# The other database is in a tablespace and its catalog in a new file, as can happen.
my $node = new_server('clock', clock => '+0', conf => "allow_in_place_tablespaces = on\n");
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION ''");
$node->safe_psql('postgres', 'CREATE DATABASE other TABLESPACE elsewhere');
$node->safe_psql('other', 'CREATE EXTENSION idgen');
$node->safe_psql('other', 'VACUUM FULL pg_class');

# Each scene has its own machine ID, and so its own ID space.
sub machine { return "SET idgen.machine_id = $_[0]; " . ($_[1] // ''); }

# Returns seconds since the epoch by the server's clock.
sub server_time { return $node->safe_psql('postgres', 'SELECT extract(epoch FROM clock_timestamp())'); }

# A step back that is shorter than the wait.
{
	my @before = nextvals($node, 500, set => machine(1));
	set_clock($node, '-0.4');
	my @after = nextvals($node, 500, set => machine(1));
	set_clock($node, '+0');
	check_ids('a step back of 400 ms', \@before, \@after);
}

# An hour back: an error, after the wait.
{
	my @before = nextvals($node, 500, set => machine(2));
	set_clock($node, '-3600');
	my $began = time();
	my ($state, $out, $err) =
	  sqlstate_of($node, machine(2, "SET idgen.max_clock_wait = '300ms'; SELECT snowflake_nextval()"));
	is($state, '58000', 'wait: an error when the clock is behind for longer');
	cmp_ok(time() - $began, '>=', 0.3, 'wait: not before the time is up');
	like($err, qr/clock is 3[56]\d\d\.\d{3} s behind the next ID of generator "snowflake"/,
		'wait: the message says by how much');
	like($err, qr/HINT:.*timedatectl/s, 'wait: the hint says where to look');

	($state, $out, $err) = sqlstate_of($node,
		machine(2, "SET idgen.clock_regression = error; SELECT snowflake_nextval()"));
	is($state, '58000', 'error: an error');

	($state, $out, $err) = sqlstate_of($node,
		machine(2, "SET idgen.clock_regression = lead; SELECT snowflake_nextval()"));
	is($state, '58000', 'lead: an error beyond max_clock_lead, once max_clock_wait is over');

	my $lead = machine(2, "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '2h'");
	my @leading = nextvals($node, 10000, set => $lead);
	check_ids('lead: IDs go on from the last one', \@before, \@leading);

	# The errors leave nothing half done, and do not affect other ID spaces.
	my @other = nextvals($node, 10, set => machine(3));
	is(scalar @other, 10, 'another ID space works meanwhile');

	set_clock($node, '+0');
	my @after = nextvals($node, 500, set => machine(2));
	check_ids('after the clock came back', \@before, \@leading, \@after);
	my $log = slurp_file($node->logfile);
	like($log, qr/LOG:\s+next ID of generator "snowflake" is ahead of the clock/,
		'the log says when a lead began');
	my @begins = $log =~ /LOG:\s+next ID of generator "snowflake" is ahead of the clock/g;
	cmp_ok(scalar @begins, '<', 20, 'once an event, not once a call');
}

# In mode error, as in all modes, a session waits when the sequence is used up.
{
	my @ids = nextvals($node, 20000, set => machine(4, 'SET idgen.clock_regression = error'));
	is(scalar @ids, 20000, 'error: a used-up sequence is no error');
	check_ids('error: used-up sequences', \@ids);
}

# A jump forward and back again.
{
	my @before = nextvals($node, 100, set => machine(5));
	set_clock($node, '+5');
	my @ahead = nextvals($node, 100, set => machine(5));
	set_clock($node, '+0');
	my @after =
	  nextvals($node, 100, set => machine(5, "SET idgen.max_clock_wait = '20s'"));
	check_ids('5 s forward and back', \@before, \@ahead, \@after);
	my ($state) = sqlstate_of($node, 'SET idgen.machine_id = 5; SELECT snowflake_nextval()');
	is($state, '', 'and on without a wait');
}

# The server is down for a moment, and its clock goes back meanwhile: the case that most generators
# fail. The two databases use one ID space; only one of them handed out the latest IDs.
{
	my @first = nextvals($node, 100, set => machine(6));
	my @second = nextvals($node, 100, database => 'other', set => machine(6));
	set_clock($node, '+600');
	my @latest = nextvals($node, 100, database => 'other', set => machine(6));
	kill_server($node);
	start_with_clock($node, '+0');
	for my $database ('postgres', 'other')
	{
		my ($state) = sqlstate_of($node,
			machine(6, "SET idgen.max_clock_wait = '100ms'; SELECT snowflake_nextval()"),
			database => $database);
		is($state, '58000', "database $database refuses IDs of a time that was handed out");
	}
	my @leading = nextvals($node, 100,
		set => machine(6, "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '20min'"));
	check_ids('crash and a clock that went back, two databases', \@first, \@second, \@latest,
		\@leading);
	# A new ID space also begins above every mark: its machine ID might have been used before.
	my ($state) = sqlstate_of($node,
		machine(7, "SET idgen.max_clock_wait = '100ms'; SELECT snowflake_nextval()"));
	is($state, '58000', 'so does every other ID space');

	set_clock($node, '+603');
	my @after = nextvals($node, 100, set => machine(6));
	check_ids('when the clock is past the mark', \@first, \@second, \@latest, \@leading, \@after);
}

# Before the epoch, and after the end.
{
	restart_with_clock($node, '+603');
	set_clock($node, -(server_time() - 1000000000));
	my ($state, $out, $err) = sqlstate_of($node,
		machine(8, "SET idgen.max_clock_wait = '100ms'; SELECT snowflake_nextval()"));
	is($state, '58000', 'a clock before the epoch is behind');
	set_clock($node, '+' . (3800000000 - CORE::time()));
	($state, $out, $err) = sqlstate_of($node, machine(9, 'SELECT snowflake_nextval()'));
	is($state, '2200H', 'a clock after the end of the layout');
	like($err, qr/layout "snowflake" has run out of time/, 'a clock after the end: the message');
	set_clock($node, '+603');
}

$node->stop;
done_testing();
