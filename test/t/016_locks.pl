# A start while others hold locks. Nothing that an ordinary role or a database's owner can hold
# keeps the server from making IDs, and every wait can be cancelled.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_server('locks', conf => "max_prepared_transactions = 10\nidgen.max_clock_wait = '10s'\n");
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN');
for my $database ('plain', 'with_idgen')
{
	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER owner");
}
$node->safe_psql('with_idgen', 'CREATE EXTENSION idgen');
my @before = nextvals($node, 100);
push @before, nextvals($node, 100, database => 'with_idgen');

# Prepared, so that the locks outlast a start.
my @prepared = (
	[ 'plain', 'owner', 'ANALYZE pg_class' ],
	[ 'plain', 'owner', 'ALTER DATABASE plain RENAME TO renamed' ],
	[ 'with_idgen', 'postgres', 'DROP EXTENSION idgen' ],
	[ 'with_idgen', 'postgres', 'ALTER SEQUENCE idgen_high_water_mark INCREMENT BY 2' ],
);
for my $case (@prepared)
{
	my ($database, $role, $sql) = @$case;
	# A session cannot rename its own database.
	my $from = $sql =~ /RENAME/ ? 'postgres' : $database;
	$node->safe_psql('postgres', 'ALTER ROLE owner CREATEDB');
	$node->safe_psql($from, "BEGIN; $sql; PREPARE TRANSACTION 'held'", extra_params => [ '-U', $role ]);
	for my $stop ('fast', 'immediate')
	{
		$node->stop($stop);
		$node->start;
		my ($state, $out) = sqlstate_of($node, "SET lock_timeout = '200ms'; SELECT snowflake_nextval()");
		is($state, '', "prepared: $sql; after $stop");
		push @before, $out =~ /^(\d+)$/m;
	}
	$node->safe_psql($from, "ROLLBACK PREPARED 'held'");
}
check_ids('with locks', \@before);

# The mark of the locked database counts all the same.
SKIP:
{
	skip 'libfaketime is not installed', 3 unless have_faketime();
	my @there = nextvals($node, 100, database => 'with_idgen');
	$node->safe_psql('with_idgen', "BEGIN; DROP EXTENSION idgen; PREPARE TRANSACTION 'held'");
	kill_server($node);
	start_with_clock($node, '-5');
	my @after = nextvals($node, 100, set => "SET idgen.clock_regression = lead");
	check_ids('a mark that is about to be dropped', \@there, \@after);
	$node->safe_psql('with_idgen', "ROLLBACK PREPARED 'held'");
	$node->stop;
	$node->start;
}

# A damaged page in a database that is not used.
{
	my $file = $node->safe_psql('plain', 'SELECT pg_relation_filepath(\'pg_class\')');
	$node->stop;
	my $path = $node->data_dir . "/$file";
	open(my $out, '+<', $path) or die "cannot write $path: $!";
	binmode $out;
	seek($out, 8192 + 12, 0);
	print $out "\xff" x 12;
	close($out);
	$node->start;
	my ($state, $text, $err) = sqlstate_of($node, 'SELECT snowflake_nextval()');
	is($state, '', 'a damaged page in another database stops nobody');
	like($err, qr/WARNING:.*could not read block 1 of pg_class in database "plain"/, 'and is reported');
}

# The writer of the mark is stopped while it holds the page's lock. The others' waits can be ended.
# Without gdb the moment cannot be chosen, so a session is stopped at arbitrary moments. That must
# not stop the others' timeouts.
{
	my $writer = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $writer->query('SELECT pg_backend_pid()');
	$writer->query_until(qr/begun/, "\\echo begun\nSET idgen.reserve_window = 10;
		SELECT count(snowflake_nextval()) FROM generate_series(1, 40000000);\n");
	my $stuck = 0;
	for (1 .. 20)
	{
		kill('STOP', $pid);
		my $began = time();
		my ($state) = sqlstate_of($node,
			"SET statement_timeout = '500ms'; SET idgen.reserve_window = 10; SELECT count(snowflake_nextval()) FROM generate_series(1, 400000)");
		$stuck++ if time() - $began > 30 or $state !~ /^(57014)?$/;
		kill('CONT', $pid);
		usleep(20_000);
	}
	is($stuck, 0, 'no session was stuck behind one that was stopped');
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	eval { $writer->quit };
}

$node->stop;
done_testing();
