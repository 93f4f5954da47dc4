# Dump and restore: the dump carries the mark, so a server whose clock is behind does not hand out
# again what the old server did.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my $old = new_server('old');
$old->safe_psql('postgres',
	'CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item int)');
$old->safe_psql('postgres', 'INSERT INTO orders (item) SELECT generate_series(1, 5000)');
my @before = split /\n/, $old->safe_psql('postgres', 'SELECT id FROM orders');

my $dir = PostgreSQL::Test::Utils::tempdir();
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
start_with_clock($new, '-60');

for my $format ('plain', 'custom')
{
	my $file = "$dir/$format.dump";
	$old->command_ok([ 'pg_dump', '-F', $format, '-f', $file, '-d', $old->connstr('postgres') ],
		"pg_dump, $format");
	$new->safe_psql('postgres', "CREATE DATABASE $format");
	if ($format eq 'plain')
	{
		$new->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d',
				$new->connstr($format) ], 'psql, plain');
	}
	else
	{
		$new->command_ok([ 'pg_restore', '--exit-on-error', '-d', $new->connstr($format), $file ],
			'pg_restore, custom');
	}
	is($new->safe_psql($format, 'SELECT count(*) FROM orders'), 5000, "$format: the rows are there");
	my ($state) = sqlstate_of($new,
		"SET idgen.max_clock_wait = '100ms'; SELECT snowflake_nextval()", database => $format);
	is($state, '58000', "$format: a clock that is a minute behind is refused");
}

# A session of another database on that server, in the same ID space, is held back too: its rows may
# be joined with the restored ones.
my ($state) = sqlstate_of($new,
	"CREATE EXTENSION idgen; SET idgen.max_clock_wait = '100ms'; SELECT snowflake_nextval()");
is($state, '58000', 'the other database of the server');

set_clock($new, '+0');
my @after = split /\n/,
  $new->safe_psql('custom', "SET idgen.max_clock_wait = '10s';
	INSERT INTO orders (item) SELECT generate_series(1, 5000) RETURNING id");
check_ids('dump and restore', \@before, \@after);

# A copy by CREATE DATABASE ... TEMPLATE on the same server works at once: this server made the IDs
# in it, and its positions cover them.
$new->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE custom');
my @copy = nextvals($new, 10, database => 'copy', set => 'SET idgen.clock_regression = error');
is(scalar @copy, 10, 'a copied database generates without a wait');
check_ids('a copied database', \@before, \@after, \@copy);

# A dropped database no longer counts, nor does one of which only pieces are left.
$new->safe_psql('postgres', 'DROP DATABASE plain');
$new->restart;
is(scalar nextvals($new, 10, set => "SET idgen.max_clock_wait = '10s'"), 10,
	'after DROP DATABASE and a restart');

# Only a superuser can hold a server back with a sequence of the mark's name.
$new->safe_psql('postgres', 'CREATE DATABASE decoy');
$new->safe_psql('decoy', 'CREATE ROLE clerk; GRANT CREATE ON SCHEMA public TO clerk');
$new->safe_psql('decoy', q{
	SET ROLE clerk;
	CREATE SEQUENCE idgen_high_water_mark;
	SELECT setval('idgen_high_water_mark', 9000000000000000);
});
$new->restart;
is(scalar nextvals($new, 10, set => "SET idgen.max_clock_wait = '10s'"), 10,
	'a sequence of the same name that is somebody else\'s');
$new->safe_psql('decoy', 'ALTER SEQUENCE idgen_high_water_mark OWNER TO CURRENT_USER');
$new->restart;
($state) = sqlstate_of($new,
	"SET idgen.max_clock_wait = '10s'; SELECT snowflake_nextval()");
is($state, q(), "and one of a superuser: it has no record of ours, and is absurd");

$new->stop;
$old->stop;
done_testing();
