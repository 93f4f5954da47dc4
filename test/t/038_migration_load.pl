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

# A key that three levels of tables follow, to another type and through a crash; and a way there and back.
for my $round ([ 'int-snowflake', 'finish', 'customer' ], [ 'bigserial-snowflake', 'late', 'rental' ])
{
	my ($scenario, $end, $table) = @$round;
	my $done = IPC::Run::run(
		[ $^X, "$FindBin::RealBin/../migration/campaign", '--bindir', dirname($psql), '--dir', "$dir/$end", '--port',
			PostgreSQL::Test::Cluster::get_free_port(), '--rounds', 1, '--seed', $seed, '--scenario', $scenario, '--end', $end, '--table', $table,
			'--rows', 300, '--rate', 100, '--disturbances', 2, '--sure' ],
		'>', \my $out, '2>', \my $complaints);
	ok($done, "$scenario of $table, $end: nothing lost, no key twice, no error of the application") or diag($out, $complaints);
	copy($_, "$PostgreSQL::Test::Utils::log_path/038_$end.log") for glob("$dir/$end/*.log");
	my ($transactions) = $out =~ /, (\d+) transactions of the application/;
	cmp_ok($transactions // 0, '>', 50, 'the application was at work');
	like($out, qr/^killed: .*[1-9]/m, 'something was killed');
	note($out);
}

done_testing();
