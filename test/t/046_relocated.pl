# An extension in a directory of its own, as images of extensions are mounted: PostgreSQL 18 finds it by
# extension_control_path and dynamic_library_path, and idgen its modules for registries.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use LeaseTest;
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($version) = (run_command([ 'pg_config', '--version' ]))[0] =~ /(\d+)/;
plan skip_all => 'extensions have their place before PostgreSQL 18' if $version < 18;
plan skip_all => 'the test reads /proc' unless -e '/proc/self/maps';

# The same files as those in the server's directories, in others.
my $image = PostgreSQL::Test::Utils::tempdir;
my ($share) = run_command([ 'pg_config', '--sharedir' ]);
my ($lib) = run_command([ 'pg_config', '--pkglibdir' ]);
mkdir $_ or die "$_: $!" for "$image/share", "$image/share/extension", "$image/lib";
for (glob("$share/extension/idgen*")) { copy($_, "$image/share/extension") or die "$_: $!"; }
for (glob("$lib/idgen*.so")) { copy($_, "$image/lib") or die "$_: $!"; }
append_to_file("$image/share/extension/idgen.control", "comment = 'mounted'\n");
plan skip_all => 'there is no module for registries in PostgreSQL' unless -e "$image/lib/idgen_postgresql.so";

my $paths = "extension_control_path = '$image/share:\$system'\ndynamic_library_path = '$image/lib:\$libdir'\n";

# The directories of idgen's libraries in a process.
sub libraries_of
{
	my ($pid) = @_;
	my %found = map { $_ => 1 } slurp_file("/proc/$pid/maps") =~ m{\s(/\S*/idgen\w*\.so)$}mg;
	return join(' ', sort keys %found);
}

my $registry = new_registry('registry');
for my $preload (0, 1)
{
	my $name = $preload ? 'preloaded' : 'loaded on first use';
	my $node = new_member("member$preload", $registry, conf => $paths, preload => $preload);
	is($node->safe_psql('postgres', "SELECT comment FROM pg_available_extensions WHERE name = 'idgen'"),
		'mounted', "$name: the control file is the mounted one");
	$node->safe_psql('postgres', 'CREATE EXTENSION idgen_tools');
	is(machine_of($node), $preload, "$name: an ID with a machine ID that the registry gave");
	my $session = $node->background_psql('postgres');
	$session->query_safe('SELECT snowflake_nextval()');
	is(libraries_of($session->query_safe('SELECT pg_backend_pid()')) =~ s/ .*//r,
		"$image/lib/idgen.so", "$name: the library is the mounted one");
	$session->quit;
	is(libraries_of(worker_pid($node)), "$image/lib/idgen.so $image/lib/idgen_postgresql.so",
		"$name: so is the registry's module");
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_proc WHERE probin LIKE '%$image%'"),
		0, "$name: no function depends on the place");
}

done_testing;
