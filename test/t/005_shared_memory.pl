# Both ways to get shared memory, and what happens without any.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Preloaded: IDs are made as usual, and settings are checked from the first statement on.
{
	my $node = new_server('preloaded', conf => "shared_preload_libraries = 'idgen'\n");
	my @before = nextvals($node, 5000);
	my ($state) = sqlstate_of($node, 'SET idgen.machine_id = -1');
	is($state, '22023', 'a machine ID that cannot be one is refused when it is set');
	($state) = sqlstate_of($node, 'SET idgen.mashine_id = 1');
	isnt($state, '', 'so is a setting that does not exist');
	kill_server($node);
	$node->start;
	check_ids('preloaded, after a crash', \@before, [ nextvals($node, 5000) ]);
	$node->stop;
}

# On first use: the dynamic part cannot be created at first. Nothing is left half done, and it works
# as soon as there is room, without a restart.
{
	my $node = new_server('lazy', conf => "dynamic_shared_memory_type = mmap\n");
	my $dir = $node->data_dir . '/pg_dynshmem';
	chmod(0500, $dir) or die "cannot change $dir: $!";
	for my $round (1, 2)
	{
		my ($state, $out, $err) = sqlstate_of($node, 'SELECT snowflake_nextval()');
		isnt($state, '', "no dynamic shared memory, round $round: an error");
		like($err, qr/HINT:.*idgen needs a little shared memory/, "round $round: the hint");
		like($err, qr/CONTEXT:.*setting up the shared memory of idgen/, "round $round: the context");
	}
	is($node->safe_psql('postgres', 'SELECT snowflake_machine(4096)'), 1,
		'decoding needs no shared memory');
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query('SELECT snowflake_nextval()');
	chmod(0700, $dir) or die "cannot change $dir: $!";
	like($session->query('SELECT snowflake_nextval()'), qr/^\d+$/,
		'the session that failed works once there is room');
	$session->quit;
	check_ids('after the failure', [ nextvals($node, 1000) ]);
	$node->stop;
}

# Not preloaded: a setting is not checked until the module is loaded. If it is refused then, no IDs
# are made (014_outside.pl has the rest).
{
	my $node = new_server('late');
	my ($state, $out, $err) = sqlstate_of($node,
		'SET idgen.machine_id = -9; SELECT snowflake_machine(snowflake_nextval())');
	is($state, 'F0000', 'a machine ID that cannot be one, set before the module is loaded');
	like($err, qr/WARNING:.*-9/, 'the warning');
	($state, $out, $err) = sqlstate_of($node,
		'SET idgen.machine_id = 99; SELECT snowflake_nextval()');
	is($state, '22023', 'a machine ID that does not fit the layout, set before the module is loaded');
	like($err, qr/DETAIL:.*5 bits: 0 to 31/, 'with the range in the detail');
	($state, $out, $err) = sqlstate_of($node,
		'CREATE ROLE clerk; SET ROLE clerk; SET idgen.machine_id = 3; SELECT snowflake_machine(snowflake_nextval())');
	is($state, 'F0000', 'a machine ID set by somebody who may not');
	like($err, qr/WARNING:.*permission denied to set parameter "idgen.machine_id"/, 'the warning');
	$node->stop;
}

# Many ID spaces at once; no setting limits their number.
{
	my $node = new_server('spaces');
	$node->safe_psql('postgres', q{
		CREATE TABLE ids (id bigint PRIMARY KEY);
		DO $$
		BEGIN
			FOR datacenter IN 0..31 LOOP
				FOR machine IN 0..31 LOOP
					PERFORM set_config('idgen.datacenter_id', datacenter::text, false);
					PERFORM set_config('idgen.machine_id', machine::text, false);
					INSERT INTO ids SELECT snowflake_nextval() FROM generate_series(1, 3);
				END LOOP;
			END LOOP;
		END $$});
	is($node->safe_psql('postgres',
			'SELECT count(DISTINCT (snowflake_datacenter(id), snowflake_machine(id))) FROM ids'),
		1024, 'all 1,024 identities of the layout on one server');
	$node->stop;
}

done_testing();
