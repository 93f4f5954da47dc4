# The scheme of a fleet: settings for all, layouts that must be the same on all servers, a change of
# a generator's layout with every holder's consent, and servers that do not hear of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use List::Util qw(max min);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep time);

my $WIDE = 'timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z';
my $OTHER = 'timestamp:41, sequence:14, machine:8, tick:1ms, epoch:2020-01-01Z';

my $registry = new_registry('registry');
my %node;
for my $name ('a', 'b', 'c')
{
	my $machine = 11 + ord($name) - ord('a');
	$node{$name} = new_member($name, $registry, source => 'setting', machine => $machine,
		conf => "cluster_name = '$name'\nidgen.max_clock_lead = '7s'\n");
	$node{$name}->append_conf('postgresql.conf', "include_if_exists = '" . $node{$name}->data_dir . "/idgen_fleet.conf'");
	$node{$name}->append_conf('postgresql.conf', "idgen.reserve_window = '321ms'") if $name eq 'c';
	$node{$name}->reload;
	$node{$name}->safe_psql('postgres', "SELECT idgen_create_generator('orders', 'snowflake')");
	nextvals($node{$name}, 10, generator => 'orders');
}
my ($a, $b, $c) = @node{qw(a b c)};

sub all_nodes { return @node{ sort keys %node }; }

sub value_of { my ($node, $query) = @_; return $node->safe_psql('postgres', $query); }

sub show { my ($node, $setting) = @_; return value_of($node, "LOAD 'idgen'; SHOW $setting"); }

sub log_of { return slurp_file($_[0]->logfile); }

# --- Settings ---------------------------------------------------------------------------------------

value_of($a, "SELECT idgen_scheme_set('max_clock_lead', '5s')");
value_of($a, "SELECT idgen_scheme_set('idgen.reserve_window', '777ms')");
for my $node (all_nodes())
{
	wait_until('a setting of the fleet: ' . $node->name, sub { show($node, 'idgen.max_clock_lead') eq '5s' });
}
wait_until('another one', sub { show($b, 'idgen.reserve_window') eq '777ms' });
is( value_of($b, "SELECT setting, fleet, here, is_from_fleet, sourcefile = idgen_scheme_file(), sourceline > 0
	FROM idgen_fleet_setting ORDER BY 1"),
	"idgen.max_clock_lead|5s|5s|t|t|t\nidgen.reserve_window|777ms|777ms|t|t|t", 'pg_settings shows where it comes from');
is(value_of($c, "SELECT fleet, here, is_from_fleet FROM idgen_fleet_setting WHERE setting = 'idgen.reserve_window'"),
	'777ms|321ms|f', 'what is set locally wins, and the view shows it');
value_of($a, "SELECT idgen_scheme_set('max_clock_wait', '4s')");
is(value_of($b, "SET idgen.max_clock_wait = '3s'; SELECT here, source FROM idgen_fleet_setting WHERE setting = 'idgen.max_clock_wait'"),
	'3s|session', 'a session\'s own');
for my $wrong ([ 'machine_id', '5', '22023' ], [ 'max_clock_wait', 'soon', '22023' ], [ 'max_clock_wait', '-1', '22023' ],
	[ 'reserve_window', "1s'\nport = '1", '22023' ], [ 'clock_regression', 'guess', '22023' ])
{
	my ($state) = sqlstate_of($a, "SELECT idgen_scheme_set(\$\$$wrong->[0]\$\$, \$\$$wrong->[1]\$\$)");
	is($state, $wrong->[2], "refused: $wrong->[0] = $wrong->[1]");
}
is(value_of($a, "SELECT string_agg(version || ' ' || (changed_by ~ '^\\w+ on [abc]\@'), ', ' ORDER BY version) FROM idgen_scheme_history()"),
	'1 true, 2 true, 3 true', 'all versions, and who wrote them');
value_of($a, "SELECT idgen_scheme_set('max_clock_wait', NULL)");
value_of($c, 'SELECT idgen_scheme_restore(1)');
is(value_of($a, "SELECT string_agg(name || ' ' || value, ', ') FROM idgen_scheme() WHERE kind = 'setting'"),
	'max_clock_lead 5s', 'an earlier version again');
wait_until('it reaches others', sub { show($b, 'idgen.reserve_window') eq '1s' });
$b->restart;
is(show($b, 'idgen.max_clock_lead'), '5s', 'after a restart');

# A server whose configuration has lost the file. Its worker starts with the first ID.
nextvals($b, 1);
value_of($a, "SELECT idgen_scheme_set('reserve_window', '555ms')");
wait_until('a setting that it has', sub { show($b, 'idgen.reserve_window') eq '555ms' });
is(value_of($b, "SELECT count(*) FROM idgen_check_config() WHERE topic = 'scheme'"), '0', 'no finding');
unlink($b->data_dir . '/idgen_fleet.conf') or die;
$b->reload;
wait_until('a setting that is not read is a finding', sub {
	value_of($b, "SELECT string_agg(message, ', ' ORDER BY message) FROM idgen_check_config() WHERE topic = 'scheme'") eq
	  'this server does not read idgen.reserve_window from the scheme of the fleet' });
is(value_of($b, "SELECT count(*) FROM idgen_check_config() WHERE topic = 'scheme' AND hint LIKE
	'%include_if_exists ''' || idgen_scheme_file() || '''%'"), '1', 'and its hint has the line');
value_of($a, "SELECT idgen_scheme_set('reserve_window', NULL)");
wait_until('the file is written again', sub { show($b, 'idgen.max_clock_lead') eq '5s' });

# --- Layouts that must be the same ------------------------------------------------------------------

value_of($_, "SELECT idgen_create_layout('inv', 'timestamp:41, machine:8, sequence:14', '1 ms', '2020-01-01Z')") for $a, $b;
value_of($c, "SELECT idgen_create_layout('inv', 'timestamp:41, sequence:14, machine:8', '1 ms', '2020-01-01Z')");
value_of($_, "SELECT idgen_nextval('inv')") for all_nodes();
value_of($a, "SELECT idgen_scheme_add('inv')");
my $open = $b->background_psql('postgres', on_error_stop => 0);
my ($state, $out, $err);
wait_until('another layout of this name gets no lease', sub {
	($state, $out, $err) = sqlstate_of($c, "SELECT idgen_nextval('inv')");
	return $state eq '55000'; });
like($err, qr/Here: \Q$OTHER\E\. Version \d+ of the scheme: \Q$WIDE\E\./, 'its error shows both');
is((sqlstate_of($c, "SELECT idgen_scheme_add('inv')"))[0], '42710', 'nor can it be added');
like($open->query("SELECT idgen_nextval('inv')"), qr/^\d+$/, 'others go on');
value_of($c, "SELECT idgen_nextval('orders')");
$open->quit;
value_of($a, "SELECT idgen_scheme_remove('inv')");
wait_until('no longer in the scheme', sub { (sqlstate_of($c, "SELECT idgen_nextval('inv')"))[0] eq '' });
is((sqlstate_of($a, "SELECT idgen_scheme_add('snowflake')"))[0], '42809', 'built-in layouts are no matter of the scheme');
is((sqlstate_of($a, "SELECT idgen_scheme_remove('inv')"))[0], '42704', 'not there');

# --- Rights -----------------------------------------------------------------------------------------

value_of($a, "CREATE ROLE plain; GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO plain; GRANT CREATE ON SCHEMA public TO plain");
for my $call ("idgen_scheme()", "idgen_scheme_history()", "idgen_scheme_set('max_clock_lead', '1s')", "idgen_scheme_add('orders')",
	"idgen_scheme_remove('orders')", "idgen_scheme_restore(1)", "idgen_propose_change('orders', '$WIDE')",
	"idgen_withdraw_change('orders')", "idgen_fleet()", "idgen_scheme_file()")
{
	($state) = sqlstate_of($a, "SET ROLE plain; SELECT $call");
	is($state, '42501', "not for everybody: $call");
}

# --- A change ---------------------------------------------------------------------------------------

is((sqlstate_of($a, "SELECT idgen_change_layout('orders', '$WIDE')"))[0], '0A000', 'one server alone cannot change');
is((sqlstate_of($a, "SELECT idgen_propose_change('orders', '$WIDE')"))[0], '55000', 'a generator that is not in the scheme');
value_of($a, "SELECT idgen_scheme_add('orders')");
($state, $out, $err) = sqlstate_of($a, "SELECT idgen_propose_change('orders', '$WIDE', clock_timestamp() + interval '1 s')");
is($state, '22023', 'an instant before the end of a grant');
like($err, qr/"\w\@.*" may make IDs until .*The earliest instant is /s, 'the error says whose and from when on');
is((sqlstate_of($a, "SELECT idgen_propose_change('orders', 'timestamp:41, machine:3, sequence:19, tick:1ms, epoch:2020-01-01Z')"))[0],
	'22023', 'a layout without this machine ID');
is((sqlstate_of($a, "SELECT idgen_propose_change('orders', 'timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2025-01-01Z')"))[0],
	'22023', 'a layout whose IDs would be smaller');

sub layout_on { my ($node) = @_; return value_of($node, "SELECT layout FROM idgen_generators WHERE generator = 'orders'"); }

# As soon as may be.
my $SOON = "(SELECT max(used_until) + interval '5 s' FROM idgen_fleet())";

# Called off before the agreement: a worker that hangs keeps it from coming.
my $hung = worker_pid($c);
kill('STOP', $hung);
my $at = value_of($a, "SELECT idgen_propose_change('orders', '$WIDE', clock_timestamp() + interval '1 hour')");
wait_until('the others agree', sub {
	value_of($b, "SELECT string_agg(agrees::text, ' ' ORDER BY holder) FROM idgen_fleet()") eq 'true true false' });
is((sqlstate_of($b, "SELECT idgen_propose_change('orders', '$WIDE')"))[0], '55000', 'one proposal at a time');
is((sqlstate_of($b, "SELECT idgen_scheme_remove('orders')"))[0], '55000', 'a proposal keeps the generator in the scheme');
is(value_of($b, "SELECT idgen_withdraw_change('orders')"), $at, 'called off by another server');
is(value_of($a, "SELECT count(*) FROM idgen_scheme() WHERE kind = 'proposed'"), '0', 'no proposal');
kill('CONT', $hung);
value_of($_, "SELECT idgen_nextval('orders')") for all_nodes();
is(layout_on($c), 'snowflake', 'nothing has changed');

# A worker that hangs: its holder's term ends, and then the rest agrees. It has made no ID of the
# instant, and makes none before it knows.
$hung = worker_pid($c);
kill('STOP', $hung);
$at = value_of($a, "SELECT extract(epoch FROM idgen_propose_change('orders', '$WIDE', $SOON))");
wait_until('agreed without the one that is gone', sub { layout_on($b) =~ / until .*, then / });
like(log_of($a) . log_of($b), qr/all \d+ holders of the registry agreed on the change of generator "orders"/, 'the log says it');
is(layout_on($c), 'snowflake', 'it knows nothing');
is(layout_on($a), layout_on($b), 'the same on both');
is((sqlstate_of($c, "SET idgen.max_lease_wait = '100ms'; SELECT idgen_nextval('orders')"))[0], '55000', 'and makes no IDs');
kill('CONT', $hung);
my @before = map { [ nextvals($_, 100, generator => 'orders') ] } all_nodes();
wait_until('it learns of it with its lease', sub { layout_on($c) eq layout_on($a) });
my $text = layout_on($a);
usleep(1e6 * (0.2 + value_of($a, "SELECT greatest($at - extract(epoch FROM clock_timestamp()), 0)")));
my @after = map { [ nextvals($_, 100, generator => 'orders') ] } all_nodes();
no_duplicates('a change', @before, @after);
my $largest = max(map { @$_ } @before);
my $smallest = min(map { @$_ } @after);
cmp_ok($largest, '<', $smallest, 'all IDs after the instant are greater than all before');
for my $i (0 .. 2)
{
	my $ids = join(',', @{ $before[$i] }, @{ $after[$i] });
	is(value_of($a, "SELECT DISTINCT (idgen_parse(id, 'orders')).machine_id FROM unnest('{$ids}'::bigint[]) id"), 11 + $i,
		'each is read by its layout');
	is(value_of($a, "SELECT count(*) FROM unnest('{" . join(',', @{ $after[$i] }) . "}'::bigint[]) id
		WHERE (idgen_parse(id, '$WIDE')).machine_id = @{[ 11 + $i ]}"), 100, 'those after the instant are of the new one');
}
is((sqlstate_of($a, "SELECT idgen_withdraw_change('orders')"))[0], '55000', 'it cannot be called off any more');
is((sqlstate_of($a, "SELECT idgen_scheme_remove('orders')"))[0], '55000', 'the generator stays in the scheme');

# --- A change that was agreed on and is still ahead is called off: all have to agree again. ----------

value_of($a, "SELECT idgen_propose_change('orders', '$OTHER', clock_timestamp() + interval '1 hour')");
wait_until('agreed', sub { layout_on($c) =~ /, then .*, then / });
value_of($c, "SELECT idgen_withdraw_change('orders')");
wait_until("called off on $_", sub { layout_on($node{$_}) eq $text }) for sort keys %node;

# --- A server that was away for a change, one that comes from an old backup, and one whose database
# --- is altered by hand. ------------------------------------------------------------------------------

$c->stop('immediate');
$at = value_of($a, "SELECT extract(epoch FROM idgen_propose_change('orders', '$OTHER', $SOON))");
wait_until('agreed without the one that was killed', sub { layout_on($b) =~ /, then .*, then / });
usleep(1e6 * (0.2 + value_of($a, "SELECT greatest($at - extract(epoch FROM clock_timestamp()), 0)")));
my @all = map { [ nextvals($_, 100, generator => 'orders') ] } $a, $b;
$c->start;
push @all, [ nextvals($c, 100, generator => 'orders') ];
no_duplicates('a server that was away', @after, @all);
is(layout_on($c), layout_on($a), 'it has the layouts of the scheme');
is(value_of($c, "SELECT count(*) FROM unnest('{" . join(',', @{ $all[-1] }) . "}'::bigint[]) id
	WHERE (idgen_parse(id, '$OTHER')).machine_id = 13"), 100, 'and makes IDs of the last one');
value_of($c, "ALTER SERVER idgen_orders OPTIONS (SET layout 'snowflake')");
value_of($c, "SELECT idgen_nextval('orders')");
is(layout_on($c), layout_on($a), 'altered by hand, and set right when the next ID is asked for');

# Stages whose time has come are not taken from a database: IDs of them may exist.
value_of($c, "ALTER SERVER idgen_orders OPTIONS (SET layout 'snowflake until 2021-01-01Z, then $WIDE')");
($state, $out, $err) = sqlstate_of($c, "SET idgen.max_lease_wait = '2s'; SELECT idgen_nextval('orders')");
is($state, '55000', 'another generator than in the scheme');
is(layout_on($c), "snowflake until 2021-01-01Z, then $WIDE", 'it is left as it is');
like(log_of($c), qr/generator "orders" of database "postgres" is another one than in the scheme/, 'the log says it');
value_of($c, "ALTER SERVER idgen_orders OPTIONS (SET layout 'snowflake')");
value_of($c, "SELECT idgen_nextval('orders')");

# A generator of which a change was ever proposed stays in the scheme.
value_of($a, "SELECT idgen_create_generator('later', 'snowflake'), idgen_scheme_add('later')");
value_of($a, "SELECT idgen_propose_change('later', '$WIDE', clock_timestamp() + interval '1 hour'), idgen_withdraw_change('later')");
wait_until('called off', sub { value_of($a, "SELECT value FROM idgen_scheme() WHERE name = 'later'") eq 'snowflake' });
is((sqlstate_of($a, "SELECT idgen_scheme_remove('later')"))[0], '55000', 'a server that was away might know of it');

# --- A change that is called off while a server is down, which comes back after the instant ----------

value_of($c, 'CREATE DATABASE second');
$c->safe_psql('second', "CREATE EXTENSION idgen; SELECT idgen_create_generator('off', 'snowflake')");
value_of($_, "SELECT idgen_create_generator('off', 'snowflake')") for all_nodes();
value_of($a, "SELECT idgen_scheme_add('off')");
my @used = map { [ nextvals($_, 10, generator => 'off') ] } all_nodes();
sub off_in { my ($database) = @_; return $c->safe_psql($database, "SELECT layout FROM idgen_generators WHERE generator = 'off'"); }
# Called off, and proposed again for the same instant.
my $instant = value_of($a, "SELECT idgen_propose_change('off', '$WIDE', date_trunc('second', clock_timestamp()) + interval '25 s')");
wait_until("agreed: $_", sub { off_in($_) =~ /, then / }) for 'postgres', 'second';
my $called_off = off_in('postgres');
value_of($a, "SELECT idgen_withdraw_change('off')");
wait_until("called off: $_", sub { off_in($_) eq 'snowflake' }) for 'postgres', 'second';
is(value_of($a, "SELECT idgen_propose_change('off', '$WIDE', '$instant')"), $instant, 'once more');
wait_until("agreed: $_", sub { off_in($_) eq $called_off }) for 'postgres', 'second';
$c->stop('fast');
value_of($a, "SELECT idgen_withdraw_change('off')");
wait_until('called off', sub { value_of($b, "SELECT value FROM idgen_scheme() WHERE name = 'off'") eq 'snowflake' });
# It comes back at the end of this test.

# --- A registry that was restored from a backup has forgotten versions ---------------------------------

SKIP:
{
	skip 'its tables are edited', 1 unless $KIND eq 'postgresql';
	value_of($a, "SELECT idgen_scheme_set('max_clock_lead', '6s')");
	wait_until("it reaches $_", sub { show($node{$_}, 'idgen.max_clock_lead') eq '6s' }) for 'a', 'b';
	my ($version, $scheme) = split(/\|/, $registry->safe_psql('postgres', 'SELECT version, scheme FROM idgen_registry.scheme ORDER BY 1 DESC LIMIT 1'), 2);
	sub forget
	{
		$registry->safe_psql('postgres', "BEGIN; DELETE FROM idgen_registry.scheme WHERE version = $version;
			UPDATE idgen_registry.pool SET version = $version - 1; COMMIT");
		return;
	}
	sub remember
	{
		my ($text) = @_;
		$registry->safe_psql('postgres', "BEGIN; INSERT INTO idgen_registry.scheme VALUES ('default', $version, '$text', 'a person', clock_timestamp());
			UPDATE idgen_registry.pool SET version = $version; COMMIT");
		return;
	}
	# What the next ID says.
	sub error_of { my ($node) = @_; return (sqlstate_of($node, "SET idgen.max_lease_wait = '300ms'; SELECT idgen_nextval('orders')"))[2]; }
	# Lets the worker look at the registry again.
	sub looks_again
	{
		my ($node) = @_;
		my $before = value_of($node, 'SELECT lease_failures FROM idgen_stat_server');
		return wait_until('it looks again', sub { value_of($node, 'SELECT lease_failures FROM idgen_stat_server') > $before + 1 });
	}
	my $forgotten = "the registry has forgotten version $version of the scheme";
	forget();
	for my $node ($a, $b)
	{
		wait_until('noticed on ' . $node->name, sub { log_of($node) =~ /$forgotten/ });
		like(error_of($node), qr/it has forgotten version $version of the scheme/, 'no IDs without what this server went by');
	}
	is(value_of($b, "SELECT message || ', ' || (hint LIKE '%remove \"' || idgen_scheme_file() || '\"%') FROM idgen_check_config() WHERE topic = 'scheme' AND severity = 'error'"),
		"$forgotten, true", 'a finding, and what to do');
	kill('KILL', worker_pid($a));
	$b->restart;
	for my $node ($a, $b)
	{
		wait_until('noticed after ' . ($node == $a ? 'a crash' : 'a restart'), sub { error_of($node); (() = log_of($node) =~ /$forgotten/g) == 2 });
		like(error_of($node), qr/it has forgotten version $version of the scheme/, 'no IDs then either');
	}
	remember("setting max_clock_lead 9s\n");
	for my $node ($a, $b)
	{
		looks_again($node);
		like(error_of($node), qr/it has forgotten version $version of the scheme/, 'no IDs with another text of this number');
	}
	forget();
	remember($scheme);
	for my $node ($a, $b)
	{
		wait_until('it is there again', sub { error_of($node) eq '' });
		is(value_of($node, "SELECT count(*) FROM idgen_check_config() WHERE topic = 'scheme'"), '0', 'no finding');
	}
	# A person lets it go.
	forget();
	wait_until('forgotten', sub { (() = log_of($b) =~ /$forgotten/g) == 3 });
	unlink($_->data_dir . '/idgen_fleet.conf') or die for $a, $b;
	wait_until('they go by what is there: ' . $_->name, sub { error_of($_) eq '' && show($_, 'idgen.max_clock_lead') eq '5s' }) for $a, $b;
}

# --- The server that was down -------------------------------------------------------------------------

usleep(1e6 * (0.2 + value_of($a, "SELECT greatest(extract(epoch FROM '$instant' - clock_timestamp()), 0)")));
$c->start;
is(off_in('postgres'), $called_off, 'it has the change in its catalogs, and the instant is over');
for my $database ('postgres', 'second')
{
	push @used, [ split(/\n/, $c->safe_psql($database, "SELECT idgen_nextval('off') FROM generate_series(1, 10)")) ];
	is(off_in($database), 'snowflake', "$database: the stage is taken from the generator");
}
push @used, map { [ nextvals($_, 10, generator => 'off') ] } $a, $b;
no_duplicates('a change that was called off', @used);
is(value_of($a, "SELECT bool_and(idgen_timestamp(id, 'snowflake') > '$instant' AND (idgen_parse(id, 'snowflake')).machine_id = 13)
	FROM unnest('{" . join(',', map { @$_ } @used[ 3, 4 ]) . "}'::bigint[]) id"), 't', 'IDs after the instant, of the layout before');
# The same stage by hand is taken away again. One like it is not, since IDs of it may exist.
value_of($c, "ALTER SERVER idgen_off OPTIONS (SET layout '$called_off')");
value_of($c, "SELECT idgen_nextval('off')");
is(off_in('postgres'), 'snowflake', 'by hand');
for my $like ($called_off =~ s/Z, then/.001Z, then/r, $called_off =~ s/machine:8, sequence:14/machine:9, sequence:13/r,
	$called_off =~ s/snowflake/snowflake until 2021-01-01Z, then $OTHER/r)
{
	value_of($c, "ALTER SERVER idgen_off OPTIONS (SET layout '$like')");
	is((sqlstate_of($c, "SET idgen.max_lease_wait = '1s'; SELECT idgen_nextval('off')"))[0], '55000', "no IDs: $like");
	is(off_in('postgres'), $like, 'it is left as it is');
}
value_of($c, "ALTER SERVER idgen_off OPTIONS (SET layout 'snowflake')");
value_of($c, "SELECT idgen_nextval('off')");

done_testing();
