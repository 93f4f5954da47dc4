# Errors while the page of a sequence is locked: the page is no sequence's, or holds what is not of
# tickets. The next call fails in the same way, and does not wait for a lock that the error left; and
# the session can be cancelled and ended.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Copy;
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');
$node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE ended MAXVALUE 2;
CREATE SEQUENCE torn;
CREATE SEQUENCE strange;
CREATE TABLE others AS SELECT 1;
SELECT snowflake_nextval();  -- writes the mark, which is a record on a sequence's page
SQL

# A page of another file is good as far as checksums tell.
my %from = (torn => 'others', strange => 'idgen_high_water_mark');
my %path = map { $_ => $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_')") }
	(%from);
$node->stop;
for my $sequence (keys %from)
{
	copy($path{ $from{$sequence} }, $path{$sequence}) or die "$sequence: $!";
}
$node->start;

my %calls = (
	"ticket_nextval('ended')" => qr/reached maximum value/,
	"ticket_nextval('torn')" => qr/bad page in sequence "torn"/,
	"ticket_restart('torn', 1)" => qr/bad page in sequence "torn"/,
	"ticket_nextval('strange')" => qr/sequence "strange" holds data that is not of tickets/);

# A wait would end with another error.
my $limit = "SET statement_timeout = '20 s'";

# Runs a statement, and returns what it said.
sub said
{
	my ($session, $sql) = @_;
	$session->query($sql);
	my $said = $session->{stderr};
	$session->{stderr} = '';
	return $said;
}

$node->safe_psql('postgres', "SELECT ticket_reserve('ended', 2)");
for my $call (sort keys %calls)
{
	my $one = $node->background_psql('postgres', on_error_stop => 0);
	my $other = $node->background_psql('postgres', on_error_stop => 0);
	$_->query_safe($limit) for ($one, $other);
	my @said = map { said($_, "SELECT $call") } ($one, $one, $other, $one, $other);
	is(scalar(grep { /$calls{$call}/ } @said), 5, "$call: the same error each time") or diag(@said);

	# In parts of one transaction, which the sequence stays pinned for.
	my $parts = <<"SQL";
DO \$\$
DECLARE
  said text;
BEGIN
  FOR i IN 1..3 LOOP
    BEGIN
      PERFORM $call;
    EXCEPTION WHEN others THEN
      GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
      RAISE NOTICE 'said %', said;
    END;
  END LOOP;
END \$\$
SQL
	my $said = said($one, $parts);
	is(scalar(() = $said =~ /said [^\n]*$calls{$call}/g), 3, '- in savepoints') or diag($said);
	like(said($other, "SELECT $call"), $calls{$call}, '- another session after them');

	# Interrupts are as they were.
	like(said($one, "SET statement_timeout = '50 ms'; SELECT pg_sleep(100)"), qr/statement timeout/, '- a statement can be cancelled');
	my $pid = $other->query_safe('SELECT pg_backend_pid()');
	is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 20000)"), 't', '- and a session ended');
	eval { $_->quit } for ($one, $other);
}

# What is good goes on.
is($node->safe_psql('postgres', "CREATE SEQUENCE good; SELECT ticket_nextval('good')"), 1, 'another sequence');
$node->stop;
done_testing();
