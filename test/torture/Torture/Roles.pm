# The scenarios about roles (ordinary roles, owners, and those with blanket grants): what they may
# set, write, use up and hold.
package Torture::Roles;

use strict;
use warnings;

use Time::HiRes qw(time usleep);

use Torture::Round;
use Torture::Server;

our %scenarios = (
	roles => \&roles,
	file => \&file,
	grants => \&grants,
	lead => \&lead,
	many => \&many,
	stopped => \&stopped,
);

our $EVERYBODY = 'app,app,owner,granted,postgres,postgres';
our @SYNCHRONOUS = map { "synchronous_commit = $_" } qw(off local remote_write on);

# Settings to try: some take effect, some are refused to ordinary roles, some are refused to
# everybody.
my @SETTINGS = (
	'machine_id = 2', 'machine_id = 3', 'machine_id = abc', 'machine_id = 0x', 'machineid = 2', 'datacenter_id = 2',
	'shard_id = 5', 'block_size = 64', 'block_size = 0', 'max_clock_wait = abc', 'clock_regression = lead',
	'reserve_window = 10', 'max_clock_lead = 3600000',
);
my @OPTIONS = ('', '', '', ('-c idgen.machine_id=abc') x 3, map({ s/ //gr } map { "-c idgen.$_" } @SETTINGS), map({ s/ //gr } map { "-c $_" } @SYNCHRONOUS));
my @BEFORE = (
	'', '', '', ("SET idgen.machine_id = '2'") x 5, map({ "SET idgen." . s/= (\S+)/= '$1'/r } @SETTINGS), map({ "SET $_" } @SYNCHRONOUS),
	"SET ROLE app; SET idgen.machine_id = '2'", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
	"SET idgen.machine_id = '2'; SELECT idgen_shard('a', 5)", "SET idgen.shard_id = '7'; RESET ALL",
);
my @ACTS = (
	'RESET ALL', 'RESET ALL', 'RESET idgen.machine_id', 'RESET idgen.machine_id', 'SET ROLE app; RESET ROLE', map({ "SET $_" } @SYNCHRONOUS), 'RESET synchronous_commit',
	'DISCARD PLANS', 'DISCARD TEMP',
);

# Many kinds of calls, none of which needs a superuser.
our $PLAIN_MIX = 'single:2,array:2,arrays:1,batch:1,reserve:1,shard:1,named:1,seconds:1,wide:2,bulk:1,parallel:1,uuid:1,uuids:1,ulid:1,uuidv1:1,uuidv8:1,id128:1';

sub listed { return join('|', @_); }

# --- what they set -------------------------------------------------------------------------

# Every setting, by everybody, in every way, before and after the module is loaded.
sub roles
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->target($server);
	$round->allow('25006');
	$round->sessions(users => $EVERYBODY, options => listed(@OPTIONS), before => listed(@BEFORE), between => 4,
		acts => listed(@ACTS), discards => 3, mix => "$PLAIN_MIX,insert:1,observe:1",
		modes => one_of('wait', 'wait,lead,error'), threads => 10, reconnects => 40);
	$round->during(4, 0.3, sub { Torture::Scenarios::disturb_clock($round, $server) });
	$server->set_clock(20);
	$round->during(0.3, 0);
	$round->expect_within(20, $server, 'postgres', $_, 'snowflake_nextval()', "idgen_nextval('fixed')")
	  for 'app', 'granted';
	return;
}

# An invalid value or an unknown name: in the server's file, of a role, of a database. No ID is made
# until it is corrected.
sub file
{
	my ($round) = @_;
	my $where = one_of('file', 'file', 'role', 'database');
	my $wrong = one_of('machine_id = abc', 'machine_id = 99999999999', 'machine_id = -1', 'machineid = 3',
		'datacenter_id = 1.5x', 'clock_regression = never');
	my @identity = ('idgen.datacenter_id = 1', 'idgen.machine_id = 3');
	my ($name, $value) = split(/ = /, $wrong);
	$wrong = "$name = '$value'";
	# A misspelt name takes the place of the right one.
	my @without = $name eq 'machineid' ? 'idgen.datacenter_id = 1' : grep { !/idgen\.$name / } @identity;
	my $server = $round->server('main', $where eq 'file' ? [ @without, "idgen.$wrong" ] : [ @identity ],
		Torture::Scenarios::window());
	$round->allow(qw(F0000 08001));
	# A superuser's session sets the mode itself.
	my @who = (users => $name eq 'clock_regression' ? 'app,owner,granted' : $EVERYBODY);
	if ($where ne 'file')
	{
		my $object = $where eq 'role' ? 'ROLE app' : 'DATABASE other';
		# Refused if the module is preloaded, which is right.
		my ($status) = $server->ask("ALTER $object SET idgen.$name = '$value'");
		$round->note("ALTER $object: status $status");
		@who = (users => 'app') if $where eq 'role';
	}
	$round->fault("wrong value: $where", $wrong);
	my $preloaded = $server->sql('SHOW shared_preload_libraries') =~ /idgen/;
	$round->target($server, 'other');
	$round->sessions(@who, mix => $PLAIN_MIX);
	$round->during(1.2, 0);
	# No ID was made until then.
	my $mended = mono_ns();
	$round->{identities} = { "1:3:$mended" => 1 } unless $preloaded and $where ne 'file';
	if ($where eq 'file')
	{
		my $file = "$server->{dir}/postgresql.conf";
		open(my $in, '<', $file) or die "cannot read $file: $!\n";
		my $text = join('', grep { !/^idgen\.\Q$wrong\E$/ } <$in>);
		write_file($file, join("\n", $text, @identity, ''));
		if (chance(0.5)) { $server->stop('fast'); $round->allow('down'); $server->start; }
		else { $server->sql('SELECT pg_reload_conf()'); }
	}
	else
	{
		$server->sql("ALTER $_ RESET ALL") for 'ROLE app', 'DATABASE other';
	}
	usleep(200_000);
	$round->target($server);
	$round->during(0.8, 0);
	$round->expect_within(20, $server, 'other', 'app', 'snowflake_nextval()', "idgen_nextval('fixed')");
	return;
}

# --- what they write -------------------------------------------------------------------------

# Everything that writes to a sequence is tried on idgen's: by roles with grants on it, by other
# extensions that process all sequences, and by hand. Then a crash, and a clock that goes back.
sub grants
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window(), Torture::Scenarios::lazy_log(), $round->leading);
	$round->allow('down');
	$round->target($server);
	$round->sessions(users => 'app,granted,postgres', mix => $PLAIN_MIX);
	my $ours = "FROM pg_class WHERE relkind = 'S' AND relname LIKE 'idgen%'";
	my $now_ms = sub { whole($server->wall_ns / 1e6) };
	my @values = (sub { 1 }, sub { 1 }, sub { $now_ms->() - one_of(1, 3000, 3_600_000) }, sub { $now_ms->() + one_of(1, 500, 5000) },
		sub { 2_493_072_000_000 }, sub { '9223372036854775807' });
	my $set = sub {
		my ($value, @databases) = @_;
		for my $database (@databases)
		{
			my $user = one_of('granted', 'granted', 'owner', 'postgres');
			my $one = one_of("setval(oid::regclass, $value)", "setval(oid::regclass, $value, false)");
			$server->ask(one_of("SELECT $one $ours", "SELECT setval('idgen_high_water_mark', $value)"), $database, $user);
			$round->fault('setval', "$value in $database by $user");
		}
	};
	# As an extension that replicates sequences does.
	if (chance(0.5))
	{
		my $lower = $now_ms->() - 3000;
		$server->begin([ ("SELECT setval('idgen_high_water_mark', $lower), pg_sleep(0.1)") x 60 ], $_, 'granted')
		  for 'postgres', 'other';
		$round->fault('replicated sequence');
	}
	$round->during(2, 0.1,
		sub { $set->(one_of(@values)->(), one_of('postgres', 'other')) },
		sub {
			$server->ask("SELECT nextval(oid::regclass) $ours", one_of('postgres', 'other'), one_of('granted', 'postgres'));
			$round->fault('nextval');
		},
		sub {
			$server->ask([ 'CREATE TABLE trap (n bigint)', 'ALTER SEQUENCE idgen_high_water_mark OWNED BY trap.n',
				'TRUNCATE trap RESTART IDENTITY', 'ALTER SEQUENCE idgen_high_water_mark OWNED BY NONE', 'DROP TABLE trap' ],
				one_of('postgres', 'other'));
			$round->fault('restart identity');
		});
	$round->pause_sessions($server) if chance(0.5);
	$set->($values[ int(rand(3)) ]->(), 'postgres', 'other');
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	$round->end_beside;
	my $back = one_of(0.001, 0.4, 5, 20, 3600);
	$server->step_clock(-$back);
	$round->fault('back while down', Torture::Scenarios::text_of(-$back));
	$round->target if chance(0.5);
	$server->start;
	Torture::Copies::go_on($round, $server, one_of('postgres', 'other'), 'postgres');
	return;
}

# --- what they use up -------------------------------------------------------------------------

# One session in mode lead takes all that it can. Others wait beside it. Their clock is right, so
# they get IDs.
sub lead
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	$round->{errors} = {};
	$round->target($server);
	$round->sessions(users => 'app,postgres', modes => 'wait', wait_ms => '500,2000', mix => "$PLAIN_MIX,insert:1");
	for (1 .. 2)
	{
		my $most = one_of(700, 3000);
		$server->begin([ 'SET idgen.clock_regression = lead', "SET idgen.max_clock_lead = $most",
			'SELECT count(snowflake_nextval_array(4096)) FROM generate_series(1, 4000)' ], one_of('postgres', 'other'));
		$round->fault('burst ahead', "$most ms");
		$round->during(2, 0);
	}
	$round->expect_within(20, $server, 'postgres', 'app', 'snowflake_nextval()');
	return;
}

# Ordinary roles go through a million shards. The cost is bounded, nobody else loses anything, and
# what was made in each shard is known after a crash.
sub many
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window());
	# Errors at the bound.
	$round->allow(qw(53000 53200 53400 54000 down));
	$round->target($server);
	$round->sessions(users => 'app', threads => 4, mix => 'many:1', ids => 1_000_000);
	$round->sessions(users => 'app,postgres', threads => 4, mix => $PLAIN_MIX);
	$round->during(3, 0);
	my $mb = sub { sprintf('%.0f', $server->dynamic_memory / 1e6) };
	my $used = $mb->();
	$round->{faults}{'million shards'}++;
	$round->found('memory', "$used MB of shared memory") if $used > 72;
	$round->expect_within(20, $server, 'postgres', 'granted', 'snowflake_nextval()', "idgen_nextval('torture_seconds')");
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	$server->step_clock(-one_of(0.001, 0.5, 5));
	$server->start;
	$round->target($server);
	$round->during(0.7, 0);
	$server->set_clock(20);
	$round->during(0.7, 0);
	$round->expect_ids($server);
	return;
}

# --- what they hold ---------------------------------------------------------------------------

# The session that writes the mark is stopped in the middle. The others wait, and their waits can be
# ended.
sub stopped
{
	my ($round) = @_;
	my $server = $round->server('main', 'idgen.reserve_window = 10', Torture::Scenarios::lazy_log());
	$round->allow('57014');
	$round->target($server);
	$round->sessions(users => 'app,postgres', modes => 'wait', timeouts => 40, mix => $PLAIN_MIX);
	# (A process that is stopped while it writes the log makes every COMMIT wait, and PostgreSQL lets
	# nobody cancel that.)
	my %points = (4 => 'before use', 5 => 'with the page');
	for (1 .. 4)
	{
		$round->during(0.2, 0);
		my $point = one_of(4, 5, 5);
		my $before = $server->kills;
		$server->kill_at($point, 1);
		for (1 .. 200) { last if $server->kills > $before; usleep(5_000); }
		$server->kill_at(0);
		my ($kills, $pid) = $server->kills;
		next if $kills == $before;
		$round->fault("stopped $points{$point}");
		usleep(100_000);
		my $asked = time();
		my $resumed = $asked + 4;
		# Another process resumes it, whatever becomes of the call.
		my $waker = fork() // die "cannot fork: $!\n";
		if (!$waker)
		{
			usleep(4_000_000);
			kill('CONT', $pid);
			exec('true') or exit 127;
		}
		my @databases = ('postgres', 'other');
		for my $database (@databases)
		{
			my ($status) = $server->ask([ "SET statement_timeout = 300",
				'SELECT count(pg_sleep(0.01)) FROM (SELECT snowflake_nextval() FROM generate_series(1, 5)) AS i' ],
				$database, 'app');
			my $took = time() - $asked;
			$round->note(sprintf('call beside a stopped session: status %d after %.2f s', $status, $took));
			$round->found('deaf', sprintf('a call with statement_timeout of 300 ms ended after %.1f s', $took))
			  if time() >= $resumed;
		}
		kill('CONT', $pid);
		kill('KILL', $waker);
		waitpid($waker, 0);
	}
	$round->expect_ids($server);
	return;
}

1;
