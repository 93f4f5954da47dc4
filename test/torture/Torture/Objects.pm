# The scenarios about objects that are created, dropped, moved and set while sessions make IDs, and
# the one about a full disk.
package Torture::Objects;

use strict;
use warnings;

use Time::HiRes qw(time usleep);

use Torture::Round;
use Torture::Server;

our %scenarios = (
	names => \&names,
	identity => \&identity,
	schema => \&schema,
	settings => \&settings,
	extension => \&extension,
	tickets => \&tickets,
	startover => \&start_over,
	disk => \&disk,
);

# Layouts and generators are dropped and recreated, the generator with another machine ID.
sub names
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->allow('42704');
	$round->{fixed} = { 9 => 1, 10 => 1 };
	$round->target($server);
	$round->sessions(mix => 'single:1,array:2,named:6,seconds:6,insert:1');
	my $drop = sub {
		my ($name, $sql, $make) = @_;
		my $database = one_of('postgres', 'other');
		$server->sql($sql, $database);
		$round->fault("drop $name");
		usleep(between(0, 5e4)) if chance(0.3);
		$server->sql($make, $database);
	};
	$round->during(3.5, 0.05,
		sub {
			$drop->('generator', "SELECT idgen_drop_generator('fixed')",
				"SELECT idgen_create_generator('fixed', 'snowflake', machine_id => @{[one_of(9, 10)]})");
		},
		sub {
			$drop->('layout', "SELECT idgen_drop_layout('torture_seconds')", Torture::Round::make_seconds());
		},
		sub {
			$server->sql("SELECT idgen_alter_generator('fixed', machine_id => @{[one_of(9, 10)]})",
				one_of('postgres', 'other'));
			$round->fault('alter generator');
		});
	$round->expect_ids($server, $_) for 'postgres', 'other';
	return;
}

# Tickets of a sequence that others write too: by nextval() and setval() forward, or by whatever would
# bring back numbers that were handed out, also in transactions that are rolled back.
my @BACK = (
	'ALTER SEQUENCE torture_tickets RESTART', "SELECT setval('torture_tickets', 5)",
	'ALTER SEQUENCE torture_tickets CACHE 3', 'ALTER SEQUENCE torture_tickets RESTART WITH 100',
);

sub tickets
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window(), Torture::Scenarios::lazy_log(), $round->leading,
		'idgen.ticket_reserve = ' . one_of(32, 1000, 32768));
	$round->allow('down');
	$round->target($server);
	my $mix = 'ticket:4,tickets:2,ticket_reserve:2,single:1';
	my $back = chance(0.6);
	if ($back)
	{
		$round->sessions(mix => $mix, modes => 'wait,lead', users => 'app,postgres', between => 1, acts => join('|', @BACK));
		$round->sessions(threads => 1, mix => $mix, modes => 'wait,lead', wraps => 70, wrap => join('|', @BACK), wrap_ms => '20,200',
			ends => one_of('rollback', 'rollback,savepoint', 'rollback,savepoint,commit'));
	}
	else
	{
		# Further than others come meanwhile: plain nextval() must not go back.
		$round->sessions(mix => "$mix,nextval:1", modes => 'wait,lead', users => 'app,postgres', between => 2,
			acts => "SELECT setval('torture_tickets', nextval('torture_tickets') + 10000000)");
	}
	# What plain nextval() gave and nobody committed, PostgreSQL forgets at a crash.
	$round->during(4, 0.3,
		sub {
			if ($back) { $round->fault('kill session') if $server->kill_backend; return; }
			$server->ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE application_name = 'torture' AND random() < 0.3");
			$round->fault('terminate');
		},
		sub {
			my $how = $back ? one_of('immediate', 'kill', 'fast') : 'fast';
			return if chance(0.5);
			if ($how eq 'kill') { $server->kill_postmaster; }
			else { $server->stop($how); }
			$round->fault("down, $how");
			$server->start;
		});
	$server->wait_ready;
	$round->expect_ids($server, undef, "ticket_nextval('torture_tickets')");
	return;
}

# The server's identity changes, even to one that does not fit, and back to one that was used.
sub identity
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->allow('22023');
	# ALTER SYSTEM writes the two settings one after the other, and a session may read the file in
	# between.
	$round->{identities} = { map { ("$_:3" => 1, "$_:4" => 1, "$_:5" => 1) } 1 .. 3 };
	$round->target($server);
	$round->sessions;
	my $set = sub {
		my ($datacenter, $machine) = @_;
		$server->sql([ "LOAD 'idgen'", "ALTER SYSTEM SET idgen.datacenter_id = $datacenter",
			"ALTER SYSTEM SET idgen.machine_id = $machine", 'SELECT pg_reload_conf()' ]);
		$round->fault('new identity', "$datacenter, $machine");
	};
	$round->during(3, 0.15, sub { $set->(one_of(1, 2), one_of(3, 3, 4, 4, 70000)) });
	# New sessions have the last identity and no other.
	$set->(3, 5);
	$round->pause_sessions($server);
	for (1 .. 600)
	{
		last if $server->sql("SHOW idgen.machine_id") eq '5';
		usleep(50_000);
	}
	my $from = mono_ns();
	$round->{identities} = {
		map({ ("$_:0:$from" => 1) } keys %{ $round->{identities} }), "3:5" => 1 };
	$round->target($server);
	$round->during(0.7, 0);
	$round->expect_ids($server);
	return;
}

# Sessions change what their next IDs depend on, there and back, and go through many shards. What a
# session keeps about a shard that it has not used for a while dates from before the change.
sub settings
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->target($server);
	$round->sessions(modes => 'wait,lead,error', blocks => 30, block_sizes => '2,64,5000', settings => one_of(5, 50),
		mix => 'wide:8,single:1,array:1,batch:1,reserve:1,shard:1,named:1,observe:1,uuid:1,uuidv6:1,uuidv8:1,id128:1');
	$round->during(3.5, 0.3, sub { Torture::Scenarios::disturb_clock($round, $server) });
	$server->set_clock(20);
	$round->expect_ids($server);
	return;
}

# The extension moves from schema to schema.
sub schema
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window(), 'search_path = \'public, elsewhere\'');
	# A function that is looked up during the move may be found in neither schema.
	$round->allow('42883');
	$server->sql('CREATE SCHEMA elsewhere', $_) for 'postgres', 'other';
	$round->target($server);
	$round->sessions;
	my %is_in = (postgres => 'public', other => 'public');
	$round->during(3, 0.05, sub {
		my $database = one_of('postgres', 'other');
		$is_in{$database} = $is_in{$database} eq 'public' ? 'elsewhere' : 'public';
		$server->sql("ALTER EXTENSION idgen SET SCHEMA $is_in{$database}", $database);
		$round->fault('move extension');
	});
	$round->expect_ids($server, $_) for 'postgres', 'other';
	return;
}

# DROP EXTENSION and CREATE EXTENSION; the server remembers its marks.
sub extension
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->allow(qw(42883 42704 55000 STALE));
	$server->sql('DROP TABLE orders', $_) for 'postgres', 'other';
	$round->target($server);
	$round->sessions(mix => 'single:3,array:3,batch:1,reserve:1,shard:2,observe:1');
	my %was_dropped;
	$round->during(3, 0.1, sub {
		my $database = one_of('postgres', 'other');
		$was_dropped{$database} = 1;
		$server->sql('DROP EXTENSION idgen CASCADE', $database);
		usleep(between(0, 5e4)) if chance(0.5);
		my $back = one_of(0, 0, 0.01, 0.3);
		$server->step_clock(-$back) if $back > 0;
		$server->sql('CREATE EXTENSION idgen', $database);
		$round->fault('drop and create extension');
	});
	$server->set_clock(20);
	$round->during(0.3, 0);
	for my $database ('postgres', 'other')
	{
		if ($was_dropped{$database})
		{
			$server->sql(Torture::Round::make_seconds(), $database);
			$server->sql("SELECT idgen_create_generator('fixed', 'snowflake', machine_id => 9)", $database);
		}
		$round->expect_ids($server, $database);
	}
	return;
}

# The way back from a clock that was far ahead: a machine ID that was never used.
sub start_over
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->allow(qw(55000 down));
	$round->{identities} = { '1:3' => 1, '1:20' => 1 };
	$round->target($server);
	# UUIDs without a machine ID are not held back: they go on below those of the time ahead.
	$round->sessions(modes => 'wait,lead,error', mix => 'single:1,array:1,batch:1,reserve:1,shard:1,named:1,sonyflake:1,'
		  . 'seconds:1,ending:1,wide:1,arrays:1,bulk:1,insert:1,parallel:1,observe:1,hlc:1,uuidv8:1,id128:1');
	$round->during(0.4, 0);
	$server->set_clock(one_of(3, 30) * 86400);
	$round->fault('far ahead');
	$round->during(0.4, 0);
	$round->expect_ids($server, $_) for 'postgres', 'other';
	$server->set_clock(0);
	$round->during(0.2, 0);
	for my $database ('postgres', 'other')
	{
		$server->sql('SELECT idgen_start_over(20)', $database);
		$round->during(0.2, 0);
	}
	$round->fault('start over');
	my $machine = sub { append_to("$server->{dir}/postgresql.conf", "idgen.machine_id = $_[0]\n"); };
	my $now = 'snowflake_nextval()';
	for my $how ('fast', 'immediate')
	{
		$server->stop($how);
		$round->fault("$how shutdown");
		$machine->(20);
		my $back = one_of(0, 0.2, 5);
		$server->step_clock(-$back);
		$round->target if chance(0.5);
		$server->start;
		$round->target($server, one_of([ 'postgres' ], [ 'other' ], [ 'postgres', 'other' ])->@*);
		$round->during(0.5, 0);
		$server->set_clock(20);
		$round->during(0.3, 0);
		$round->expect_ids($server, 'postgres', $now);
		# The machine ID that made IDs of a future time gets none.
		$machine->(3);
		$server->sql('SELECT pg_reload_conf()');
		$round->fault('new identity');
		$round->during(0.3, 0);
	}
	return;
}

# No room for the log, into which the mark is written: PostgreSQL then stops.
sub disk
{
	my ($round) = @_;
	my $small = $config{small};
	if (!$small)
	{
		$round->{result} = { ids => -1, errors => {}, violations => {}, text => '',
			remark => 'skipped: no small file system here' };
		return;
	}
	my $server = $round->server('main', Torture::Scenarios::window(), 'max_wal_size = 16MB',
		'min_wal_size = 2MB', 'wal_keep_size = 0', 'wal_recycle = off');
	$server->stop('fast');
	command('rm', '-rf', "$small/wal", "$small/filler");
	command('cp', '-a', "$server->{dir}/pg_wal", "$small/wal");
	command('rm', '-rf', "$server->{dir}/pg_wal");
	symlink("$small/wal", "$server->{dir}/pg_wal") or die "cannot link pg_wal: $!\n";
	$server->start;
	$round->allow(qw(down 53100));
	$round->target($server);
	$round->sessions(modes => 'wait,lead,error');
	for (1 .. 2)
	{
		$round->during(0.6, 0);
		# Fills all the space that is left; the segment in use still has some room.
		Torture::Server::try_command('dd', 'if=/dev/zero', "of=$small/filler", 'bs=64k', 'status=none');
		$round->during(0.2, 0);
		# An insertion of a megabyte needs a new segment.
		$server->ask("INSERT INTO orders SELECT n, 0 FROM generate_series(1, 60000) AS n ON CONFLICT DO NOTHING");
		$round->during(0.5, 0);
		my $down = !$server->postmaster;
		$round->fault($down ? 'full disk' : 'full disk, survived');
		unlink("$small/filler");
		my $back = one_of(0, 0.3, 2);
		$server->step_clock(-$back) if $back > 0;
		$server->start unless $server->postmaster;
		$server->wait_ready;
		$round->during(0.5, 0);
		$server->step_clock($back + 0.1);
	}
	$server->set_clock(20);
	$round->expect_ids($server);
	$round->stop_sessions;
	$server->stop('immediate');
	command('rm', '-rf', "$small/wal");
	return;
}

1;
