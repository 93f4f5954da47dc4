# pg_upgrade of a server that is in the middle of its work: it holds its machine ID in a registry, a change of a layout has
# been proposed to all servers of it, its tickets come from sequences and from a ticket server, keys are being migrated,
# and samples were taken. Both servers are of one version, unless dev/upgrade runs this.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use PostgreSQL::Test::Utils;
use Test::More;
use UpgradeTest;

my $wide = 'timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z';

# The other servers are of the later version.
my $registry = new_registry('registry');
my $tickets = new_server('tickets');
$tickets->safe_psql('postgres', 'CREATE SEQUENCE far');
# Long terms: whoever does not answer holds up a change.
my %member = (source => 'setting', preload => 1, term_s => 60);
my $fellow = new_member('fellow', $registry, %member, machine => 12);
my $conf = sprintf("idgen.ticket_servers = 'postgresql:///postgres?host=%s&port=%d'\n", $tickets->host, $tickets->port);
my $old = new_member('old', $registry, %member, machine => 11, conf => $conf, old_install());
$old->safe_psql('postgres', 'CREATE EXTENSION idgen_tools; CREATE DATABASE bare');
$old->safe_psql('bare', 'CREATE EXTENSION idgen; CREATE EXTENSION idgen_tools');

sub value_of { my ($node, $query) = @_; return $node->safe_psql('postgres', $query); }
sub rows_of { return split(/\n/, value_of(@_)); }

# Steps of a migration, as idgen_plan_migration() has them.
sub migrate
{
	my ($node, $table, $which) = @_;
	value_of($node, "SELECT statement FROM idgen_plan_migration('$table', 'id', 'snowflake') WHERE statement ~ '$which' ORDER BY step \\gexec");
	return value_of($node, "SELECT state FROM idgen_migrations WHERE relation = '$table'::regclass");
}

# --- The work ----------------------------------------------------------------------------------------

value_of($_, "SELECT idgen_create_generator('orders', 'snowflake')") for $old, $fellow;
value_of($old, "SELECT idgen_scheme_add('orders')");
value_of($old, 'CREATE SEQUENCE near; CREATE SEQUENCE counter; CREATE SEQUENCE far');
value_of($old, "SELECT ticket_attach('far')");
for my $table ('half', 'over')
{
	value_of($old, qq{
		CREATE TABLE $table (id serial PRIMARY KEY, t text);
		CREATE TABLE ${table}_child (id serial PRIMARY KEY, parent int REFERENCES $table, pad text);
		CREATE INDEX ON ${table}_child (parent);
		INSERT INTO $table (t) SELECT 'p' FROM generate_series(1, 100);
		INSERT INTO ${table}_child (parent, pad) SELECT 1 + i % 100, repeat('x', 200) FROM generate_series(1, 2000) i});
}
is(migrate($old, 'over', '.'), 'cut over', 'one migration is cut over');
is(migrate($old, 'half', 'prepare'), 'mapping', 'one is at work');
value_of($old, q{DO $$ BEGIN WHILE NOT idgen_tools_map('half', 'id', 5000) LOOP END LOOP;
	FOR i IN 1 .. 12 LOOP PERFORM idgen_tools_fill('half', 'id', 1); END LOOP; END $$});
my $progress = 'SELECT relation::regclass, column_name, number, member::regclass, name, next_block, filled FROM idgen_migration_column ORDER BY 1, 3';
like(value_of($old, $progress), qr/^half\|id\|2\|half_child\|parent\|[1-9]\d*\|f$/m, 'in the middle of a table');
is(value_of($old, 'SELECT idgen_exhaustion_sample() > 3'), 't', 'samples are taken');
my $samples = 'SELECT relation, attnum, taken_at, value FROM idgen_exhaustion_samples ORDER BY relation::text, attnum';

my @ids = nextvals($old, 1000);
my @orders = nextvals($old, 1000, generator => 'orders');
my @near = rows_of($old, "SELECT ticket_nextval('near') FROM generate_series(1, 100)");
my @counter = rows_of($old, "SELECT lamport_tick('counter') FROM generate_series(1, 100)");
my @far = rows_of($old, "SELECT ticket_nextval('far') FROM generate_series(1, 1500)");
my @hlc = rows_of($old, 'SELECT hlc_now() FROM generate_series(1, 100)');
# The other server does not answer, so the change is not decided when this one stops.
my $hung = worker_pid($fellow);
kill('STOP', $hung);
value_of($old, "SELECT idgen_propose_change('orders', '$wide', '2036-01-01Z')");
my %expected = map { $_ => value_of($old, $_) } $progress, $samples;

# --- Upgrades ----------------------------------------------------------------------------------------

# Copying leaves the old server as it is, so that it can be upgraded once more.
for my $mode (from_other_version() ? [] : (), ['--link'])
{
	my $name = join(' ', 'upgraded', @$mode);
	my $new = upgrade($old, 'new' . @$mode, conf_of($registry, %member, machine => 11, conf => $conf), @$mode);
	$new->start;

	# The registry knows the new server under the old one's machine ID.
	check_ids("$name: IDs", \@ids, [ nextvals($new, 1000) ]);
	is(machine_of($new), 11, "$name: the machine ID");
	my @after = nextvals($new, 1000, generator => 'orders');
	check_ids("$name: IDs of a generator of the scheme", \@orders, \@after);
	if ($hung)
	{
		is(value_of($new, "SELECT layout FROM idgen_generators WHERE generator = 'orders'"), 'snowflake', "$name: nothing is decided");
		kill('CONT', $hung);
		$hung = 0;
	}
	for my $node ($new, $fellow)
	{
		wait_until("$name: the change is decided: " . $node->name, sub {
			value_of($node, "SELECT layout FROM idgen_generators WHERE generator = 'orders'") eq "snowflake until 2036-01-01Z, then $wide" });
	}
	check_ids("$name: IDs before the instant", \@orders, \@after, [ nextvals($new, 1000, generator => 'orders') ]);
	no_duplicates("$name: with the other server's", \@after, [ nextvals($fellow, 1000, generator => 'orders') ]);

	# Tickets.
	is(value_of($new, "SELECT ticket_nextval('near')"), $near[-1] + 1, "$name: no ticket is skipped");
	check_ids("$name: Lamport's clock", \@counter, [ rows_of($new, "SELECT lamport_tick('counter') FROM generate_series(1, 100)") ]);
	check_ids("$name: hybrid clock", \@hlc, [ rows_of($new, 'SELECT hlc_now() FROM generate_series(1, 100)') ]);
	push @far, rows_of($new, "SELECT ticket_nextval('far') FROM generate_series(1, 1500)");
	check_ids("$name: numbers of the ticket server", \@far);

	# Tools: what they keep is by OID.
	is(value_of($new, $_), $expected{$_}, "$name: " . ($_ eq $progress ? 'how far the migration is' : 'samples')) for $progress, $samples;
	my $lost = 'SELECT count(*) FROM half_child WHERE parent_idgen_new IS NULL';
	cmp_ok(value_of($new, $lost), '>', 0, "$name: rows without a new key");
	is(migrate($new, 'half', '.'), 'cut over', "$name: the migration goes on to its end");
	value_of($new, qq{INSERT INTO ${_}_child (parent) SELECT id FROM $_}) for 'half', 'over';
	is(value_of($new, qq{
		SELECT count(*), count(*) FILTER (WHERE p.id_idgen_old = c.parent_idgen_old),
		       count(*) FILTER (WHERE snowflake_machine(p.id) = 11 AND snowflake_timestamp(p.id) <= clock_timestamp())
		FROM ${_}_child c JOIN $_ p ON p.id = c.parent}), '2100|2100|2100', "$name: $_: all rows are there") for 'half', 'over';
	value_of($new, q{CALL idgen_migration_roll_back('half', 'id')});
	value_of($new, q{CALL idgen_migration_finish('over', 'id')});
	is(value_of($new, qq{SELECT count(*), pg_typeof(min(p.id)) FROM ${_}_child c JOIN $_ p ON p.id = c.parent}),
		'2100|' . ($_ eq 'half' ? 'integer' : 'bigint'), "$name: $_: after the end") for 'half', 'over';
	is(value_of($new, 'SELECT count(*) FROM idgen_migrations'), 0, "$name: no migration is left");
	is_sound($name, $new, 'bare', 'postgres', 'bare');
	$new->stop;
}

$_->stop for $fellow, $tickets, $registry;
done_testing;
