# Both extensions are trusted: whoever may create in a database installs them, and their scripts run as the superuser that
# made the cluster, in a schema that may be the installer's own. Somebody has planted objects in every schema of the path
# before (lib/plants.sql). None of them runs with other rights than his own: neither when the scripts run, nor when a
# superuser then uses everything that they made, with a search_path that the owner of the database chose.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('trusted');
$node->init;
$node->append_conf('postgresql.conf', "max_locks_per_transaction = 512\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN; CREATE ROLE maker LOGIN; CREATE ROLE outsider LOGIN;
	CREATE ROLE neighbour LOGIN');
$node->safe_psql('postgres', "CREATE DATABASE $_->[0] OWNER $_->[1]")
  for [ 'victim', 'mallory' ], [ 'shared', 'neighbour' ], [ 'other', 'neighbour' ];

# Runs SQL as a role. Returns its error's SQLSTATE, and what it printed.
sub as_role
{
	my ($role, $database, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql($database, "\\set VERBOSITY verbose\n$sql", stdout => \$out, stderr => \$err,
		on_error_stop => 1, extra_params => [ '-U', $role ]);
	my ($state) = $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/;
	return ($state // '', $out, $err);
}

sub works
{
	my ($role, $database, $sql, $name) = @_;
	my ($state, $out, $err) = as_role($role, $database, $sql);
	is($state, '', $name) or diag($err);
	return $out;
}

sub refused
{
	my ($role, $database, $sql, $name, $expected) = @_;
	my ($state, $out, $err) = as_role($role, $database, $sql);
	is($state, $expected // '42501', $name) or diag($err);
	return;
}

# --- Who may install -------------------------------------------------------------------------

$node->safe_psql('postgres', 'GRANT CREATE ON DATABASE shared TO maker');
refused('outsider', 'shared', "CREATE EXTENSION $_", "a role with no right may not create $_")
  for 'idgen', 'idgen_tools CASCADE';
works('maker', 'shared', 'CREATE SCHEMA made; CREATE EXTENSION idgen SCHEMA made;
	CREATE EXTENSION idgen_tools SCHEMA made', 'a role with CREATE on the database creates both');
works('neighbour', 'other', 'CREATE EXTENSION idgen; CREATE EXTENSION idgen_tools',
	'the owner of a database creates both');
is($node->safe_psql('shared', q{
		SELECT count(*), count(*) FILTER (WHERE p.proowner <> 10 OR p.prosecdef) FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
		WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
			AND d.refobjid IN (SELECT oid FROM pg_extension WHERE extname LIKE 'idgen%')}) =~ /^\d{3,}\|0$/, 1,
	'their functions are of the superuser that made the cluster, and lend nobody his rights');

# --- What is planted ---------------------------------------------------------------------------

my ($share) = run_command([ 'pg_config', '--sharedir' ]);
my ($lib) = run_command([ 'pg_config', '--pkglibdir' ]);
my $sources = join('', map { slurp_file("$share/extension/$_--1.0.sql") } 'idgen', 'idgen_tools');
my $library = slurp_file("$lib/idgen.so");
my %words = map { $_ => 1 } "$sources$library" =~ /\b([a-z]\w{1,62})\b/g;
my %calls = map { $_ => 1 } "$sources$library" =~ /\b([a-z]\w{1,62})\s*\(/g;
my ($words, $calls) = map { '{' . join(',', sort keys %$_) . '}' } \%words, \%calls;

my $members = q{ARRAY(SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
	AND refobjid IN (SELECT oid FROM pg_catalog.pg_extension WHERE extname IN ('idgen', 'idgen_tools')))};
my $plant_own = "SELECT tools.plant_functions($members, true);\n";
my $quiet = "SET client_min_messages = error;\n";

works('mallory', 'victim', 'CREATE SCHEMA trap; CREATE SCHEMA tools;' . slurp_file("$FindBin::RealBin/lib/plants.sql"), 'a place for plants');
# The plants for idgen's own functions come from an installation. Those that are of its types go with it, and come anew
# before the next extension.
my $planted = works('mallory', 'victim', "$quiet
	CREATE EXTENSION idgen SCHEMA trap; CREATE EXTENSION idgen_tools SCHEMA trap;
	$plant_own DROP EXTENSION idgen CASCADE;
	SELECT tools.plant_operators('{=,<>,<,>,<=,>=,+,-,*,/,%,||,~,~*,!~,!~*,~~,!~~,&&,\@>,<\@,->,->>,#>,&,|,#,<<,>>,^}');
	SELECT tools.plant_functions(ARRAY(SELECT oid FROM pg_proc
		WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ('$calls')), false);
	SELECT tools.plant_names('$words');", 'plants');
my ($own, $operators, $functions, $names) = split(/\n/, $planted);
note("planted: $own for our own functions, $operators operators, $functions functions, $names types and relations");
cmp_ok($own, '>', 2000, 'plants for our own functions');
cmp_ok($operators, '>', 1500, 'plants for operators');
cmp_ok($functions, '>', 3000, 'plants for functions');
cmp_ok($names, '>', 50, 'plants for types and relations');

# Types and tables in pg_temp are of the session that installs.
my $temporary = join("\n", map { "CREATE DOMAIN pg_temp.$_ AS pg_catalog.int4;" } 'text', 'int8', 'idgen_layout', 'idgen_mark');
$temporary .= "\nCREATE TEMP TABLE $_ (trap int);" for 'pg_extension', 'pg_namespace', 'idgen_restore', 'idgen_layouts';
for my $again (0, 1)
{
	works('mallory', 'victim', $quiet . 'DROP EXTENSION idgen_tools CASCADE') if $again;
	for my $extension ($again ? 'idgen_tools' : ('idgen', 'idgen_tools'))
	{
		works('mallory', 'victim', "$quiet $temporary CREATE EXTENSION $extension SCHEMA trap", "$extension is installed among plants");
		works('mallory', 'victim', $plant_own, 'plants for its functions');
	}
}

# --- Nothing of the scripts is bound to a plant -------------------------------------------------------

sub bound_to_plants
{
	return $node->safe_psql('victim', q{
		SET search_path = pg_catalog;
		WITH plants AS (
			SELECT 'pg_proc'::regclass::oid AS classid, oid AS objid FROM pg_proc WHERE proowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
				WHERE c.relowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid
				WHERE t.typowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_attrdef'::regclass, f.oid FROM pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid
				WHERE c.relowner = 'mallory'::regrole)
		SELECT pg_describe_object(d.classid, d.objid, 0) || ' calls ' || pg_describe_object(d.refclassid, d.refobjid, 0)
		FROM pg_depend d JOIN plants p ON p.classid = d.refclassid AND p.objid = d.refobjid
		WHERE NOT EXISTS (SELECT FROM plants q WHERE q.classid = d.classid AND q.objid = d.objid)
		ORDER BY 1});
}
is(bound_to_plants(), '', 'no function, view, default or condition is bound to a plant');

# Returns the plants that ran with other rights than the planter's, since the last call.
my $read = 0;
sub sprung
{
	my $log = slurp_file($node->logfile, $read);
	$read += length($log);
	my %sprung = map { $_ => 1 } grep { !/ ran as mallory$/ } $log =~ /(planted: .* ran as \w+)/g;
	return join("\n", sort keys %sprung);
}
is(sprung(), '', 'no plant ran while the scripts ran, but as its planter');

# That the plants are found where a reference is open.
$node->safe_psql('victim', q{
	SET search_path = trap, pg_temp;
	CREATE FUNCTION trap.open_operator(a int8) RETURNS bool LANGUAGE sql BEGIN ATOMIC SELECT a::int4 = 5::numeric; END;
	CREATE FUNCTION trap.open_function(a text) RETURNS jsonb LANGUAGE sql
		BEGIN ATOMIC SELECT jsonb_build_object(a, 1::int8); END;
	CREATE FUNCTION trap.open_body(a int4) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN upper(a::text); END';
	CREATE FUNCTION trap.open_call(a int4) RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER
		SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN trap.idgen_timestamp(a, NULL::trap.idgen_layout); END'});
is(bound_to_plants(), "function trap.open_function(text) calls function trap.jsonb_build_object(text,bigint)\n"
	  . 'function trap.open_operator(bigint) calls operator trap.=(integer,numeric)',
	'an open reference in a bound body is found');
$node->safe_psql('victim', 'SET search_path = trap, pg_catalog; SELECT trap.open_body(1); SELECT trap.open_call(1)');
is(sprung(), "planted: idgen_timestamp(integer, trap.idgen_layout) ran as postgres\nplanted: type text ran as postgres\n"
	  . 'planted: upper(text) ran as postgres', 'an open reference in a body of text is found');
$node->safe_psql('victim', 'DROP FUNCTION trap.open_operator, trap.open_function, trap.open_body, trap.open_call');

# --- A superuser uses everything --------------------------------------------------------------------

works('mallory', 'victim', 'ALTER DATABASE victim SET search_path = trap, pg_catalog', 'the owner chooses the search_path');
$node->safe_psql('victim', q{
	SET search_path = pg_catalog;
	CREATE SCHEMA bank;
	CREATE TABLE bank.accounts (id serial PRIMARY KEY, owner text, opened timestamptz);
	CREATE TABLE bank.entries (id bigserial PRIMARY KEY, account int NOT NULL REFERENCES bank.accounts, amount int);
	CREATE INDEX ON bank.entries (account);
	CREATE VIEW bank.view_of_accounts AS SELECT id, owner FROM bank.accounts;
	INSERT INTO bank.accounts (owner, opened) SELECT 'a' || n, now() - n * interval '1 day' FROM generate_series(1, 100) n;
	INSERT INTO bank.entries (account, amount) SELECT 1 + n % 100, n FROM generate_series(1, 1000) n;
	CREATE TABLE bank.payments (id bigint PRIMARY KEY DEFAULT trap.snowflake_id(), made timestamptz DEFAULT now());
	INSERT INTO bank.payments SELECT FROM generate_series(1, 100);
	CREATE TABLE bank.copies AS SELECT id, made FROM bank.payments LIMIT 10;
	CREATE TABLE bank.visits (id bigint NOT NULL DEFAULT trap.snowflake_id(), page text) PARTITION BY RANGE (id);
	CREATE SEQUENCE bank.tickets;
	CREATE DOMAIN bank.id AS bigint;
	CREATE TABLE bank.domains (id bank.id);
	INSERT INTO bank.domains SELECT id FROM bank.payments});

# A harmless argument for each parameter, by its name or its type.
my $argument = q{CASE
	WHEN n.name = 'sequence' AND n.type = 'regclass' THEN '''bank.tickets'''
	WHEN n.name = 'parent' AND n.type = 'regclass' THEN '''bank.visits'''
	WHEN n.name = 'parent' AND n.type = 'oid' THEN quote_literal('bank.visits'::regclass::oid)
	WHEN n.type = 'oid' THEN quote_literal('bank.payments'::regclass::oid)
	WHEN n.type = 'regclass' THEN '''bank.payments'''
	WHEN n.type = 'regclass[]' THEN '''{bank.payments,bank.copies,bank.domains}'''
	WHEN n.name IN ('form') THEN '''base62''' WHEN n.name = 'prefix' THEN '''ord'''
	WHEN n.name = 'target' THEN '''snowflake''' WHEN n.name = 'scheme' THEN '''snowflake''' WHEN n.name = 'time_zone' THEN '''UTC'''
	WHEN n.name = 'fields' THEN '''timestamp:42, machine:6, sequence:15'''
	WHEN n.name = 'column_name' THEN '''id'''
	WHEN n.name = 'method' THEN '''auto''' WHEN n.name = 'mode' THEN '''SHARE''' WHEN n.name = 'number' THEN '''1'''
	WHEN n.name IN ('created', 'order_by') AND n.type = 'name' THEN '''made'''
	WHEN n.name = 'setting' THEN '''block_size'''
	WHEN n.name IN ('shards', 'count', 'buckets', 'expected') THEN '''5'''
	WHEN n.type IN ('bigint', 'bigint[]') THEN CASE n.type WHEN 'bigint' THEN '''912576717749485568''' ELSE '''{912576717749485568,912576717749485569}''' END
	WHEN n.type IN ('integer', 'smallint', 'numeric') THEN '''1'''
	WHEN n.type = 'double precision' THEN '''0.5'''
	WHEN n.type = 'text' THEN '''snowflake''' WHEN n.type = 'name' THEN '''id''' WHEN n.type LIKE '%idgen_layout' THEN '''snowflake'''
	WHEN n.type = 'timestamp with time zone' THEN '''2026-06-01 00:00:00+00''' WHEN n.type = 'interval' THEN '''1 hour'''
	WHEN n.type = 'uuid' THEN '''01890a5d-ac96-774b-bcce-b302099a8057''' WHEN n.type = 'jsonb' THEN '''{"a": 1}'''
	WHEN n.type = 'boolean' THEN '''false''' WHEN n.type = 'bytea' THEN '''abc'''
	ELSE 'NULL' END};
my @statements = split /\n/, $node->safe_psql('victim', qq{
	SET search_path = pg_catalog;
	SELECT format('%s trap.%I(%s)', CASE p.prokind WHEN 'p' THEN 'CALL' WHEN 'a' THEN 'SELECT' ELSE 'SELECT * FROM' END, p.proname,
		(SELECT string_agg(format('%s::%s', $argument, CASE WHEN n.schema = 'pg_catalog' THEN 'pg_catalog.' || n.internal ELSE 'trap.' || n.internal END), ', ' ORDER BY n.n)
		 FROM (SELECT a.n, p.proargnames[a.n] AS name, format_type(a.t, NULL) AS type, y.typnamespace::regnamespace::text AS schema,
			quote_ident(y.typname) AS internal
		       FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n) JOIN pg_type y ON y.oid = a.t) n))
	FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname IN ('idgen', 'idgen_tools')
	WHERE p.proname NOT IN ('idgen_start_over', 'idgen_migration_backfill')
		AND NOT EXISTS (SELECT FROM unnest(p.proargtypes || p.prorettype) t WHERE t IN ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype))
	ORDER BY p.oid});
push @statements, map { "SELECT * FROM trap.$_" } split /\n/, $node->safe_psql('victim', q{
	SET search_path = pg_catalog;
	SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'trap'::regnamespace AND relowner = 10 AND relkind IN ('v', 'r') ORDER BY 1});

# Runs statements with the search_path that the owner chose. Returns those that fail. A plant that fits does not always
# run: a call may become ambiguous, or the result may be of another type.
my $open = '';
sub run_all
{
	my @all = @_;
	my ($out, $err) = ('', '');
	$node->psql('victim', "\\set ON_ERROR_STOP 0\n" . join('', map { "$_;\n" } @all), stdout => \$out, stderr => \$err,
		on_error_stop => 0);
	my %failed = map { $_ => 1 } $err =~ /<stdin>:(\d+): ERROR/g;
	note($err);
	$open .= "$_\n" for $err =~ /ERROR:\s+(.* is not unique|a column definition list is required.*|(?:function|operator|column) .* does not exist)$/mg;
	return map { $all[ $_ - 2 ] } sort { $a <=> $b } keys %failed;
}
my @failed = run_all(@statements);
note("$_ (failed)") for @failed;
cmp_ok(scalar @statements, '>', 350, 'calls of all functions, and all views');
cmp_ok(scalar @failed, '<', 100, 'most of the calls do something');
is(sprung(), '', 'no plant ran when a superuser called every function and read every view');

# A migration and partitions, with arguments of the exact types.
my ($table, $column) = ("'bank.accounts'::pg_catalog.regclass", "'id'::pg_catalog.name");
sub planned
{
	my ($pattern) = @_;
	return $node->safe_psql('victim', qq{
		SET search_path = pg_catalog;
		SELECT statement || ';' FROM trap.idgen_plan_migration($table, $column, 'snowflake', created => 'opened', datacenter_id => 31,
			machine_id => 31) WHERE statement LIKE '$pattern' ORDER BY step});
}
my $ten = "'10 s'::pg_catalog.interval";
@failed = run_all(
	"SELECT * FROM trap.idgen_plan_migration($table, $column, 'snowflake'::pg_catalog.text, 'opened'::pg_catalog.name, 31, 31,"
	  . " NULL::pg_catalog.int4, 'auto'::pg_catalog.text, false)",
	"CALL trap.idgen_migration_prepare($table, $column, 'snowflake'::pg_catalog.text, 'opened'::pg_catalog.name, 31, 31)",
	"CALL trap.idgen_migration_backfill($table, $column)");
is("@failed", '', 'a migration begins');
my $indexes = planned('CREATE%INDEX%');
$node->safe_psql('victim', $indexes) if $indexes;
@failed = run_all(
	"CALL trap.idgen_migration_constrain($table, $column)",
	"CALL trap.idgen_migration_verify($table, $column)",
	"CALL trap.idgen_migration_cut_over($table, $column)",
	"INSERT INTO bank.accounts (owner) VALUES ('new')",
	"CALL trap.idgen_migration_finish($table, $column)",
	"SELECT * FROM trap.idgen_create_partitions('bank.visits'::pg_catalog.regclass, '2026-06-01Z'::pg_catalog.timestamptz,"
	  . " '2026-09-01Z'::pg_catalog.timestamptz, '1 mon'::pg_catalog.interval)",
	"CALL trap.idgen_maintain_partitions('bank.visits'::pg_catalog.regclass, '3 mon'::pg_catalog.interval)",
	'SELECT * FROM trap.idgen_partitions', 'SELECT * FROM trap.idgen_exhaustion');
is("@failed", '', 'a migration, and partitions');
is($node->safe_psql('victim', 'SET search_path = pg_catalog; SELECT count(DISTINCT id) FROM bank.accounts WHERE id > 1000000000'),
	101, 'the keys are migrated');
is(sprung(), '', 'no plant ran in a migration, nor when partitions were made');
is($open, '', 'no plant came between otherwise');

# --- What the owner of the installation may do ------------------------------------------------------------

# What is refused to everybody: all that concerns the whole server. A function that is added has to be put here, or has to
# be harmless.
my %refused = map { $_ => 1 } split /\n/, $node->safe_psql('shared', q{
	SELECT d.objid::regprocedure::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname LIKE 'idgen%'
	WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND NOT has_function_privilege('maker', d.objid, 'EXECUTE')});
is(join(' ', sort map { /^made\.(\w+)/ } keys %refused), join(' ', qw(
	hlc_observe idgen_accept_clock idgen_exhaustion_probe idgen_exhaustion_sample idgen_fleet idgen_observe
	idgen_propose_change idgen_registry_ban idgen_registry_list idgen_registry_release idgen_restore_mark idgen_scheme
	idgen_scheme_add idgen_scheme_file idgen_scheme_history idgen_scheme_remove idgen_scheme_restore idgen_scheme_set
	idgen_start_over idgen_stat_reset idgen_withdraw_change)), 'what an installation does not give its owner');
for my $function (sort keys %refused)
{
	my ($name, $types) = $function =~ /^([\w.]+)\((.*)\)$/ or die $function;
	next if $name eq 'made.idgen_restore_mark';
	# Not NULL itself: the planner leaves the call of a STRICT function with NULL out.
	my $call = "$name(" . join(', ', map { "(SELECT NULL::$_)" } split /,/, $types) . ')';
	refused('maker', 'shared', 'SET search_path = made; ' . ($name =~ /_probe$/ ? 'CALL' : 'SELECT') . " $call", "$name()");
}
for my $sql ('ALTER FUNCTION made.snowflake_nextval() OWNER TO maker',
	'CREATE OR REPLACE FUNCTION made.snowflake_nextval() RETURNS bigint LANGUAGE sql RETURN 1',
	'ALTER EXTENSION idgen DROP FUNCTION made.snowflake_nextval()',
	'ALTER EXTENSION idgen DROP SEQUENCE made.idgen_high_water_mark',
	'GRANT EXECUTE ON FUNCTION made.idgen_start_over(int) TO maker',
	'ALTER SEQUENCE made.idgen_high_water_mark RESTART 0', "SELECT setval('made.idgen_high_water_mark', 1)",
	'ALTER TABLE made.idgen_restore DISABLE TRIGGER ALL', 'DROP TRIGGER idgen_restore_mark ON made.idgen_restore',
	"INSERT INTO made.idgen_restore VALUES ('0')", 'TRUNCATE made.idgen_exhaustion_history',
	"CREATE SERVER idgen_x TYPE 'layout' FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake')",
	'GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO maker', 'ALTER EXTENSION idgen SET SCHEMA public',
	(map { "LOAD_IT; SET idgen.$_" } 'machine_id = 5', "clock_regression = 'lead'", "ticket_servers = 'host=x'"),
	'ALTER DATABASE shared SET idgen.machine_id = 5', 'ALTER ROLE maker SET idgen.machine_id = 5')
{
	refused('maker', 'shared', $sql =~ s/LOAD_IT/SELECT made.snowflake_nextval()/r, $sql =~ s/LOAD_IT; //r);
}
refused('neighbour', 'other', "ALTER DATABASE other SET idgen.$_", "the owner of a database does not set $_")
  for 'machine_id = 5', "clock_regression = 'lead'", 'reserve_window = 10';
refused('maker', 'shared', "$_ made.idgen_high_water_mark", "$_ of a member", '2BP01') for 'DROP SEQUENCE';
works('maker', 'shared', q{
	COMMENT ON EXTENSION idgen IS 'mine'; ALTER EXTENSION idgen UPDATE;
	ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
	CREATE FUNCTION made.mine() RETURNS int LANGUAGE sql RETURN 1;
	ALTER EXTENSION idgen ADD FUNCTION made.mine(); ALTER EXTENSION idgen DROP FUNCTION made.mine()},
	'comment, update, members of his own');
refused('outsider', 'shared', $_, $_)
  for 'DROP EXTENSION idgen_tools', 'ALTER EXTENSION idgen UPDATE', 'COMMENT ON EXTENSION idgen IS NULL';

# Dropped and created again, here in a schema of another role (PostgreSQL asks for no right to that). IDs go on above those
# of before, and above those of the other databases.
my @ids = map { $node->safe_psql($_->[0], "SELECT $_->[1].snowflake_nextval()") } [ 'shared', 'made' ], [ 'other', 'public' ];
$node->safe_psql('shared', 'CREATE SCHEMA of_neighbour AUTHORIZATION neighbour');
works('maker', 'shared', 'DROP EXTENSION idgen_tools; DROP EXTENSION idgen; CREATE EXTENSION idgen SCHEMA of_neighbour',
	'dropped and created again');
push @ids, $node->safe_psql('shared', 'SELECT of_neighbour.snowflake_nextval()'), $node->safe_psql('other', 'SELECT snowflake_nextval()');
is(join(' ', @ids), join(' ', sort { $a <=> $b } @ids), 'IDs go on above all of before');
is($node->safe_psql('shared', q{SELECT has_function_privilege('outsider', 'of_neighbour.snowflake_nextval()', 'EXECUTE')}), 't',
	'default privileges of his are not those of the script');
# A mark that he restores holds his database alone.
works('neighbour', 'other', "INSERT INTO idgen_restore VALUES ('9000000000000')", 'the owner of a database restores a mark far ahead');
is((sqlstate_of($node, 'SELECT snowflake_nextval()', database => 'other'))[0], '55000', 'it holds his database');
cmp_ok($node->safe_psql('shared', 'SELECT of_neighbour.snowflake_nextval()'), '>', $ids[-1], 'and no other one');

# --- What is seen of the extensions -------------------------------------------------------------------------

# Schema tools list relations. The two row types are those of arrays.
is($node->safe_psql('victim', q{
	SET search_path = pg_catalog;
	SELECT e.extname, string_agg(c.relkind::text || ' ' || c.relname, ', ' ORDER BY c.relkind, c.relname) FROM pg_depend d
		JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_class c ON c.oid = d.objid
	WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND e.extname LIKE 'idgen%' GROUP BY 1
	UNION ALL SELECT 'row types', string_agg(t.typname, ', ' ORDER BY t.typname) FROM pg_depend d
		JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_type t ON t.oid = d.objid
	WHERE d.classid = 'pg_type'::regclass AND d.deptype = 'e' AND e.extname LIKE 'idgen%' AND t.typtype = 'c'
		AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
	ORDER BY 1}),
	'idgen|S idgen_high_water_mark, r idgen_restore, v idgen_fleet_clock, v idgen_fleet_setting, v idgen_generators, '
	  . "v idgen_identity, v idgen_layouts, v idgen_stat, v idgen_stat_database, v idgen_stat_server\n"
	  . 'idgen_tools|r idgen_exhaustion_history, r idgen_migration, r idgen_migration_column, r idgen_migration_object, '
	  . "v idgen_exhaustion, v idgen_exhaustion_samples, v idgen_migrations, v idgen_partitions\n"
	  . 'row types|idgen_capacity_row, idgen_tools_step', 'the relations of both extensions');

done_testing();
