# Migrations of keys while pgbench reads and writes the tables: a short campaign of dev/migration. The server is
# killed and sessions are ended, the plan is run again; then a ledger says what must be in the tables.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($psql) = grep { -x } map { "$_/psql" } split /:/, $ENV{PATH};
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $seed = $ENV{IDGEN_SEED} // 1 + int(rand(1_000_000));
note("seed $seed; again: IDGEN_SEED=$seed");

# The keys of addresses get another type, through a crash, and have the way back; then those of customers, which two levels of tables and
# a self reference follow.
my $done = IPC::Run::run(
	[ $^X, "$FindBin::RealBin/../migration/campaign", '--bindir', dirname($psql), '--dir', $dir, '--port', PostgreSQL::Test::Cluster::get_free_port(),
		'--rounds', 1, '--seed', $seed, '--scenario', 'int-snowflake', '--table', 'address', '--end', 'late', '--table', 'customer', '--end', 'finish',
		'--rows', 200, '--rate', 100, '--longest', 150, '--disturbances', 2, '--sure' ],
	'>', \my $out, '2>', \my $complaints);
ok($done, 'nothing lost, no key twice, no error of the application') or diag($out, $complaints);
copy($_, "$PostgreSQL::Test::Utils::log_path/038_server.log") for glob("$dir/*[0-9].log");
my ($transactions) = $out =~ /, (\d+) transactions of the application/;
cmp_ok($transactions // 0, '>', 50, 'the application was at work');
like($out, qr/^killed: .*server killed [1-9]/m, 'the server was killed');
like($out, qr/address late, customer finish/, 'one migration was finished, one rolled back');
note($out);

done_testing();
