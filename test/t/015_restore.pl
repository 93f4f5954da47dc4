# Dumps that carry the mark, restored by a superuser and by a database's owner. A restore only ever
# raises the mark, at once and for the whole server, and an owner's restore stops nobody else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

plan skip_all => 'libfaketime is not installed' unless have_faketime();

my $dir = PostgreSQL::Test::Utils::tempdir();
my $old = new_server('old');
$old->safe_psql('postgres', <<'EOS');
CREATE ROLE owner LOGIN;
CREATE DATABASE shop OWNER owner;
EOS
$old->safe_psql('shop', <<'EOS');
CREATE EXTENSION idgen;
SET ROLE owner;
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item int);
INSERT INTO orders (item) SELECT generate_series(1, 3000);
EOS
my @before = split /\n/, $old->safe_psql('shop', 'SELECT id FROM orders');
my $mark = $old->safe_psql('shop', 'SELECT mark_ms FROM idgen_get_mark()');

my @owner = ('-U', 'owner');
$old->command_ok([ 'pg_dump', '-F', 'custom', '-f', "$dir/shop.dump", '-d', $old->connstr('shop'), @owner ],
	'the owner of a database can dump it');
$old->command_ok([ 'pg_dump', '--inserts', '-f', "$dir/shop.sql", '-d', $old->connstr('shop'), @owner ],
	'also with --inserts');
like(slurp_file("$dir/shop.sql"), qr/INSERT INTO public.idgen_restore VALUES \('$mark,0,-1'\)/,
	'the mark is in the dump');
# The dump contains the mark, not the sequence's value.
$old->safe_psql('shop', "SELECT setval('idgen_high_water_mark', 1)");
$old->command_ok([ 'pg_dump', '-f', "$dir/after.sql", '-d', $old->connstr('shop') ], 'after a setval()');
like(slurp_file("$dir/after.sql"), qr/^$mark,0,-1$/m, 'the mark is in the dump');
$old->safe_psql('shop', 'CREATE SCHEMA elsewhere; ALTER EXTENSION idgen SET SCHEMA elsewhere');
$old->command_ok([ 'pg_dump', '-f', "$dir/moved.sql", '-d', $old->connstr('shop') ],
	'where the extension is in another schema');
like(slurp_file("$dir/moved.sql"), qr/^$mark,0,-1$/m, 'the mark is in the dump');

# IDs that were made in another database are of the same ID spaces: the dump covers them, too.
for my $how ('running', 'restarted')
{
	usleep(2_500_000);
	my ($id) = nextvals($old, 1);
	$old->restart if $how eq 'restarted';
	$old->command_ok([ 'pg_dump', '-f', "$dir/other.sql", '-d', $old->connstr('shop') ], "$how: IDs in another database");
	my ($in_dump) = slurp_file("$dir/other.sql") =~ /^(\d{13}),0,-1$/m;
	cmp_ok($in_dump, '>', ($id >> 22) + 1577836800000, "$how: they are below the mark in the dump");
	cmp_ok($old->safe_psql('shop', 'SELECT mark_ms FROM elsewhere.idgen_get_mark()'), '<', $in_dump, "$how: which is later than its own");
}

my $new = new_server('new', clock => '+0');
$new->safe_psql('postgres', 'CREATE ROLE owner LOGIN');
my $lead = "SET idgen.clock_regression = lead; SET idgen.max_clock_lead = '1h'";
my $impatient = "SET idgen.max_clock_wait = 0; SELECT snowflake_nextval()";

# Recreates the database with the extension, which only a superuser can create, and restores.
sub restore
{
	my ($name, $file, @options) = @_;
	$new->safe_psql('postgres', "DROP DATABASE IF EXISTS shop");
	$new->safe_psql('postgres', "CREATE DATABASE shop OWNER owner");
	$new->safe_psql('shop', 'CREATE EXTENSION idgen');
	my ($out, $err) = run_command([ $file =~ /dump$/ ? 'pg_restore' : ('psql', '-X', '-f', $file),
		'-d', $new->connstr('shop'), @options, $file =~ /dump$/ ? $file : () ]);
	note($err);
	is($new->safe_psql('shop', 'SELECT count(*) FROM orders'), 3000, "$name: the rows are there");
	return $err;
}

# The clock is right: nobody waits for long, and a crash right afterwards changes nothing.
restore('by the owner', "$dir/shop.dump", @owner);
my $restored = $new->safe_psql('shop', 'SELECT mark_ms FROM idgen_get_mark()');
cmp_ok($restored, '>=', $mark, 'the owner\'s restore has raised the mark');
is($new->safe_psql('shop', 'SELECT count(*) FROM idgen_restore'), 0, 'the table is empty');
kill_server($new);
start_with_clock($new, '-30');
my @after = nextvals($new, 3000, set => $lead);
check_ids('another database after a crash, with the clock back', \@before, \@after);
@after = (@after, nextvals($new, 3000, database => 'shop', set => $lead));
check_ids('and the restored one', \@before, \@after);

# The clock is behind by an hour, and the server has just started.
$new->stop;
start_with_clock($new, '-3600');
restore('by a superuser, behind', "$dir/shop.sql");
is((sqlstate_of($new, $impatient))[0], '58000', 'a superuser\'s restore holds all databases back at once');
is((sqlstate_of($new, $impatient, database => 'shop'))[0], '58000', 'and its own');

# An owner's restore while the clock is behind, on a server that has no other mark.
my $third = new_server('third', clock => '-3600');
$third->safe_psql('postgres', 'CREATE ROLE owner LOGIN');
$new->stop;
$new = $third;
# pg_restore shows no warnings, but psql and the server's log do.
restore('by the owner, behind', "$dir/shop.dump", @owner);
like(slurp_file($new->logfile), qr/WARNING:\s+the restored high-water mark is .* ahead of the clock/,
	'there is a warning');
is((sqlstate_of($new, $impatient))[0], '', 'others go on');
my ($state, $out, $err) = sqlstate_of($new, $impatient, database => 'shop');
is($state, '55000', 'the restored database makes no IDs');
like($err, qr/the high-water mark that was restored into this database is .* ahead of the clock/,
	'and says why');
like($err, qr/HINT:.*idgen_restore/, 'and what to do');
kill_server($new);
start_with_clock($new, '-3600');
is((sqlstate_of($new, $impatient, database => 'shop'))[0], '55000', 'also after a crash');
# They wait for their own mark, which is a second ahead at most.
is((sqlstate_of($new, 'SELECT snowflake_nextval()'))[0], '', 'where others go on');
set_clock($new, '+5');
@after = nextvals($new, 3000, database => 'shop', set => $lead);
check_ids('when the clock has passed it', \@before, \@after);

# Absurd marks, and who may restore at all.
my $year2049 = 2493072000000;
for my $who ('owner', 'postgres')
{
	my ($status, $stdout, $stderr) = $new->psql('shop', "INSERT INTO idgen_restore VALUES ('$year2049')",
		extra_params => [ '-U', $who ]);
	is($status, 0, "an absurd mark, by $who");
	like($stderr, qr/WARNING:.*ahead of the clock/, 'is warned of');
	is((sqlstate_of($new, $impatient, database => 'shop'))[0], '55000', 'holds its own database');
	is((sqlstate_of($new, "SET idgen.max_clock_wait = '10s'; SELECT snowflake_nextval()"))[0], '',
		'and no other');
}
$new->safe_psql('postgres', 'CREATE ROLE visitor LOGIN; GRANT pg_write_all_data TO visitor');
($state, my $text, $err) = ('', '', '');
$new->psql('shop', "INSERT INTO idgen_restore VALUES ('1')", extra_params => [ '-U', 'visitor' ],
	stderr => \$err);
like($err, qr/permission denied to restore a high-water mark/, 'nobody else may restore');
$new->psql('postgres', "INSERT INTO idgen_restore VALUES ('1')", extra_params => [ '-U', 'owner' ],
	stderr => \$err);
like($err, qr/permission denied/, 'nor the owner of another database');

# A lower mark changes nothing.
my $first = $new->safe_psql('postgres', 'SELECT mark_ms FROM idgen_get_mark()');
$new->safe_psql('postgres', "INSERT INTO idgen_restore VALUES ('1000')");
cmp_ok($new->safe_psql('postgres', 'SELECT mark_ms FROM idgen_get_mark()'), '>=', $first,
	'a restore only ever raises');

# The way out of an absurd mark.
my ($status, $stdout, $stderr) = $new->psql('shop', 'SELECT idgen_start_over(9)');
is($status, 0, 'idgen_start_over() in that database');
$new->append_conf('postgresql.conf', "idgen.machine_id = 9\n");
$new->restart;
is(scalar nextvals($new, 10, database => 'shop', set => "SET idgen.max_clock_wait = '10s'"), 10,
	'IDs are made there again');

# Without its trigger the table accepts nothing, so that no mark is lost in silence.
{
	my ($out, $err) = run_command([ 'pg_restore', '--data-only', '--disable-triggers', '-d', $new->connstr('shop'),
			'-t', 'idgen_restore', "$dir/shop.dump" ]);
	like($err, qr/violates check constraint "idgen_restore_needs_its_trigger"/, 'triggers disabled: an error');
}

# On another user's table the trigger is an error.
($state) = sqlstate_of($new, <<'EOS');
CREATE TABLE mine (a int);
CREATE TRIGGER raise BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION idgen_restore_mark();
INSERT INTO mine VALUES (1);
EOS
is($state, '39P01', 'the trigger on another table');

$new->stop;
$old->stop;
done_testing();
