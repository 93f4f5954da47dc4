# A lease worker that ends alone gives no identities back that a session still makes IDs with, even
# if the session came while the worker was about to.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use LeaseTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep time);

my $registry = new_registry('registry');
my $a = new_member('a', $registry);
$a->append_conf('postgresql.conf', "idgen.lease_term = '30s'");
$a->reload;
machine_of($a);
wait_until('the long term', sub {
	$a->safe_psql('postgres', 'SELECT count(*) FROM idgen_identity WHERE granted_until > clock_timestamp() + interval \'20 s\'') > 0;
});

# The worker gets the order to end together with another address of the same registry, which does
# not answer yet. So it stands between the look for sessions and the release.
my $worker = worker_pid($a);
my ($postmaster) = slurp_file($registry->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my $address = $a->safe_psql('postgres', 'SHOW idgen.registry') . '&application_name=again';
kill('STOP', $worker);
$a->append_conf('postgresql.conf', "idgen.registry = '$address'");
$a->reload;
usleep(300_000);
kill('TERM', $worker);
kill('STOP', $postmaster);
kill('CONT', $worker);
usleep(700_000);

my $session = $a->background_psql('postgres');
my $id = $session->query('SELECT snowflake_nextval()');
cmp_ok($id, '>', 0, 'a session has come meanwhile');
kill('CONT', $postmaster);
wait_until('the worker is gone', sub { !kill(0, $worker) });
for (my $end = time + 4; time < $end; usleep(50_000)) { $id = $session->query('SELECT snowflake_nextval()'); }
my $last = $a->safe_psql('postgres', "SELECT snowflake_timestamp($id)");
is($registry->safe_psql('postgres', "SELECT bool_or(used_until > '$last') FROM idgen_registry.holder"),
	't', 'no ID beyond what the registry knows');
$session->quit;
$a->stop('fast');
$registry->stop('fast');
done_testing();
