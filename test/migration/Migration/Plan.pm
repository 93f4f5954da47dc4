# One migration: idgen_plan_migration's statements from the first to the last, again and again until they all succeed,
# and then its end: finished, or rolled back before or after the cut over.
package Migration::Plan;

use strict;
use warnings;

use Time::HiRes qw(time);
use Migration::Server;

# relation, column, target, created (a column or nothing), end (finish, early, late), drop (the mapping), batch.
sub new
{
	my ($class, $mover, %options) = @_;
	return bless { end => 'finish', %options, mover => $mover, runs => 0, cuts => [] }, $class;
}

sub literal { my ($text) = @_; $text =~ s/'/''/g; return "'$text'"; }

sub arguments { my ($self) = @_; return literal($self->{relation}) . ', ' . literal($self->{column} =~ s/"//gr); }

# The table of old and new keys.
sub mapping
{
	my ($self) = @_;
	my ($table) = $self->{relation} =~ /^shop\.(.*)/;
	return 'shop."' . "${table}_$self->{column}" =~ s/"//gr . '_idgen_map"';
}

# Errors after which the plan is run again: a lock that was not to be had, and a session that was thought to be gone.
my %again = map { $_ => 1 } qw(disturbed 55P03 40P01 55006);

# Of IDs of the past: no generator here has it.
our $machine = 31;
my %identity = (snowflake => ", datacenter_id => 31, machine_id => $machine", wide => ", machine_id => $machine");

sub statements
{
	my ($self) = @_;
	my $call = 'SELECT statement FROM idgen_plan_migration(' . $self->arguments . ', ' . literal($self->{target})
	  . ($self->{created} ? ', created => ' . literal($self->{created}) . ($identity{ $self->{target} } // '') : '')
	  . ", method => 'rewrite') WHERE statement IS NOT NULL ORDER BY step";
	my $state = $self->{mover}->perform($call, chance => 0, tuples => 1);
	die "the plan is refused: $self->{mover}{said}\n" if $state ne '';
	my @statements = split(/\x1e/, $self->{mover}{said});
	s/(idgen_migration_backfill\([^;]*)\)/$1, batch => $self->{batch}, pause => '2 ms')/ for @statements;
	return @statements;
}

# Runs all statements, or as many as `steps` says. Returns whether it came to the end of them.
sub run
{
	my ($self, $steps) = @_;
	for (1 .. 40)
	{
		$self->{runs}++;
		my $done = 0;
		my $state = '';
		for my $statement ($self->statements)
		{
			return 0 if defined $steps and $done >= $steps or $self->{end} eq 'early' and $statement =~ /_cut_over/;
			$state = $self->step($statement);
			last if $state ne '';
			$done++;
		}
		return 1 if $state eq '';
	}
	die "the plan does not come to its end\n";
}

# Runs one statement. Returns '' or why the plan has to be run again.
sub step
{
	my ($self, $statement) = @_;
	my $mover = $self->{mover};
	my $began = time();
	my $state = $mover->perform($statement);
	push @{ $self->{cuts} }, [ $began, time() ] if $statement =~ /_cut_over|_roll_back/;
	$mover->{refused}{$state}++ if $state ne '' and $state ne 'disturbed';
	die "$statement: $mover->{said}\n" if $state ne '' and !$again{$state};
	return $state;
}

# Whether there is a migration. A session whose client was killed is waited for.
sub is_there
{
	my ($self) = @_;
	my $server = $self->{mover}{server};
	for (1 .. 600)
	{
		last if $server->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mover' AND pid <> pg_backend_pid()") eq '0';
		$self->{mover}->pause(0.1);
	}
	return $server->sql('SELECT count(*) FROM idgen_migrations WHERE relation = ' . literal($self->{relation}) . '::regclass') > 0;
}

# Runs the last statement, until the migration is gone.
sub insist
{
	my ($self, $statement) = @_;
	for (1 .. 40)
	{
		return unless $self->is_there;
		return if $self->step($statement) eq '';
	}
	die "does not succeed: $statement\n";
}

# Brings it to its end. Returns the kind of keys that there are then: the target, or old.
sub finish
{
	my ($self) = @_;
	my $mover = $self->{mover};
	if ($self->{end} eq 'early')
	{
		$self->run(int(rand(scalar(my @all = $self->statements))));
		$self->insist('CALL idgen_migration_roll_back(' . $self->arguments . ')');
		return 'old';
	}
	$self->run;
	$mover->pause(0.3 + rand);
	if ($self->{end} eq 'late')
	{
		$self->insist('CALL idgen_migration_roll_back(' . $self->arguments . ')');
		return 'old';
	}
	$self->insist('CALL idgen_migration_finish(' . $self->arguments . ', drop_mapping => ' . ($self->{drop} ? 'true' : 'false') . ')');
	return $self->{target};
}

1;
