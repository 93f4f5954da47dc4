# What the TAP tests of upgrades share: pg_upgrade from the server that IDGEN_UPGRADE_FROM names (its directory with bin/,
# see dev/upgrade) or from one of the same version, and the comparison of catalogs.
package UpgradeTest;

use strict;
use warnings;

use Exporter 'import';
use Test::More;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(from_other_version old_install upgrade is_sound catalogs differences);

sub from_other_version { return $ENV{IDGEN_UPGRADE_FROM}; }

# The options of new_server() for a server that will be upgraded. All servers have checksums: pg_upgrade wants the old and
# the new one to agree, and from PostgreSQL 18 on they are the default.
sub old_install
{
	return (initdb => ['--data-checksums'], from_other_version() ? (install_path => from_other_version()) : ());
}

# Stops a server, and makes a new one of it with the same settings of idgen, which is not started.
sub upgrade
{
	my ($old, $name, $conf, @mode) = @_;
	$old->stop if $old->{_pid};
	my $new = PostgreSQL::Test::Cluster->new($name);
	$new->init(extra => ['--data-checksums']);
	$new->append_conf('postgresql.conf', $conf);
	my ($from, $to) = map { $_->config_data('--bindir') } $old, $new;
	chdir($PostgreSQL::Test::Utils::tmp_check) or die 'cannot change the directory';
	ok(run_log([ "$to/pg_upgrade", @mode, '-N', '-b', $from, '-B', $to, '-d', $old->data_dir, '-D', $new->data_dir,
			'-s', $new->host, '-p', $old->port, '-P', $new->port ]), 'pg_upgrade ' . join(' ', @mode ? @mode : 'by copying'))
	  or die 'pg_upgrade failed';
	return $new;
}

# Checks an upgraded server: the catalogs of a database that has nothing but the extensions, in each of the databases the
# configuration, and all files.
sub is_sound
{
	my ($name, $node, $bare, @databases) = @_;
	$node->safe_psql('postgres', 'CREATE DATABASE fresh TEMPLATE template0');
	$node->safe_psql('fresh', 'CREATE EXTENSION idgen; CREATE EXTENSION idgen_tools');
	my ($upgraded, $fresh) = map { catalogs($node, $_) } $bare, 'fresh';
	# What was read from a dump has a name for each column of a query. The mark is another.
	for (@$upgraded, @$fresh) { s/::[\w. ]+\K AS \w+(?=,?$)//, s/^SELECT .*setval\(\K.*//; }
	is(differences($upgraded, $fresh), '', "$name: the catalogs are as of a fresh installation");
	for my $database (@databases)
	{
		is($node->safe_psql($database, q{SELECT topic, message FROM idgen_check_config() WHERE severity = 'error'}), '',
			"$name: idgen_check_config() has no error in $database");
	}
	SKIP:
	{
		skip 'amcheck is not installed', 1
		  unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'});
		$node->command_ok([ 'pg_amcheck', '--all', '--install-missing', '--heapallindexed' ], "$name: pg_amcheck finds nothing");
	}
	return;
}

# Everything that the catalogs say about the extension's objects, without OIDs. pg_upgrade's way to dump has their
# definitions, comments and privileges.
sub catalogs
{
	my ($server, $database) = @_;
	my ($dump) = run_command([ 'pg_dump', '--binary-upgrade', '--schema-only', '-d', $server->connstr($database) ]);
	my @lines = grep { !/binary_upgrade_set_next_|binary_upgrade_create_empty|^'?\{|^ARRAY\[|^\\(un)?restrict|^--|^$/ } split(/\n/, $dump);
	push @lines, split(/\n/, $server->safe_psql($database, q{
		SELECT extname, extversion, extrelocatable, extconfig::regclass[], extcondition FROM pg_extension ORDER BY 1;
		SELECT object, deptype, refobject
		FROM pg_depend d, pg_describe_object(d.classid, d.objid, d.objsubid) object,
		     pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) refobject
		ORDER BY object COLLATE "C", refobject COLLATE "C", deptype;
		SELECT p.oid::regprocedure, p.prosrc, p.probin, p.procost, p.prorows, p.prosupport FROM pg_proc p
		WHERE p.probin LIKE '%idgen%' ORDER BY p.oid::regprocedure::text COLLATE "C"}));
	s/pg_toast_\d+/pg_toast/g, s/relfrozenxid = '\d+'//, s/^WHERE oid = '\d+';// for @lines;
	return [ @lines ];
}

# What one list of lines has and the other lacks.
sub differences
{
	my ($got, $wanted) = @_;
	my %count;
	$count{$_}++ for @$got;
	$count{$_}-- for @$wanted;
	my @differences = map { ($count{$_} > 0 ? '+ ' : '- ') . $_ } grep { $count{$_} } sort keys %count;
	return join("\n", @differences, @differences || "@$got" eq "@$wanted" ? () : 'another order');
}

1;
