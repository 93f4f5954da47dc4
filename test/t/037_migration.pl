# Online migration of keys: the races. Transactions with old snapshots, prepared ones, rows that are locked or move, locks that are
# not to be had, and what a cancelled CREATE INDEX CONCURRENTLY leaves.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_server('migration', conf => "max_prepared_transactions = 5\nautovacuum = off\n");
# The owner is an ordinary role, and does not see much of others' sessions. The application is another role.
$node->safe_psql('postgres', q{
	CREATE EXTENSION idgen_tools;
	CREATE ROLE mover;
	CREATE ROLE app;
	GRANT CREATE ON DATABASE postgres TO mover;
	SET ROLE mover;
	CREATE SCHEMA shop;
	GRANT USAGE ON SCHEMA shop TO app;
});

# A session of the application.
sub session
{
	my %s = (in => '', out => '', err => '');
	$s{run} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres') ],
		'<', \$s{in}, '>', \$s{out}, '2>', \$s{err}, IPC::Run::timeout(120));
	return \%s;
}

sub start_statement
{
	my ($s, $sql) = @_;
	$s->{out} = '';
	$s->{in} .= "$sql\n\\echo done\n";
	$s->{run}->pump_nb;
	return;
}

sub await
{
	my ($s) = @_;
	$s->{run}->pump until $s->{out} =~ s/^done\n//m;
	return $s->{out};
}

sub query
{
	my ($s, $sql) = @_;
	start_statement($s, $sql);
	return await($s);
}

sub finish
{
	my ($s) = @_;
	$s->{in} .= "\\q\n";
	$s->{run}->finish;
	return $s->{err};
}

sub mover { return session_as('mover'); }
sub session_as { my $s = session(); query($s, "SET ROLE $_[0]; SET search_path = shop, public;"); return $s; }
sub sql { return $node->safe_psql('postgres', "SET ROLE mover; SET search_path = shop, public; SET client_min_messages = warning; $_[0]"); }
sub state { return sql('SELECT state FROM idgen_migrations'); }

# Waits until a session of the owner has said something.
sub await_notice
{
	my ($s, $pattern) = @_;
	$s->{run}->pump until $s->{err} =~ $pattern;
	return;
}

sub fresh
{
	my ($rows) = @_;
	sql(q{CALL idgen_migration_roll_back('parent', 'id')}) if state() ne '';
	sql('DROP TABLE IF EXISTS child, parent, parent_id_idgen_map');
	sql(qq{
		CREATE TABLE parent (id serial PRIMARY KEY, t text);
		CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent, pad text);
		GRANT SELECT, INSERT, UPDATE, DELETE ON parent, child TO app;
		GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO app;
		INSERT INTO parent (t) SELECT 'p' FROM generate_series(1, 100);
		INSERT INTO child (parent, pad) SELECT 1 + i % 100, repeat('x', 200) FROM generate_series(1, $rows) i;
		ANALYZE parent, child;
	});
	return;
}
my $lost = 'SELECT count(*) FROM child c WHERE parent IS NOT NULL AND parent_idgen_new IS NULL';
my $plan = q{idgen_plan_migration('parent', 'id', 'snowflake')};

# A writer whose snapshot is older than the mapping cannot see it. His row is found all the same.
fresh(500);
sql(q{CALL idgen_migration_prepare('parent', 'id', 'snowflake')});
my $app = session_as('app');
query($app, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM parent;');
my $mover = mover();
start_statement($mover, q{CALL idgen_migration_backfill('parent', 'id');});
await_notice($mover, qr/waiting for the end of older transactions: process/);
is(state(), 'filling', 'the backfill waits for an old snapshot');
query($app, 'INSERT INTO child (parent) VALUES (7);');
is(query($app, 'SELECT parent_idgen_new IS NULL FROM child ORDER BY id DESC LIMIT 1;'), "t\n", 'its row has no new key');
query($app, 'COMMIT;');
await($mover);
is(state(), 'filled', 'the backfill went on');
is(sql($lost), 0, 'no row without a new key, after an old snapshot');

# The same, and the writer's transaction is prepared, under a new transaction ID and without a snapshot.
fresh(500);
sql(q{CALL idgen_migration_prepare('parent', 'id', 'snowflake')});
query($app, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM parent;');
$mover->{err} = '';
start_statement($mover, q{CALL idgen_migration_backfill('parent', 'id');});
await_notice($mover, qr/waiting for the end of older transactions: process/);
query($app, q{INSERT INTO child (parent) VALUES (7); PREPARE TRANSACTION 'late';});
is(state(), 'filling', 'the backfill waits for a prepared transaction');
is((sqlstate_of($node, q{SET ROLE mover; CALL idgen_migration_backfill('shop.parent', 'id', max_wait => '200 ms')}))[0], '55P03',
	'a limit on the wait');
query($app, q{COMMIT PREPARED 'late';});
await($mover);
is(state(), 'filled', 'the backfill went on after the prepared transaction');
is(sql($lost), 0, 'no row without a new key, after a prepared transaction');

# Rows that are locked are left for later, one at a time, so that the application is never the victim of a deadlock.
fresh(2000);
sql(q{CALL idgen_migration_prepare('parent', 'id', 'snowflake')});
# State "filling", by hand.
sql(q{DO $$ BEGIN WHILE NOT idgen_tools_map('parent', 'id', 5000) LOOP END LOOP; END $$});
query($app, 'BEGIN; SELECT FROM child WHERE id = 1500 FOR UPDATE;');
start_statement($mover, q{DO $$ DECLARE f record; BEGIN
  LOOP f := idgen_tools_fill('parent', 'id', 5000); EXIT WHEN f.busy_row IS NOT NULL; COMMIT; END LOOP;
  RAISE NOTICE 'busy'; PERFORM pg_sleep(2); END $$;});
await_notice($mover, qr/NOTICE:\s+\w+:\s+busy/);
is(sql($lost), 2000, 'its rows are not committed yet');
query($app, 'COMMIT;');
await($mover);
is(sql($lost), 1, 'all rows but the locked one are full');
# A transaction that begins after the wait for older ones.
sql(q{CALL idgen_tools_wait('parent', 'id', NULL)});
query($app, 'BEGIN; SELECT FROM child WHERE id = 1500 FOR UPDATE;');
start_statement($mover, q{CALL idgen_migration_backfill('parent', 'id');});
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'}), 'it waits for the row');
query($app, 'UPDATE child SET pad = NULL WHERE id <> 1500;');
query($app, 'COMMIT;');
await($mover);
is(sql($lost), 0, 'and fills it then');

# A snapshot from before a row was filled would see no key after the cutover.
sql(qq{SELECT statement FROM $plan WHERE statement ~ '^(CREATE|CALL .*constrain)' ORDER BY step \\gexec});
is(state(), 'constrained', 'constraints are there');
query($app, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;');
sql(q{UPDATE idgen_migration SET wait_for = NULL});
is((sqlstate_of($node, q{SET ROLE mover; CALL idgen_migration_verify('shop.parent', 'id', max_wait => '200 ms')}))[0], '55P03',
	'verify waits for old snapshots');
query($app, 'COMMIT;');
sql(q{CALL idgen_migration_verify('parent', 'id')});

# The cutover needs all locks at once. If they are not to be had, nothing has changed.
query($app, 'BEGIN; UPDATE child SET pad = NULL WHERE id = 5;');
my ($state, undef, $err) = sqlstate_of($node,
	q{SET ROLE mover; CALL idgen_migration_cut_over('shop.parent', 'id', lock_timeout => '50 ms', attempts => 3)});
is($state, '55P03', 'no lock, no cutover');
like($err, qr/in 3 attempts/, 'after all attempts');
is(state(), 'verified', 'and nothing has changed');
# The application wants the parent, which the cutover has locked, and has the child, which the cutover wants.
start_statement($mover, q{CALL idgen_migration_cut_over('parent', 'id', lock_timeout => '2 s', attempts => 100);});
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'}),
	'the cutover waits for the second table');
query($app, 'UPDATE parent SET t = NULL WHERE id = 5; INSERT INTO child (parent) VALUES (5); COMMIT;');
await($mover);
is(state(), 'cut over', 'cut over once the application was done');
is($app->{err}, '', 'and the application had no error');
is(sql('SELECT count(*) FROM child c JOIN parent p ON p.id = c.parent WHERE p.id_idgen_old <> c.parent_idgen_old'), 0, 'keys fit');
is(sql('SELECT count(*) FROM child c JOIN parent p ON p.id = c.parent'), 2001, 'all rows are there');
is(query($app, 'INSERT INTO child (parent) SELECT min(id) FROM parent RETURNING parent_idgen_old IS NOT NULL;'), "t\n",
	'old keys of new rows');
sql(q{CALL idgen_migration_roll_back('parent', 'id')});
is(sql('SELECT count(*) FROM child c JOIN parent p ON p.id = c.parent'), 2002, 'the way back');

# Rows that move while the tables are filled: to a block that was done, and with the whole table.
fresh(2000);
sql(q{DELETE FROM child WHERE id <= 20});
sql(q{VACUUM child});
sql(q{CALL idgen_migration_prepare('parent', 'id', 'snowflake')});
sql(q{DO $$ BEGIN WHILE NOT idgen_tools_map('parent', 'id', 5000) LOOP END LOOP; END $$});
my $steps = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP PERFORM idgen_tools_fill('parent', 'id', 1); END LOOP; END $$};
sql(sprintf($steps, 12));
is(sql(q{SELECT count(*) > 0 FROM idgen_migration_column WHERE next_block BETWEEN 2 AND blocks - 10 AND name = 'parent'}), 't',
	'in the middle of a table');
sql(q{UPDATE child SET pad = 'moved' WHERE id > 1995});
is(sql(q{SELECT count(*) FROM child WHERE id > 1995 AND parent_idgen_new IS NULL}), 0, 'whoever moves a row fills it');
sql(q{VACUUM FULL child});
sql(q{CALL idgen_migration_backfill('parent', 'id')});
is(sql($lost), 0, 'no row is missed in a table that was rewritten');

# What a cancelled CREATE INDEX CONCURRENTLY leaves is dropped by the plan, run again.
query($app, 'BEGIN; UPDATE parent SET t = NULL WHERE id = 50;');
sqlstate_of($node, qq{SET ROLE mover; SET search_path = shop, public; SET statement_timeout = '500 ms';
	SELECT statement FROM $plan WHERE statement LIKE 'CREATE%' ORDER BY step \\gexec});
query($app, 'ROLLBACK;');
my ($invalid) = sql('SELECT count(*) FROM pg_index WHERE NOT indisvalid');
cmp_ok($invalid, '>', 0, 'an index is left half done');
sql(qq{SELECT statement FROM $plan ORDER BY step \\gexec});
is(state(), 'cut over', 'the plan, run again, goes to its end');
is(sql('SELECT count(*) FROM pg_index WHERE NOT indisvalid'), 0, 'no index is half done');
# Run again, it does nothing.
sql(qq{SELECT statement FROM $plan ORDER BY step \\gexec});
is(state(), 'cut over', 'and once more does nothing');
sql(q{CALL idgen_migration_finish('parent', 'id')});
is(sql('SELECT count(*) FROM child c JOIN parent p ON p.id = c.parent'), 1980, 'all rows are there at the end');

is(finish($app), '', 'the application never had an error');
finish($mover);
$node->stop;
done_testing();
