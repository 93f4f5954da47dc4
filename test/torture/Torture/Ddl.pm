# The scenarios about transactions that change where idgen keeps its marks (rolled back, prepared,
# open during a crash), about locks that are held while a server starts, and about what is dropped.
package Torture::Ddl;

use strict;
use warnings;

use Time::HiRes qw(time usleep);

use Torture::Copies;
use Torture::Round;
use Torture::Server;

our %scenarios = (
	ddl => \&ddl,
	undone => \&undone,
	prepared => \&prepared,
	locks => \&locks,
	dropped => \&dropped,
);

# The operations that work whatever happens to the extension.
my $BUILT_IN = 'single:3,array:2,arrays:1,batch:1,reserve:1,shard:2,uuid:1,ulid:1,uuidv6:1,uuidv8:1,id128:1';
my @ALTERED = (
	'ALTER SEQUENCE idgen_high_water_mark INCREMENT BY 2',
	'ALTER SEQUENCE idgen_high_water_mark RESTART',
	'ALTER SEQUENCE idgen_high_water_mark RESTART WITH 5 MAXVALUE 9000000000000',
	'CREATE TABLE trap (n bigint); ALTER SEQUENCE idgen_high_water_mark OWNED BY trap.n; TRUNCATE trap RESTART IDENTITY',
);
my @ANEW = (
	'DROP EXTENSION idgen CASCADE; CREATE EXTENSION idgen',
	'DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE EXTENSION idgen',
);
# One kind in a round, or both.
# (Of what is altered, a start finds the file also where the transaction was rolled back.)
sub changes { return @{ one_of(\@ALTERED, \@ANEW, \@ANEW, [ @ALTERED, @ANEW ]) }; }
# Only to be rolled back: no ID can be made after these.
my @ONLY_BACK = (
	'ALTER SEQUENCE idgen_high_water_mark SET UNLOGGED',
	'DROP SCHEMA public CASCADE; CREATE SCHEMA public',
);
# The errors that others may get while the extension is missing or replaced.
my @CHANGING = qw(down 42883 42704 55000 3F000 40P01 STALE);

sub make_ready
{
	my ($round, @settings) = @_;
	my $server = $round->server('main', Torture::Scenarios::window(), Torture::Scenarios::lazy_log(),
		$round->leading, @settings);
	$server->sql('DROP TABLE orders', $_) for 'postgres', 'other';
	$round->allow(@CHANGING);
	return $server;
}

# A crash with a clock that goes back; then the sessions go on.
sub crash_and_go_on
{
	my ($round, $server, $databases, %options) = @_;    # back: by which the clock is behind; behind: for how long at first
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	my $back = $options{back} // one_of(0.001, 0.8, 1.5, 3, 3, 3, 3600);
	$server->step_clock(-$back);
	$round->fault('back while down', Torture::Scenarios::text_of(-$back));
	$round->target if chance(0.7);
	$server->start;
	$round->target($server, @$databases);
	$round->during($options{behind} // 0.5, 0);
	# Back into the time of the last IDs.
	$server->set_clock(-one_of(1, 2)) if $back > 10;
	$round->during(0.5, 0);
	$server->set_clock(20);
	$round->during(0.5, 0);
	$round->expect_ids($server, $_, 'snowflake_nextval()', 'instagram_nextval(1)') for @$databases;
	return;
}

# Transactions that drop, recreate and alter objects and make IDs, and are then rolled back or not,
# while others make IDs.
sub ddl
{
	my ($round) = @_;
	# A short window: what is known to be durable elsewhere covers little of what a transaction makes.
	my $server = make_ready($round, 'idgen.reserve_window = ' . one_of(10, 10, 10, 50, 300, 1000));
	my @changing = one_of([ 'postgres' ], [ 'other' ], [ 'postgres', 'other' ])->@*;
	# With a database where nothing changes, its mark would protect all.
	$round->target($server, chance(0.8) ? @changing : ());
	$round->sessions(mix => $BUILT_IN, modes => 'wait,lead', users => 'app,postgres');
	my $where = "$round->{dir}/targets-ddl";
	$round->target_of($where, $server, @changing);
	my $ends = one_of('rollback', 'rollback', 'rollback', 'rollback,savepoint', 'rollback,savepoint,commit');
	$round->sessions(threads => 1, target => $where, mix => $BUILT_IN, modes => 'wait', wait_ms => 500, wraps => one_of(50, 100, 100, 100, 100, 100),
		wrap => join('|', changes(), $ends eq 'rollback' && chance(0.3) ? @ONLY_BACK : ()),
		wrap_ms => one_of(200, '500,1000', '500,1000', 2000), ends => $ends);
	# The owner of a database may drop its schema, and so the extension in it.
	$round->sessions(threads => 1, target => $where, mix => $BUILT_IN, users => 'owner', wraps => 20,
		wrap => join('|', @ONLY_BACK), wrap_ms => 200, ends => 'rollback') if chance(0.15);
	$round->{faults}{"changes, $ends"}++;
	$round->during(2.2, 0);
	# At last nobody else makes IDs, who would write the mark where it stays.
	$round->target if chance(0.85);
	$round->during(1.2, 0);
	# After the last rollback.
	$round->target_of($where) if chance(0.9);
	usleep(between(1e5, 3e5));
	crash_and_go_on($round, $server, [ 'postgres', 'other' ]);
	return;
}

# The extension is dropped and made anew, IDs are made for long, and all of that is rolled back, again and again.
# At last nobody else makes IDs, who would write the mark where it stays; then a crash, and a clock that is behind
# by more than the server was away.
sub undone
{
	my ($round) = @_;
	my $server = make_ready($round, 'idgen.reserve_window = 10');
	my ($database) = one_of('postgres', 'other');
	$round->target($server, $database);
	$round->sessions(mix => $BUILT_IN, users => 'app,postgres');
	my $where = "$round->{dir}/targets-undone";
	$round->target_of($where, $server, $database);
	$round->sessions(threads => 1, target => $where, mix => $BUILT_IN, modes => 'wait', wait_ms => 500, wraps => 100,
		wrap => join('|', @ANEW), wrap_ms => one_of(1000, 2000), ends => 'rollback');
	$round->{faults}{rollback}++;
	$round->during(1, 0);
	$round->target;
	$round->during(1.7, 0);
	$round->target_of($where);
	usleep(between(1e5, 3e5));
	crash_and_go_on($round, $server, [ 'postgres', 'other' ], back => 3, behind => 1.5);
	return;
}

sub decide_prepared
{
	my ($round, $server, @ends) = @_;
	my ($status, $text) = $server->ask("SELECT database || ' ' || gid FROM pg_prepared_xacts ORDER BY gid");
	return if $status != 0;
	for (split /\n/, $text)
	{
		my ($database, $gid) = split / /;
		my $end = one_of(@ends);
		my ($done) = $server->ask("$end PREPARED '$gid'", $database);
		$round->fault(lc("$end prepared")) if $done == 0;
	}
	return;
}

# The same in transactions that are prepared and decided later, even after a crash.
sub prepared
{
	my ($round) = @_;
	my $server = make_ready($round);
	$round->target($server, chance(0.5) ? 'other' : ());
	$round->sessions(mix => $BUILT_IN, modes => 'wait,lead', users => 'app,postgres');
	my $where = "$round->{dir}/targets-ddl";
	$round->target_of($where, $server, 'other');
	my @changes = changes();
	my $wrap = join('|', @changes);
	$round->sessions(threads => 1, target => $where, mix => $BUILT_IN, modes => 'wait', wait_ms => 500, wraps => 60,
		wrap => $wrap, wrap_ms => '100,400', ends => 'prepare,prepare,rollback');
	my @ends = ('ROLLBACK', 'ROLLBACK', 'COMMIT');
	$round->during(2.5, 0.3, sub { decide_prepared($round, $server, @ends) });
	# A transaction that is open when the server dies.
	$round->target_of($where);
	my $how = one_of(@changes);
	my $status = 1;
	# The session that leaves may prepare one more meanwhile, and whoever waits for that one waits until it
	# is decided here.
	for (1 .. 5)
	{
		decide_prepared($round, $server, 'ROLLBACK');
		($status) = $server->ask("SET lock_timeout = '2s'; BEGIN; $how;
			SELECT count(snowflake_nextval()) FROM generate_series(1, 1000); PREPARE TRANSACTION 'last'", 'other');
		last if $status == 0;
	}
	$round->fault('prepared') if $status == 0;
	$round->during(0.5, 0);
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	my $back = one_of(0.001, 0.1, 0.4, 2);
	$server->step_clock(-$back);
	$round->target;
	$server->start;
	$round->target($server, 'postgres');
	$round->expect_within($back + 6, $server, 'postgres', 'app', 'snowflake_nextval()', 'instagram_nextval(2)')
	  or return;
	$round->target($server);
	$round->during(0.3, 0);
	decide_prepared($round, $server, @ends);
	$round->during(0.4, 0);
	crash_and_go_on($round, $server, [ 'postgres', 'other' ]);
	return;
}

# Locks that ordinary roles can hold while a server starts, in databases with and without idgen:
# nobody waits for them.
sub locks
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->allow('down');
	$server->sql('CREATE DATABASE owned OWNER owner');
	$round->target($server);
	$round->sessions(modes => 'wait', wait_ms => 4000, users => 'app,postgres',
		mix => 'single:2,array:2,arrays:1,batch:1,reserve:1,shard:2,named:1,seconds:1,insert:1');
	$round->during(0.5, 0);
	# The last IDs come from the database with the lock.
	$round->target($server, 'other');
	$round->during(0.5, 0);
	$round->pause_sessions($server);

	my @prepared = (
		[ 'ANALYZE pg_class', 'owned', 'owner' ],
		[ 'ANALYZE pg_class', 'other', 'owner' ],
		[ 'ALTER DATABASE owned RENAME TO renamed', 'postgres', 'owner' ],
		[ 'ALTER DATABASE other RENAME TO renamed', 'postgres', 'owner' ],
		[ 'ALTER DATABASE owned OWNER TO owner', 'postgres', 'owner' ],
		[ 'DROP EXTENSION idgen CASCADE', 'other', 'postgres' ],
		[ 'DROP SCHEMA public CASCADE', 'other', 'owner' ],
		[ 'ALTER SEQUENCE idgen_high_water_mark INCREMENT BY 2', 'other', 'postgres' ],
	);
	my @beside = (
		[ [ 'BEGIN', 'ANALYZE pg_class', 'SELECT pg_sleep(3600)' ], 'owned', 'owner' ],
		[ [ 'BEGIN', 'REINDEX TABLE pg_class', 'SELECT pg_sleep(3600)' ], 'owned', 'owner' ],
		[ [ 'BEGIN', 'ALTER DATABASE owned RENAME TO renamed', 'SELECT pg_sleep(3600)' ], 'postgres', 'owner' ],
		[ [ ('VACUUM FULL pg_class') x 500 ], 'owned', 'owner' ],
		[ [ ('VACUUM FULL pg_class') x 500 ], 'other', 'owner' ],
		[ [ map { ("CREATE DATABASE copied TEMPLATE owned STRATEGY file_copy", 'DROP DATABASE copied') } 1 .. 100 ], 'postgres', 'owner' ],
	);
	my $number = 0;
	for (1 .. one_of(0, 1, 1, 2))
	{
		my ($sql, $database, $user) = one_of(@prepared)->@*;
		my ($status) = $server->ask([ "SET lock_timeout = 1000", "BEGIN; $sql; PREPARE TRANSACTION 'lock-@{[++$number]}'" ], $database, $user);
		$round->fault('prepared', "$sql in $database: status $status") if $status == 0;
	}
	my $how = one_of('kill', 'fast', 'immediate');
	if ($how eq 'kill') { $server->kill_postmaster; }
	else { $server->stop($how); }
	$round->fault("down by $how");
	my $back = one_of(0, 0.001, 0.3, 1);
	$server->step_clock(-$back);
	$server->start;
	for (1 .. one_of($number ? 0 : 1, 1, 2))
	{
		my ($sql, $database, $user) = one_of(@beside)->@*;
		$server->begin($sql, $database, $user);
		$round->fault('held', join('; ', @$sql[0, 1]) . " in $database");
	}
	usleep(200_000);
	$round->target($server, 'postgres');
	$round->expect_within($back + 6, $server, 'postgres', 'app', 'snowflake_nextval()', 'instagram_nextval(1)',
		"idgen_nextval('fixed')") or return;
	$round->during(0.5, 0);
	$server->sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name <> 'torture' AND backend_type = 'client backend' AND pid <> pg_backend_pid()");
	$round->end_beside;
	decide_prepared($round, $server, 'ROLLBACK');
	$round->target($server);
	$round->during(0.4, 0);
	$server->set_clock(20);
	$round->during(0.4, 0);
	$round->expect_ids($server, $_) for 'postgres', 'other';
	return;
}

# A session that has loaded the module drops the database that made the last IDs, or the extension
# in it.
sub dropped
{
	my ($round) = @_;
	my $server = make_ready($round);
	$server->sql('CREATE DATABASE third TEMPLATE other OWNER owner');
	$round->target($server);
	$round->sessions(mix => $BUILT_IN, modes => 'wait,lead', users => 'app,postgres');
	my @module = one_of("LOAD 'idgen'", 'SELECT snowflake_nextval()');
	my @how = (
		[ 'third', 'postgres', 'DROP EXTENSION idgen CASCADE' ],
		[ 'third', 'postgres', 'BEGIN; DROP EXTENSION idgen CASCADE; COMMIT' ],
		[ 'third', 'postgres', 'DROP SCHEMA public CASCADE' ],
		[ 'third', 'owner', 'DROP SCHEMA public CASCADE' ],
		[ 'postgres', 'postgres', 'DROP DATABASE third' ],
		[ 'postgres', 'postgres', 'DROP DATABASE third WITH (FORCE)' ],
	);
	$round->during(0.5, 0);
	my ($database, $user, $sql) = one_of(@how)->@*;
	@module = ('SELECT snowflake_nextval()') if $user eq 'owner';
	$round->target($server, 'third');
	$round->during(0.8, 0);
	$round->pause_sessions($server);
	$server->sql([ @module, $sql ], $database, $user);
	$round->fault('dropped', "$sql by $user");
	crash_and_go_on($round, $server, one_of([ 'postgres' ], [ 'other' ], [ 'postgres', 'other' ]));
	return;
}

1;
