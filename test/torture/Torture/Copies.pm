# The scenarios in which another server, or another database, continues what one began.
package Torture::Copies;

use strict;
use warnings;

use File::Path qw(make_path);
use Time::HiRes qw(time usleep);

use Torture::Round;
use Torture::Server;

our %scenarios = (
	failover => \&failover,
	synchronous => \&synchronous,
	switchover => \&switchover,
	backup => \&backup,
	recovery => \&recovery,
	template => \&template,
);

# --- parts -------------------------------------------------------------------------------

sub base_backup
{
	my ($from, $to, @options) = @_;
	command('pg_basebackup', '-d', $from->connection, '-D', $to->{dir}, '-c', 'fast', '-X', 'stream', '--no-sync', @options);
	return;
}

# A streaming standby that has caught up, with a clock that is behind by this many seconds.
sub standby
{
	my ($round, $primary, $name, $behind) = @_;
	my $standby = $round->empty_server($name);
	base_backup($primary, $standby, '-R');
	$standby->configure('idgen.datacenter_id = 1', 'idgen.machine_id = 3');
	$standby->set_clock(-$behind);
	$standby->start;
	wait_streaming($primary);
	return $standby;
}

# Waits until the standby has everything that was written until now.
sub wait_streaming
{
	my ($primary) = @_;
	my $now = $primary->sql('SELECT pg_current_wal_lsn()');
	for (1 .. 1200)
	{
		my ($status, $text) = $primary->ask("SELECT count(*) FROM pg_stat_replication
			WHERE state = 'streaming' AND flush_lsn >= '$now'");
		return if $status == 0 and $text > 0;
		usleep(50_000);
	}
	die "the standby does not stream from server $primary->{name}\n";
}

# The clock is behind at first, then beyond everything that was made.
sub go_on
{
	my ($round, $server, @databases) = @_;
	$round->target($server, @databases);
	$round->during(0.8, 0);
	$server->set_clock(15);
	$round->during(0.5, 0);
	$round->expect_ids($server, $databases[0]);
	return;
}

# Reads the log of another server to its end.
sub recover_from
{
	my ($server, $other, @settings) = @_;
	$server->configure("restore_command = 'cp $other->{dir}/pg_wal/%f %p'", 'idgen.datacenter_id = 1',
		'idgen.machine_id = 3', @settings);
	append_to("$server->{dir}/recovery.signal", '');
	return;
}

# --- standbys ----------------------------------------------------------------------------

sub make_synchronous
{
	my ($primary) = @_;
	$primary->sql([ "ALTER SYSTEM SET synchronous_standby_names = '*'", 'SELECT pg_reload_conf()' ]);
	for (1 .. 600)
	{
		return if $primary->sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") eq '1';
		usleep(50_000);
	}
	die "no standby becomes synchronous\n";
}

# The primary dies. A synchronous standby has every mark, and its clock may be behind by any time;
# while it is away no IDs are handed out. An asynchronous standby may lack the last marks, so its
# clock has to pass the time at which the primary died.
sub failover
{
	my ($round) = @_;
	my $synchronous = chance(0.5);
	my $primary = $round->server('primary', Torture::Scenarios::window());
	my $standby = standby($round, $primary, 'standby', $synchronous ? one_of(0.2, 2, 60) : one_of(0, 0.3));
	$round->allow(qw(down 57014));
	make_synchronous($primary) if $synchronous;
	$round->target($primary);
	my $away = $synchronous && chance(0.6);
	# A commit waits for the standby anyway; only the other calls show whether the mark does.
	$round->sessions(modes => 'wait,lead,error',
		$away ? (mix => 'single:1,array:2,batch:1,reserve:1,shard:2,named:1,seconds:1') : ());
	$round->during(1.2, 0);
	if ($away)
	{
		$standby->stop('fast');
		$round->fault('standby away');
		$round->during(0.7, 0);
	}
	my $how = one_of('kill postmaster', 'immediate shutdown');
	$how =~ /kill/ ? $primary->kill_postmaster : $primary->stop('immediate');
	$round->fault($how);
	if (!$synchronous)
	{
		my $end = $primary->wall_ns;
		usleep(20_000) while $standby->wall_ns < $end;
	}
	$round->target if chance(0.5);
	$standby->start if $away;
	$standby->promote;
	$round->fault($synchronous ? 'failover, synchronous' : 'failover, asynchronous');
	go_on($round, $standby);
	return;
}

# The standby is away. Some sessions have settings that ignore it, and make IDs, or try to, beside
# some that respect it. Then the primary dies; or nobody asks for a standby any more, and everything
# goes on.
sub synchronous
{
	my ($round) = @_;
	my $primary = $round->server('primary', Torture::Scenarios::window(),
		'synchronous_commit = ' . one_of('on', 'on', 'remote_write', 'remote_apply'), $round->leading);
	my $standby = standby($round, $primary, 'standby', one_of(2, 10, 60));
	my $dies = chance(0.85);
	$round->allow('down');
	make_synchronous($primary);
	for my $object ('ROLE app', 'ROLE granted', 'DATABASE other', 'ROLE app IN DATABASE postgres')
	{
		$primary->ask("ALTER $object SET " . one_of(@Torture::Roles::SYNCHRONOUS)) if chance(0.3);
	}
	my @set = ('', @Torture::Roles::SYNCHRONOUS);
	$round->target($primary);
	# A commit waits for the standby anyway; only the other calls show whether the mark does.
	$round->sessions(users => 'app,app,granted,postgres', before => join('|', map { $_ ? "SET $_" : '' } @set),
		options => join('|', map { $_ ? "-c $_" =~ s/ = /=/r : '' } @set), modes => 'wait,lead',
		between => 2, acts => join('|', map { $_ ? "SET $_" : 'RESET synchronous_commit' } @set),
		mix => 'single:1,array:2,arrays:1,batch:1,reserve:1,shard:2,named:1,seconds:1,hlc:1,ticket:1,tickets:1');
	$round->during(0.8, 0);
	$standby->stop('fast');
	$round->fault('standby away');
	$round->during(1.2, 0);
	if (!$dies)
	{
		$primary->sql([ "ALTER SYSTEM RESET synchronous_standby_names", 'SELECT pg_reload_conf()' ]);
		$round->fault('asynchronous from now on');
		$round->expect_within(10, $primary, $_, 'app', 'snowflake_nextval()') for 'postgres', 'other';
		return go_on($round, $primary);
	}
	$primary->kill_postmaster;
	$round->fault('kill postmaster');
	$standby->start;
	$standby->promote;
	$round->fault('failover, synchronous');
	go_on($round, $standby);
	return;
}

# A clean switch of roles, there and back, the second time after pg_rewind.
sub switchover
{
	my ($round) = @_;
	my $old = $round->server('old', Torture::Scenarios::window());
	my $new = standby($round, $old, 'new', one_of(0, 0.3, 5, 60));
	$round->allow('down');
	$round->target($old);
	$round->sessions(modes => 'wait,lead,error');
	$round->during(0.8, 0);
	$round->pause_sessions($old) if chance(0.5);
	$old->stop('fast');
	$new->promote;
	$round->fault('switchover');
	# Before PostgreSQL 16, pg_rewind notices a promotion only after a checkpoint has recorded it.
	$new->sql('CHECKPOINT');
	$round->target($new);
	$round->during(0.6, 0);
	# The old primary starts by mistake. It makes no IDs, but a history of its own.
	$old->start;
	$old->sql('CREATE TABLE mistake AS SELECT 1');
	$old->stop(one_of('fast', 'immediate'));
	command('pg_rewind', '-D', $old->{dir}, '--source-server=' . $new->connection, '-R', '--no-sync');
	# What pg_rewind must read may still be in memory, and nobody commits there.
	$new->sql('CHECKPOINT');
	# The settings are now the other server's.
	$old->configure('idgen.datacenter_id = 1', 'idgen.machine_id = 3');
	$old->set_clock(-one_of(0, 0.5, 90));
	$old->start;
	wait_streaming($new);
	$round->fault('pg_rewind');
	$round->during(0.4, 0);
	$new->stop('fast');
	$old->promote;
	$round->fault('switchover');
	go_on($round, $old);
	return;
}

# --- backups -------------------------------------------------------------------------------

# A base backup, restored with the whole log of the server that died.
sub backup
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	my $restored = $round->empty_server('restored');
	$round->allow('down');
	$round->target($server);
	$round->sessions(modes => 'wait,lead,error');
	$round->during(0.4, 0);
	base_backup($server, $restored);
	$round->during(0.8, 0);
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	recover_from($restored, $server);
	$restored->set_clock(-one_of(0, 0.2, 5, 3600));
	$restored->start->wait_ready;
	$round->fault('restored backup');
	go_on($round, $restored);
	return;
}

# Recovery to a time before the last mark forgets what came later. idgen_observe() closes the gap.
# Runs with and without it.
sub recovery
{
	my ($round) = @_;
	my $server = $round->server('main', 'idgen.reserve_window = 50');
	my @restored = map { $round->empty_server($_) } 'observed', 'unobserved';
	my %sessions = (mix => 'single:1,array:2,batch:1,reserve:1,insert:1', modes => 'wait', ids => 300_000);
	base_backup($server, $_) for @restored;
	$round->allow('down');
	$round->target($server);
	$round->sessions(%sessions);
	usleep(400_000);
	$server->sql("SELECT pg_create_restore_point('then')");
	my $then = $server->wall_ns;
	usleep(800_000);
	$round->pause_sessions($server);
	my $largest = $server->sql("SELECT idgen_observe('snowflake', 0)");
	$server->stop('fast');
	$round->stop_sessions;
	my $history = $round->{history};
	rename($_, s/history\.(\d+)$/history.before.$1/r) for glob("$history/history.[0-9]*");
	my $limit = "$round->{dir}/unobserved-history";
	make_path($limit);
	link($_, s/.*\//$limit\//r) for glob("$history/history.before.*");

	for my $restored (@restored)
	{
		my $observed = $restored->{name} eq 'observed';
		recover_from($restored, $server, "recovery_target_name = 'then'", 'recovery_target_action = promote',
			'idgen.reserve_window = 50');
		$restored->start->wait_ready;
		# The clock hardly moves, so that nothing depends on how fast the test is.
		$restored->set_wall($then + 100_000_000, -0.999);
		$restored->sql("SET idgen.max_clock_lead = '1 min'; SELECT idgen_observe('snowflake', $largest)")
		  if $observed;
		$round->target($restored);
		$round->sessions(%sessions, $observed ? () : (dir => $limit));
		$round->fault($observed ? 'recovery to a time, observed' : 'recovery to a time');
		usleep(700_000);
		if ($observed)
		{
			$restored->set_clock(5);
			usleep(400_000);
			$round->expect_ids($restored);
		}
		$round->stop_sessions;
		$restored->stop('fast');
	}

	my $result = $round->check;
	command('cp', "$history/clocks", "$limit/clocks");
	my $shown = $round->check(dir => $limit);
	my $found = 0;
	$found += $_ for values %{ $shown->{violations} };
	$result->{violations}{'limit-not-shown'} = 1 if !$found;
	$result->{remark} = "without idgen_observe, as documented: "
	  . join(', ', map { "$_ $shown->{violations}{$_}" } sort keys %{ $shown->{violations} });
	$round->{result} = $result;
	return;
}

# --- databases ------------------------------------------------------------------------------

# CREATE DATABASE ... TEMPLATE under load, and before a crash after which the clock is behind.
sub template
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->allow('down');
	$round->target($server);
	$round->sessions(modes => 'wait,lead,error');
	$round->during(0.5, 0);
	$round->pause_sessions($server);
	$round->target($server, 'postgres');
	$round->during(0.3, 0);
	for my $copy ('copy1', 'copy2')
	{
		my $strategy = one_of('wal_log', 'file_copy');
		$server->sql("CREATE DATABASE $copy TEMPLATE other STRATEGY $strategy");
		$round->fault("database copied by $strategy");
		$round->target($server, 'postgres', $copy);
		$round->during(0.5, 0);
	}
	$round->target($server, 'copy1');
	$round->during(0.4, 0);
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	my $back = one_of(0.1, 0.5, 60);
	$server->step_clock(-$back);
	$round->fault('back while down', Torture::Scenarios::text_of(-$back));
	$round->target;
	$server->start;
	go_on($round, $server, one_of('copy2', 'other', 'postgres'));
	return;
}

1;
