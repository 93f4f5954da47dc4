# ALTER EXTENSION UPDATE from every version that there was: it leaves the same catalogs as a fresh installation, and
# no symbol of the library has changed its meaning, so that SQL which is not updated yet goes on to work. Then the same
# with a made-up version, whose update script is right, and wrong in many ways that have to be found.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use UpgradeTest;

my ($share) = run_command([ 'pg_config', '--sharedir' ]);
my $extensions = "$share/extension";
plan skip_all => "cannot write into $extensions" unless -w $extensions;
my @made_up = map { "$extensions/idgen--$_.sql" } '9.9', '1.0--9.9';
my $test_process = $$;
END { unlink @made_up if defined $test_process and $$ == $test_process; }

my $server = new_server('server');
my $databases = 0;

# Makes a database, from a template or an empty one, and runs SQL in it. Returns its name.
sub database
{
	my ($template, $sql) = @_;
	my $name = 'database' . ++$databases;
	$server->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE $template");
	$server->safe_psql($name, $sql) if $sql;
	return $name;
}

# The symbols of the library that the SQL calls, each with how it is called.
sub symbols
{
	my ($database) = @_;
	my %symbols;
	for (split /\n/, $server->safe_psql($database, q{
		SELECT p.prosrc, concat_ws(' ', p.proargtypes::regtype[], p.proallargtypes::regtype[], p.prorettype::regtype,
		                           p.proretset, CASE WHEN p.proisstrict THEN 'strict' END)
		FROM pg_proc p WHERE p.probin LIKE '%/idgen'}))
	{
		my ($symbol, $signature) = split(/\|/, $_, 2);
		$symbols{$symbol}{$signature} = 1;
	}
	return \%symbols;
}

# The symbols that are called in another way than before.
sub changed_symbols
{
	my ($old, $new) = @_;
	my @changed;
	for my $symbol (sort keys %$old)
	{
		my $now = $new->{$symbol} // next;
		push @changed, $symbol if grep { !$now->{$_} } keys %{ $old->{$symbol} };
	}
	return join(' ', @changed);
}

# --- The versions that there are ------------------------------------------------------------------

my $fresh = database('template0', 'CREATE EXTENSION idgen; CREATE EXTENSION idgen_tools; CREATE EXTENSION idgen_compat');
my $as_fresh = catalogs($server, $fresh);
like(join("\n", @$as_fresh), qr/CREATE FUNCTION public\.snowflake_nextval\(\).*COMMENT ON FUNCTION public\.snowflake_nextval\(\)/s,
	'the catalogs are seen');
ok(keys %{ symbols($fresh) } > 100, 'the symbols are seen');
is(differences(catalogs($server, database('template0', 'CREATE EXTENSION idgen; CREATE EXTENSION idgen_tools; CREATE EXTENSION idgen_compat')), $as_fresh),
	'', 'two fresh installations are the same');

for my $extension (qw(idgen idgen_tools idgen_compat))
{
	my @earlier = split(/\n/, $server->safe_psql('postgres', qq{
		SELECT p.source FROM pg_extension_update_paths('$extension') p JOIN pg_available_extensions a ON p.target = a.default_version
		WHERE a.name = '$extension' AND p.path IS NOT NULL
		  AND EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = a.name AND v.version = p.source)
		ORDER BY 1}));
	for my $version (@earlier)
	{
		my $other = join(' ', map { "CREATE EXTENSION $_;" } grep { $_ ne $extension } qw(idgen_tools idgen_compat));
		my $idgen = $extension eq 'idgen' ? '' : 'CREATE EXTENSION idgen;';
		my $updated = database('template0', "$idgen CREATE EXTENSION $extension VERSION '$version'");
		my $before = symbols($updated);
		$server->safe_psql($updated, "ALTER EXTENSION $extension UPDATE; $other");
		is(differences(catalogs($server, $updated), $as_fresh), '', "$extension $version, updated, is as installed afresh");
		is(changed_symbols($before, symbols($updated)), '', "no symbol has changed since $extension $version");
	}
}

# --- A made-up version ------------------------------------------------------------------------------

my $base = slurp_file("$extensions/idgen--1.0.sql");

sub write_script
{
	my ($file, $text) = @_;
	unlink $file;
	append_to_file($file, "\\echo Use \"ALTER EXTENSION idgen UPDATE\" to load this file. \\quit\n$text");
	return;
}

my $function = q{
	CREATE FUNCTION idgen_added(a int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT a';
	COMMENT ON FUNCTION idgen_added(int) IS 'added';
	REVOKE EXECUTE ON FUNCTION idgen_added(int) FROM PUBLIC;};
my $table = q{
	CREATE TABLE idgen_added (a int NOT NULL, b text);
	GRANT SELECT ON idgen_added TO PUBLIC;};
my $dumped = q{
	SELECT pg_catalog.pg_extension_config_dump('idgen_added', 'WHERE a > 0');};
my $symbol = q{
	CREATE FUNCTION idgen_now(text) RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'idgen_library_version';};
my $right = "SELECT idgen_library_version('1.0'::pg_catalog.text);$function$table$dumped";
write_script($made_up[0], "$base$right");

my $old = database('template0', "CREATE EXTENSION idgen VERSION '1.0'");
my $new = catalogs($server, database('template0', "CREATE EXTENSION idgen VERSION '9.9'"));

# What is different after an update by a script.
sub after_update
{
	my ($script) = @_;
	write_script($made_up[1], $script);
	return differences(catalogs($server, database($old, "ALTER EXTENSION idgen UPDATE TO '9.9'")), $new);
}

is(after_update($right), '', 'an update script that is right');
my %wrong = (
	'is empty' => '',
	'forgets a function' => "$table$dumped",
	'has another default' => $right =~ s/DEFAULT 1/DEFAULT 2/r,
	'has another volatility' => $right =~ s/IMMUTABLE/STABLE/r,
	'forgets a comment' => $right =~ s/COMMENT[^;]*;//r,
	'forgets a privilege' => $right =~ s/REVOKE[^;]*;//r,
	'grants one more' => "$right GRANT INSERT ON idgen_added TO PUBLIC;",
	'has columns in another order' => $right =~ s/\(a int NOT NULL, b text\)/(b text, a int NOT NULL)/r,
	'forgets what a dump carries' => "$function$table",
	'leaves an object outside the extension' => "$right ALTER EXTENSION idgen DROP FUNCTION idgen_added(int);",
	'leaves something behind' => "$right CREATE TYPE idgen_left AS (a int);",
	'adds a dependency' => "$right ALTER FUNCTION idgen_added(int) DEPENDS ON EXTENSION plpgsql;");
isnt(after_update($wrong{$_}), '', "found: a script that $_") for sort keys %wrong;

write_script($made_up[1], $symbol =~ s/idgen_now\(text\)/idgen_now(text, int)/r);
is(changed_symbols(symbols($old), symbols(database($old, "ALTER EXTENSION idgen UPDATE TO '9.9'"))), '',
	'another function may use a symbol in addition');
for my $change ('(text) RETURNS text LANGUAGE C STABLE', '(text, int) RETURNS text LANGUAGE C STRICT', '(text) RETURNS bigint LANGUAGE C STRICT')
{
	write_script($made_up[1], "DROP FUNCTION idgen_library_version(text);
		CREATE FUNCTION idgen_library_version$change AS 'MODULE_PATHNAME', 'idgen_library_version';");
	is(changed_symbols(symbols($old), symbols(database($old, "ALTER EXTENSION idgen UPDATE TO '9.9'"))),
		'idgen_library_version', "found: a symbol is now called as $change");
}

# --- A library that is older than the SQL -------------------------------------------------------------

write_script($made_up[1], "SELECT idgen_library_version('9.9'::pg_catalog.text); SELECT 1 / 0;");
my $before = catalogs($server, $old);
my ($status, undef, $error) = $server->psql($old, "ALTER EXTENSION idgen UPDATE TO '9.9'");
like($error, qr/version 9\.9 of extension "idgen" needs its library, and the one that is loaded is of release \d+\.\d+\.\d+\s.*restart the server/s,
	'a script for a later library ends with an explanation');
is(differences(catalogs($server, $old), $before), '', 'and changes nothing');

done_testing;
