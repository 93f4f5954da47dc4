# idgen_start_over() with a registry: that a machine ID was never used is known there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime;

# Machine ID 4 was another server's, for a moment.
my $registry = new_registry('registry');
my $other = new_member('other', $registry, source => 'setting', machine => 4);
is(machine_of($other), 4, 'another server has been there');
$other->stop('fast');

my $node = new_member('node', $registry, source => 'setting', machine => 3, clock => '+7200');
my @before = nextvals($node, 1000);
set_clock($node, '+0');

my ($state, $out, $err) = sqlstate_of($node, 'SELECT idgen_start_over(4)');
is($state, '55006', 'a machine ID that the registry knows');
like($err, qr/The registry knows it: it was given to "/, 'the detail');
is((sqlstate_of($node, 'SELECT idgen_start_over(3)'))[0], '55006', 'the server\'s own');
is((sqlstate_of($node, 'SELECT idgen_start_over(5)'))[0], '', 'one that was never held');

# It goes on with that one at once, though the registry has a time two hours ahead for machine 3.
$node->append_conf('postgresql.conf', 'idgen.machine_id = 5');
restart_with_clock($node, '+0');
my @after = nextvals($node, 1000);
is($node->safe_psql('postgres', "SELECT snowflake_machine($after[0])"), 5, 'the new machine ID');
no_duplicates('after the start', \@before, \@after);
$node->append_conf('postgresql.conf', "idgen.machine_id = 3\nidgen.max_clock_wait = '100ms'");
$node->reload;
is((sqlstate_of($node, 'SELECT snowflake_nextval()'))[0], '58000', 'the old one is held back');

$node->stop('fast');
$registry->stop('fast');
done_testing();
