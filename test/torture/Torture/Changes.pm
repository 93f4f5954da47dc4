# A generator whose layout changes again and again: the layouts, what the checker is told about them
# (changes.h), and the scenario of one server. Fleets are in FleetChange.pm.
package Torture::Changes;

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(time usleep);
use Time::Local 'timegm';

use Torture::Round;
use Torture::Server;

our @EXPORT = qw($CHANGING $MOST_STAGES text_of_layout next_layout lower_layout stages_of answer_of write_changes check_decoding $LAYOUT);

our %scenarios = (change => \&change);

our $CHANGING = 'torture_changing';
our $MOST_STAGES = 16;

# --- layouts ------------------------------------------------------------------------------

# In each the machine ID is in another place, or beside another field, so that an ID shows who made
# it in its own layout and in no other. The IDs of a group grow alike, so that each of its layouts
# can follow each; those of a later group are greater, so there is no way back from it.
my @groups = (
	[
		{ year => 2020, tick_ms => 1, fields => [ timestamp => 41, datacenter => 5, machine => 5, sequence => 12 ], name => 'snowflake' },
		{ year => 2020, tick_ms => 1, fields => [ timestamp => 41, machine => 10, sequence => 12 ], name => 'tsid' },
		{ year => 2020, tick_ms => 1, fields => [ timestamp => 41, sequence => 14, machine => 8 ] },
		{ year => 2020, tick_ms => 1, fields => [ timestamp => 41, datacenter => 4, sequence => 12, machine => 6 ] },
		{ year => 2020, tick_ms => 2, fields => [ timestamp => 40, machine => 7, sequence => 16 ] },
		{ year => 2020, tick_ms => 4, fields => [ timestamp => 39, sequence => 13, datacenter => 4, machine => 7 ] },
	],
	[
		{ year => 2016, tick_ms => 1, fields => [ timestamp => 41, machine => 9, sequence => 13 ] },
		{ year => 2016, tick_ms => 1, fields => [ timestamp => 41, sequence => 12, datacenter => 4, machine => 6 ] },
	],
	[
		{ year => 2020, tick_ms => 1, fields => [ timestamp => 40, machine => 9, sequence => 14 ] },
		{ year => 2020, tick_ms => 1, fields => [ timestamp => 40, sequence => 13, machine => 10 ] },
		{ year => 2020, tick_ms => 2, fields => [ timestamp => 39, datacenter => 5, machine => 6, sequence => 13 ] },
	]);
my %epoch_s = (2016 => 1_451_606_400, 2020 => 1_577_836_800);

my (@layouts, %number_of);
for my $group (0 .. $#groups)
{
	for my $layout (@{ $groups[$group] })
	{
		my @fields = @{ $layout->{fields} };
		my ($end, %place) = (63);
		my $text = '';
		while (my ($name, $bits) = splice(@fields, 0, 2))
		{
			$end -= $bits;
			$place{$name} = "$end $bits";
			$text .= "$name:$bits, ";
		}
		$text = $layout->{name} // "${text}tick:$layout->{tick_ms}ms, epoch:$layout->{year}-01-01Z";
		$number_of{$text} = @layouts;
		push @layouts, { group => $group, text => $text, numbers => join(' ',
			$epoch_s{ $layout->{year} } * 1_000_000, $layout->{tick_ms} * 1000,
			map { $place{$_} // '0 0' } qw(timestamp datacenter machine sequence)) };
	}
}

sub text_of_layout { return $layouts[ $_[0] ]{text}; }

sub of_group { my ($group) = @_; return grep { $layouts[$_]{group} == $group } 0 .. $#layouts; }

# Another layout that can follow: of the same group, at times of a later one.
sub next_layout
{
	my ($number) = @_;
	my $group = $layouts[$number]{group};
	$group++ if $group < $#groups and chance(0.1);
	return one_of(grep { $_ != $number } of_group($group));
}

# One that cannot follow, if there is one.
sub lower_layout
{
	my ($number) = @_;
	my $group = $layouts[$number]{group} or return;
	return one_of(of_group(int(rand($group))));
}

# --- what became of changes -----------------------------------------------------------------

# Returns an instant as idgen writes it, in microseconds since 1970.
sub instant_us
{
	my ($text) = @_;
	my ($year, $month, $day, $hour, $minute, $second, $rest) =
	  $text =~ /^(\d+)-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?Z$/ or die "no instant: \"$text\"\n";
	return 1_000_000 * timegm($second // 0, $minute // 0, $hour // 0, $day, $month - 1, $year) + substr(($rest // '') . '000000', 0, 6);
}

# Returns the layouts of a succession's text, each with the microsecond from which on it counts.
sub stages_of
{
	my ($text) = @_;
	my $since = 0;
	my @stages;
	for my $part (split(/, then /, $text))
	{
		my ($name, $until) = $part =~ /^(.*?)(?: until (\S.*))?$/;
		defined $number_of{$name} or die "unknown layout \"$name\" in \"$text\"\n";
		push @stages, [ $number_of{$name}, $since ];
		$since = instant_us($until) if defined $until;
	}
	return @stages;
}

# Returns the answer of a server that may be down for a moment.
sub answer_of
{
	my ($server, $sql, $database) = @_;
	for (1 .. 600)
	{
		my ($status, $text) = $server->ask($sql, $database);
		return $text if $status == 0;
		usleep(100_000);
	}
	die "server $server->{name} does not answer: $sql\n";
}

our $LAYOUT = "SELECT layout FROM idgen_generators WHERE generator = '$CHANGING'";

# Tells the checker: the successions by the number of the generator, and changes that were called off.
sub write_changes
{
	my ($round, $successions, $off) = @_;
	my $text = join('', map { "layout $_ $layouts[$_]{numbers}\n" } 0 .. $#layouts);
	for my $generator (sort keys %$successions)
	{
		$text .= "stage $generator $_->[0] $_->[1]\n" for @{ $successions->{$generator} };
	}
	$text .= "off $_->[0] $_->[1] $_->[2]\n" for @$off;
	write_file("$round->{history}/changes", $text);
	return;
}

# Compares what idgen reads in IDs with what the checker read in them. Returns how many differ.
sub check_decoding
{
	my ($round, $generator, $server, $database) = @_;
	open(my $in, '<', "$round->{history}/decoded") or die "no decoded IDs: $!\n";
	my @lines = grep { /^$generator / } <$in>;
	close($in);
	s/^\d+ // for @lines;
	write_file("$round->{dir}/decoded", join('', @lines));
	$server->sql('CREATE TABLE IF NOT EXISTS decoded (id bigint, us bigint, datacenter int, machine int, sequence int)', $database);
	$server->sql("TRUNCATE decoded", $database);
	$server->sql("COPY decoded FROM '$round->{dir}/decoded' (DELIMITER ' ')", $database);
	my $wrong = $server->sql("SELECT d.id, p.* FROM decoded d, idgen_parse(d.id, '$CHANGING') p
		WHERE ((extract(epoch FROM ts) * 1000000)::bigint, coalesce(datacenter_id, -1), machine_id, p.sequence)
			IS DISTINCT FROM (us, datacenter, machine, d.sequence)
			OR idgen_compose('$CHANGING', ts, datacenter_id, machine_id, NULL, p.sequence) IS DISTINCT FROM id
			OR id NOT BETWEEN idgen_min_id(ts, '$CHANGING') AND idgen_max_id(ts, '$CHANGING')
		ORDER BY d.id", $database);
	$round->{decoded} += @lines;
	my @wrong = split(/\n/, $wrong);
	return if !@wrong;
	$round->{result}{violations}{decoded} += @wrong;
	$round->{result}{text} .= "\nviolation decoded: " . join("\n  ", @wrong > 5 ? @wrong[ 0 .. 4 ] : @wrong);
	return;
}

# --- one server -----------------------------------------------------------------------------

my $MIX = 'changing_one:3,changing:3,changing_batch:2,changing_array:0.5,changing_reserve:2,changing_parallel:0.3,'
  . 'changing_observe:0.5,single:0.5';

# Of each database: what is known of its generator's layouts, or nothing where a change may have
# happened or not.
sub layouts_of
{
	my ($self, $database) = @_;
	my $text = answer_of($self->{server}, $LAYOUT, $database);
	my $expected = $self->{expected}{$database};
	if (defined $expected and $text ne $expected)
	{
		$self->{round}->found('forgotten', "the layouts of $database are \"$text\", expected \"$expected\"");
	}
	$self->{expected}{$database} = $text;
	my @stages = stages_of($text);
	$self->{changed}{$database} = @stages - 1;
	return @stages;
}

# Changes the layout of a database's generator, in one of the ways of doing that, or calls it off.
# Returns the instant, in microseconds, if there will be a change.
sub change_one
{
	my ($self, $database, $ahead_ms) = @_;
	my ($round, $server) = @$self{qw(round server)};
	my @stages = layouts_of($self, $database);
	my $from = $stages[-1][0];
	if (@stages > $MOST_STAGES - 1) { return; }
	my $lower = lower_layout($from);
	if (defined $lower and chance(0.1))
	{
		my ($status) = $server->ask("SELECT idgen_change_layout('$CHANGING', '@{[text_of_layout($lower)]}', clock_timestamp() + interval '1 s')", $database);
		$self->{expected}{$database} = undef;
		$round->found('unsafe', "$database goes from \"@{[text_of_layout($from)]}\" to \"@{[text_of_layout($lower)]}\"") if $status == 0;
		return;
	}
	my $to = next_layout($from);
	my $change = "SELECT (extract(epoch FROM idgen_change_layout('$CHANGING', l, c.earliest)) * 1000000)::bigint
		FROM (SELECT '@{[text_of_layout($to)]}'::idgen_layout AS l) l,
			idgen_check_change('$CHANGING', l, clock_timestamp() + $ahead_ms * interval '1 ms') c";
	my $how = one_of(('commit') x 6, 'late commit', 'rollback', 'savepoint', 'cancel', 'cancel');
	my $ms = int(between(0, 2 * $ahead_ms));
	my @sql =
	    $how eq 'late commit' ? ('BEGIN', $change, "SELECT FROM pg_sleep($ms / 1000.0)", 'COMMIT')
	  : $how eq 'rollback'    ? ('BEGIN', $change, "SELECT FROM pg_sleep(0.05)", 'ROLLBACK')
	  : $how eq 'savepoint'   ? ('BEGIN', 'SAVEPOINT s', $change, 'ROLLBACK TO s', 'COMMIT')
	  :                         ($change);
	my ($status, $text) = $server->ask(\@sql, $database);
	my ($at) = $text =~ /^(\d+)$/m;
	$round->fault($status == 0 ? "change, $how" : 'change refused', "$database to $to at " . ($at // '?'));
	$self->{expected}{$database} = undef unless $how =~ /rollback|savepoint/;
	return unless defined $at;
	if ($status != 0 or $how =~ /rollback|savepoint/)
	{
		push @{ $self->{off} }, [ $self->{number}{$database}, $to, $at ];
		return;
	}
	if ($how eq 'cancel')
	{
		usleep(between(0, 1000 * $ahead_ms)) if chance(0.7);
		($status, $text) = $server->ask("SELECT (extract(epoch FROM idgen_cancel_change('$CHANGING')) * 1000000)::bigint", $database);
		push @{ $self->{off} }, [ $self->{number}{$database}, $to, $at ];
		$round->fault($status == 0 ? 'called off' : 'not called off', "$database $at");
		$self->note_last($database, $to, $at, $status != 0);
		return $status == 0 ? undef : $at;
	}
	$self->note_last($database, $to, $at, 1);
	return $at;
}

# After an answer: the change must be there, or not.
sub note_last
{
	my ($self, $database, $to, $at, $is_there) = @_;
	my $text = answer_of($self->{server}, $LAYOUT, $database);
	my $last = (stages_of($text))[-1];
	my $has = $last->[0] == $to && $last->[1] == $at;
	$self->{round}->found('forgotten', "$database, change to layout $to at $at: \"$text\"") if $has != $is_there;
	$self->{expected}{$database} = $text;
	return;
}

# The server, in a way that sessions feel at the instant of a change.
sub disturb_at
{
	my ($self, $at_us) = @_;
	my ($round, $server) = @$self{qw(round server)};
	my $left_s = $at_us / 1e6 - $server->wall_ns / 1e9;
	return if $left_s > 3;
	my $early = one_of(0, 0.001, 0.01, -0.01);
	usleep(1e6 * ($left_s - $early)) if $left_s > $early;
	my $what = one_of('kill session', 'kill postmaster', 'immediate', 'fast', 'back', 'back', 'there and back', 'forward', 'cancel');
	$round->fault("$what at the instant");
	if ($what eq 'kill session') { $server->kill_backend; }
	elsif ($what eq 'cancel') { cancel_some($server); }
	elsif ($what =~ /back|forward/)
	{
		my $step = one_of(0.001, 0.004, 0.02, 0.1, 0.5);
		$step = -$step if $what eq 'back';
		$server->step_clock($step);
		usleep(between(0, 3e4));
		$server->step_clock(-$step) if $what =~ /there/;
	}
	else { goes_down($self, $what, one_of(0, 0.01, 0.3)); }
	return;
}

sub cancel_some
{
	my ($server) = @_;
	$server->ask("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
		WHERE application_name LIKE 'torture%' AND random() < 0.5");
	return;
}

sub goes_down
{
	my ($self, $how, $back) = @_;
	my $server = $self->{server};
	if ($how eq 'kill postmaster') { $server->kill_postmaster; }
	else { $server->stop($how); }
	$server->step_clock(-$back) if $back > 0;
	$server->start->wait_ready;
	return;
}

# Sessions make IDs of a generator whose layout changes, in each of two databases by itself. Changes
# are rolled back, called off, committed too late; the server goes down and its clock steps, often at
# the very instant.
sub change
{
	my ($round) = @_;
	my $window_ms = one_of(10, 10, 50, 300, 1000);
	my $server = $round->server('main', "idgen.reserve_window = $window_ms");
	my $self = bless { round => $round, server => $server, expected => {}, off => [], changed => {},
		number => { postgres => 0, other => 1 } }, __PACKAGE__;
	$round->allow(qw(down 57014));
	$round->target($server);
	$round->sessions(mix => $MIX, blocks => one_of(0, 40), discards => 1, modes => one_of('wait', 'lead', 'wait,lead,error'),
		lead_ms => one_of(500, 10000), ids => 0.7 * $config{most_ids});
	if (chance(0.5))
	{
		# Sessions that have changed the layout, and take that back. They make no IDs of the instant or later.
		$round->allow('55000');
		$round->sessions(threads => 2, mix => $MIX, wraps => 30, wrap_ms => '20,200', ends => 'rollback,savepoint,prepare',
			ids => $config{most_ids} / 10, wrap => join('|', map { my $to = $_; map {
				"SELECT idgen_change_layout('$CHANGING', '@{[text_of_layout($to)]}', clock_timestamp() + interval '$_ ms')" } 50, 1000 } 1 .. 3));
	}
	# Sessions that stay in a transaction take in no invalidations: they hear of nothing.
	$round->sessions(threads => 3, mix => 'changing_one:3,changing:1', wraps => 100, wrap => 'SELECT 1', wrap_ms => '100,700',
		ends => 'commit', modes => one_of('wait', 'lead'), ids => $config{most_ids} / 10);
	my @databases = ('postgres', 'other');
	$round->during(4, 0.1,
		(sub { $self->change_one(one_of(@databases), one_of(50, 100, 300, 1000)); }) x 3,
		(sub {
			my $at = $self->change_one(one_of(@databases), one_of(100, 300, 600)) or return;
			$self->disturb_at($at);
			$server->wait_ready;
		}) x 3,
		sub { Torture::Scenarios::disturb_clock($round, $server); },
		sub { $round->fault('kill session') if $server->kill_backend; $server->wait_ready; },
		sub { cancel_some($server); $round->fault('cancel'); });
	$server->wait_ready;
	$server->set_clock(20);    # beyond max_clock_lead and all instants
	# Whatever was before, a change is possible now, if its instant is beyond the marks.
	my $notice_ms = $window_ms + 300;
	for my $database (@databases)
	{
		next if $self->layouts_of($database) >= $MOST_STAGES;
		my $at;
		for (1 .. 30) { $at = $self->change_one($database, $notice_ms); last if defined $at; }
		$round->found('stuck', "no change is possible in database $database") unless defined $at;
	}
	usleep(1000 * $notice_ms);
	for my $database (@databases)
	{
		$round->expect_ids($server, $database);
		$round->expect_ids($server, $database, "idgen_nextval('$CHANGING')");
	}
	write_changes($round, { map { ($self->{number}{$_} => [ $self->layouts_of($_) ]) } @databases }, $self->{off});
	$round->{result} = $round->check(changes => 'database', sample => 5000);
	check_decoding($round, $self->{number}{$_}, $server, $_) for @databases;
	$round->{result}{remark} = sprintf('%d changes, %d IDs decoded', $self->{changed}{postgres} + $self->{changed}{other}, $round->{decoded});
	return;
}

1;
