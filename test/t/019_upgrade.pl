# pg_upgrade, twice, by copying files and by linking them: layouts in tables and in indexes, generators, also
# ones whose layout changes, the high-water mark while the new server's clock is behind, also that of a database that
# was dropped, and what idgen_start_over() left behind. Both servers are of one version, for which pg_upgrade does all the
# same, unless dev/upgrade runs this.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UpgradeTest;

plan skip_all => 'libfaketime is not installed' unless have_faketime;

my $quick = "idgen.max_clock_wait = '100ms'\nidgen.reserve_window = '500ms'\n";

my $wide = 'timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z';

my $old = new_server('old', clock => '+0', conf => $quick, old_install());
$old->safe_psql('postgres', q{
	CREATE ROLE clerk;
	CREATE DATABASE other;
	CREATE DATABASE gone;
	CREATE DATABASE shop OWNER clerk;
	SELECT idgen_create_layout('orders', 'timestamp:42, machine:6, sequence:15', epoch => '2024-01-01Z');
	SELECT idgen_create_generator('fixed', 'orders', machine_id => 7);
	SELECT idgen_create_generator('inherits', 'orders');
	CREATE TABLE orders (
		id bigint PRIMARY KEY DEFAULT idgen_nextval('fixed'),
		made_at timestamptz GENERATED ALWAYS AS (idgen_timestamp(id, 'orders')) STORED);
	CREATE INDEX ON orders (idgen_timestamp(id, 'orders'));
	INSERT INTO orders SELECT FROM generate_series(1, 1000);
	CREATE TABLE kept (layout idgen_layout PRIMARY KEY, name text);
	INSERT INTO kept SELECT value, layout FROM idgen_layouts;
	CREATE INDEX ON kept USING hash (layout)});
$old->safe_psql($_, 'CREATE EXTENSION idgen') for qw(gone shop);
$old->safe_psql('other', 'CREATE EXTENSION idgen; CREATE EXTENSION idgen_tools');
# The layouts of these change: one's in two hours, and one's later.
$old->safe_psql('postgres', "SELECT idgen_create_generator('$_', 'snowflake')") for qw(changes may_change);
$old->safe_psql('postgres', "SELECT idgen_change_layout('changes', '$wide', clock_timestamp() + '2 hours')");
$old->safe_psql('postgres', "SELECT idgen_change_layout('may_change', '$wide', clock_timestamp() + '10 days')");
# A mark that an owner restores holds that database alone, also after an upgrade.
$old->safe_psql('shop', q{SET ROLE clerk;
	INSERT INTO idgen_restore SELECT (1000 * extract(epoch FROM now() + '3 hours'))::bigint::text::public.idgen_mark});

my $shown = q{
	SELECT layout, value, fields, tick, epoch, owner FROM idgen_layouts;
	SELECT * FROM idgen_generators;
	SELECT * FROM kept ORDER BY name;
	SELECT held_until_ms, fresh_machine FROM idgen_get_mark()};
my $orders = q{SELECT count(*), sum(id) FROM orders WHERE idgen_timestamp(id, 'orders') > '2024-02-01Z'};

sub mark { return $_[0]->safe_psql('postgres', 'SELECT mark_ms FROM idgen_get_mark()'); }

sub is_whole
{
	my ($name, $node, $expected, $mark) = @_;
	is($node->safe_psql('postgres', $shown), $expected, "$name: layouts, generators, values, the hold");
	# It may be later: other databases' marks count.
	cmp_ok(mark($node), '>=', $mark, "$name: the mark");
	my $count = $node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM orders');
	for my $off (qw(seqscan indexscan))
	{
		my $set = "SET enable_$off = off; SET enable_bitmapscan = off;";
		is($node->safe_psql('postgres', "$set $orders"), $count, "$name: the rows, with $off off");
		is($node->safe_psql('postgres', "$set SELECT name FROM kept WHERE layout = 'orders'"), 'orders',
			"$name: a layout, with $off off");
	}
	return;
}

my %made = map { $_ => [ nextvals($old, 1000, generator => $_) ] } qw(fixed changes may_change);
# A database whose IDs are ahead of all others' is dropped. The session knows idgen, so it leaves the mark behind.
set_clock($old, '+2000');
my @gone = nextvals($old, 1000, database => 'gone');
is($old->psql('postgres', "LOAD 'idgen'; DROP DATABASE gone"), 0, 'a database is dropped');
my ($expected, $mark) = ($old->safe_psql('postgres', $shown), mark($old));

# Copying leaves the old server as it is, so that it can be upgraded once more.
my @modes = ([]);
push @modes, [ ($old->pg_version < 18 && `pg_config --version` =~ /(\d+)/ && $1 >= 18) ? '--swap' : '--link' ] if from_other_version();
my $new;
for my $mode (@modes)
{
	my $name = join(' ', 'upgraded', @$mode);
	$new->stop if $new;
	$new = upgrade($old, 'new' . @$mode, $quick, @$mode);

	# The new server's clock is an hour behind: no ID comes again, in no database.
	start_with_clock($new, '-3600');
	is_whole($name, $new, $expected, $mark);
	is((sqlstate_of($new, 'SELECT snowflake_nextval()'))[0], '58000', "$name: the clock is behind: refused");
	is((sqlstate_of($new, 'SELECT snowflake_nextval()', database => 'other'))[0], '58000', "$name: in the other database, too");
	set_clock($new, '+1000');
	is((sqlstate_of($new, 'SELECT snowflake_nextval()'))[0], '58000', "$name: the mark of the database that was dropped");
	set_clock($new, '+3000');
	is_sound($name, $new, 'other', 'postgres', 'other');
	my %after = map { $_ => [ nextvals($new, 1000, generator => $_) ] } keys %made;
	check_ids("$name: generator $_", $made{$_}, $after{$_}) for sort keys %made;
	check_ids("$name: the default", \@gone, [ nextvals($new, 1000) ]);
	is((sqlstate_of($new, 'SELECT snowflake_nextval()', database => 'shop'))[0], '55000', "$name: the owner's mark holds its database");
	is($new->safe_psql('postgres', 'INSERT INTO orders SELECT FROM generate_series(1, 10); SELECT count(*) FROM orders'), 1010,
		"$name: a default works");

	# One change is called off, and one comes.
	$new->safe_psql('postgres', q{SELECT idgen_cancel_change('may_change')});
	set_clock($new, '+86400');
	my %later = map { $_ => [ nextvals($new, 1000, generator => $_) ] } qw(changes may_change);
	check_ids("$name: generator $_, later", $made{$_}, $after{$_}, $later{$_}) for sort keys %later;
	for my $generator (sort keys %later)
	{
		my $layout = $generator eq 'changes' ? $wide : 'snowflake';
		is($new->safe_psql('postgres', "SELECT bool_and(idgen_timestamp(id, '$layout') > clock_timestamp() - interval '1 hour'
				AND idgen_timestamp(id, '$generator') = idgen_timestamp(id, '$layout'))
			FROM unnest('{" . join(',', @{ $later{$generator} }) . "}'::bigint[]) id"), 't', "$name: IDs of $generator are of $layout");
	}
}

# Again, after IDs were made a day ahead, and idgen_start_over().
set_clock($new, '+3000');
$new->safe_psql('postgres', 'SELECT idgen_start_over(9)');
restart_with_clock($new, '+3000');
($expected, $mark) = ($new->safe_psql('postgres', $shown), mark($new));
like($expected, qr/^\d{10,}\|9$/m, 'there is a hold');
my $newer = upgrade($new, 'newer', $quick, '--link');
start_with_clock($newer, '+3010');
is_whole('upgraded again', $newer, $expected, $mark);
for my $database (qw(postgres other))
{
	is((sqlstate_of($newer, 'SELECT snowflake_nextval()', database => $database))[0], '58000',
		"$database: the hold holds");
	check_ids("$database: the fresh machine ID", [ nextvals($newer, 100, database => $database, set => 'SET idgen.machine_id = 9') ]);
}
$newer->stop;

# Text that looks like the upgrade's changes no server that runs.
{
	my $plain = new_server('plain', clock => '+0', conf => $quick);
	my @made = nextvals($plain, 100);
	my ($state, $out) = sqlstate_of($plain, q{SELECT 'upgrade:9999999999999,0,-1,0'::idgen_mark});
	is($state, '', 'the text is read');
	is((sqlstate_of($plain, "SELECT 'upgrade:$_'::idgen_mark"))[0], '22P02', "and not upgrade:$_") for '', 'x', '1,2,3,4,5', '-1';
	is((sqlstate_of($plain, q{INSERT INTO idgen_restore VALUES ('upgrade')}))[0], '22P02', 'no mark to restore');
	check_ids('nothing has changed', \@made, [ nextvals($plain, 100) ]);
	$plain->stop;
}

done_testing();
