# idgen.max_clock_step: no IDs after a step forward, until the clock is corrected or an operator
# accepts it. Without the setting a single ID would move the high-water mark for good.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my $node = new_server('step', clock => '+0', conf => "idgen.max_clock_step = '1h'\n");
my $make = 'SELECT snowflake_nextval()';

# Returns how far the mark is ahead of the true time, in seconds.
sub ahead
{
	return $node->safe_psql('postgres', 'SELECT mark_ms / 1000 FROM idgen_get_mark()') - time();
}

my @before = nextvals($node, 100);
set_clock($node, '+1800');
push @before, nextvals($node, 100);
set_clock($node, '+0');
is((sqlstate_of($node, "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '2h'; $make"))[0], '',
	'a step that is accepted');

set_clock($node, '+86400');
my ($state, $out, $err) = sqlstate_of($node, $make);
is($state, '55000', 'a day ahead: refused');
like($err, qr/clock was set forward by \d+\.\d+ s/, 'the message says by how much');
like($err, qr/HINT:.*idgen_accept_clock/, 'and the hint what to do');
is((sqlstate_of($node, "SELECT idgen_nextval('tso')"))[0], '55000', 'by every generator');
cmp_ok(ahead(), '<', 7200, 'the mark stays');
is((sqlstate_of($node, "CREATE ROLE clerk; SET ROLE clerk; SELECT idgen_accept_clock()"))[0], '42501',
	'an ordinary role does not accept it');

set_clock($node, '+1801');
push @before, nextvals($node, 100);
check_ids('the clock was corrected', \@before);

set_clock($node, '+86400');
is((sqlstate_of($node, $make))[0], '55000', 'refused again');
$node->safe_psql('postgres', 'SELECT idgen_accept_clock()');
my @after = nextvals($node, 100);
check_ids('accepted', \@before, \@after);
cmp_ok(ahead(), '>', 80000, 'and the mark follows');

# A start on a clock that is a day later than the latest mark.
$node->stop;
start_with_clock($node, '+180000');
($state, $out, $err) = sqlstate_of($node, $make);
is($state, '55000', 'a start a day after the latest mark: refused');
like($err, qr/counted from the latest high-water mark/, 'the detail says so');
$node->safe_psql('postgres', 'SELECT idgen_accept_clock()');
check_ids('accepted at a start', \@after, [ nextvals($node, 100) ]);
is((sqlstate_of($node, $make))[0], '', 'once is enough');

# The setting is off, which is the default.
$node->append_conf('postgresql.conf', "idgen.max_clock_step = 0\n");
$node->reload;
set_clock($node, '+900000');
is((sqlstate_of($node, $make))[0], '', 'without the setting every step is accepted');
$node->stop;
done_testing();
