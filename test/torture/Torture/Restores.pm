# The scenarios about dumps: who restores, in which form, at which moment, and into what.
package Torture::Restores;

use strict;
use warnings;

use Time::HiRes qw(time usleep);

use Torture::Copies;
use Torture::Round;
use Torture::Server;

our %scenarios = (
	dump => \&dump,
	olddump => \&old_dump,
);

# How a dump is written and how it is read.
my @FORMS = (
	[ [ '-F', 'plain' ], [] ],
	[ [ '-F', 'plain' ], ['--single-transaction'] ],
	[ [ '-F', 'plain', '--inserts' ], [] ],
	[ [ '-F', 'custom' ], [] ],
	[ [ '-F', 'custom' ], ['--single-transaction'] ],
	[ [ '-F', 'custom', '--inserts' ], [] ],
	[ [ '-F', 'custom' ], [ '-j', '2' ] ],
	[ [ '-F', 'directory', '-j', '2' ], [ '-j', '2' ] ],
);
# Leaves out what an owner cannot restore.
my @OWNERS = ('--no-owner', '--no-privileges', '--no-comments');

sub text_of_form { my ($form) = @_; return join(' ', map { @$_ } @$form); }

sub dump_database
{
	my ($server, $database, $user, $form, $file) = @_;
	command('pg_dump', $form->[0]->@*, $user eq 'postgres' ? () : @OWNERS, '-f', $file, '-d',
		$server->connection($database, $user));
	return;
}

sub restore_database
{
	my ($server, $database, $user, $form, $file, @options) = @_;
	my @to = ('-d', $server->connection($database, $user));
	if ($form->[0][1] eq 'plain')
	{
		command('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', $form->[1]->@*, '-f', $file, @to);
	}
	else
	{
		command('pg_restore', '--exit-on-error', $form->[1]->@*, $user eq 'postgres' ? () : @OWNERS, @options, @to, $file);
	}
	return;
}

# Makes an empty database to restore into. For an owner it already contains what only a superuser
# may create.
sub make_database
{
	my ($server, $database, $user) = @_;
	$server->sql("CREATE DATABASE $database TEMPLATE template0 OWNER $user");
	$server->sql([ 'CREATE EXTENSION idgen', "GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO $user" ],
		$database) if $user ne 'postgres';
	return;
}

# Restores into another server, whose clock is behind.
sub dump
{
	my ($round) = @_;
	my @leading = $round->leading;
	my $old = $round->server('old', Torture::Scenarios::window(), @leading);
	my $new = $round->server('new', Torture::Scenarios::window(), @leading);
	my $user = one_of('postgres', 'postgres', 'postgres', 'owner');
	my $database = $user eq 'owner' ? 'other' : one_of('postgres', 'other');
	my $form = one_of(@FORMS);
	$round->allow('down');
	$new->set_clock(-one_of(0.1, 3, 60, 3600));
	$round->target($old);
	$round->sessions(modes => 'wait,lead,error', users => 'app,postgres');
	$round->during(1, 0);
	$round->pause_sessions($old);
	dump_database($old, $database, $user, $form, "$round->{dir}/dump");
	$old->stop('fast');

	# Others there make their own IDs before and meanwhile.
	my $where = "$round->{dir}/targets-others";
	$round->target_of($where, $new);
	$round->sessions(target => $where, threads => 2, options => '-c idgen.machine_id=7', modes => 'wait,lead',
		mix => 'single:2,array:2,arrays:1,batch:1,seconds:1,wide:1') if chance(0.5);
	$round->during(0.3, 0);
	make_database($new, 'restored', $user);
	# The restore comes before the first ID after a start, whoever makes it.
	if (chance(0.5)) { $new->stop(one_of('fast', 'immediate')); $round->fault('restart before the restore'); $new->start; }
	restore_database($new, 'restored', $user, $form, "$round->{dir}/dump");
	$round->fault('dump and restore', text_of_form($form) . " by $user");
	if (chance(0.3))
	{
		my $how = one_of('immediate', 'immediate', 'fast');
		$new->stop($how);
		$new->start;
		$round->fault("$how shutdown");
	}
	# An owner's restore counts for that database only.
	$round->allow('55000') if $user ne 'postgres';
	$round->target($new, $user ne 'postgres' ? 'restored' : one_of([ 'restored' ], [ 'postgres', 'restored' ], [ 'postgres' ], [ 'postgres' ], [ 'other' ])->@*);
	$round->during(0.8, 0);
	$new->set_clock(15);
	$round->during(0.5, 0);
	$round->expect_ids($new, $_) for 'restored', 'postgres';
	return;
}

# An old dump is restored into the server that went on since, during all that it does, and over
# existing data.
sub old_dump
{
	my ($round) = @_;
	my $server = $round->server('main', Torture::Scenarios::window(), Torture::Scenarios::lazy_log(), $round->leading);
	my $user = one_of('postgres', 'postgres', 'owner');
	my $form = one_of(@FORMS);
	$round->allow('down');
	$round->target($server);
	$round->sessions(modes => 'wait,lead', users => 'app,postgres');
	$round->during(0.4, 0);
	dump_database($server, $user eq 'owner' ? 'other' : one_of('postgres', 'other'), $user, $form, "$round->{dir}/dump");
	$round->during(0.5, 0);
	if ($user eq 'postgres' and $form->[0][1] ne 'plain' and chance(0.4))
	{
		$round->allow(qw(42883 42704 42P01 55000 3F000 40P01 23502 STALE));
		$round->target($server, 'postgres');
		restore_database($server, 'other', $user, $form, "$round->{dir}/dump", '--clean', '--if-exists');
		$round->fault('old dump over it', text_of_form($form));
		$round->target($server);
	}
	else
	{
		make_database($server, 'restored', $user);
		restore_database($server, 'restored', $user, $form, "$round->{dir}/dump");
		$round->fault('old dump beside it', text_of_form($form) . " by $user");
		$round->target($server, 'postgres', 'other', 'restored');
	}
	$round->during(one_of(0, 0.5), 0);
	$server->kill_postmaster;
	$round->fault('kill postmaster');
	my $back = one_of(0.001, 0.4, 2, 60);
	$server->step_clock(-$back);
	$round->fault('back while down', Torture::Scenarios::text_of(-$back));
	$round->target if chance(0.7);
	$server->start;
	Torture::Copies::go_on($round, $server, one_of([ 'postgres' ], [ 'other' ], [ 'postgres', 'other' ])->@*);
	return;
}

1;
