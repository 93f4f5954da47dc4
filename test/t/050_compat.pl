# Extension idgen_compat where servers crash, stand by and are dumped, where other sessions change a sequence's
# comment, and where many clients take blocks at once, by either end.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = new_server('primary', streaming => 1);
my $path = 'SET search_path = idgen_compat, pg_catalog, public';
$server->safe_psql('postgres', q{
	CREATE EXTENSION idgen_compat;
	SELECT idgen_create_layout('dense', 'timestamp:34, machine:5, sequence:24', tick => '1 s');
	CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_id(), item text);
	CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, item text);
	CREATE SEQUENCE plain;
	CREATE SEQUENCE block INCREMENT 50;
	COMMENT ON SEQUENCE block IS 'idgen: dense'});

sub value { return $_[0]->safe_psql('postgres', "$path; $_[1]"); }
sub is_id { return value($_[0], "SELECT nextval('$_[1]') > 1000000") eq 't' ? 'ID' : 'number'; }

# --- Another session's comment --------------------------------------------------------------------------

my $reader = $server->background_psql('postgres');
my $writer = $server->background_psql('postgres');
$reader->query_safe($path);
sub read_id { return $reader->query_safe(q{SELECT CASE WHEN nextval('plain') > 1000000 THEN 'ID' ELSE 'number' END}); }
is(read_id(), 'number', 'no comment');
$writer->query_safe(q{BEGIN; COMMENT ON SEQUENCE plain IS 'idgen: snowflake'});
is(read_id(), 'number', 'a comment of a transaction that goes on');
$writer->query_safe('ROLLBACK');
is(read_id(), 'number', 'a comment that was rolled back');
$writer->query_safe(q{COMMENT ON SEQUENCE plain IS 'idgen: snowflake'});
is(read_id(), 'ID', 'a comment that was committed, at the next call');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is(read_id(), 'ID', 'in a transaction with one snapshot');
$writer->query_safe(q{COMMENT ON SEQUENCE plain IS NULL});
is(read_id(), 'number', 'also there a comment counts at once, as all of the catalogs do');
$reader->query_safe('COMMIT');
$_->quit for ($reader, $writer);

# --- Many clients ---------------------------------------------------------------------------------------

# Each claims the numbers that he takes for his, and others insert by the default. pgbench gives no type for its
# parameters, as drivers do.
$server->safe_psql('postgres', q{CREATE TABLE claims (id bigint PRIMARY KEY DEFAULT idgen_id('dense'), place int)});

sub claim
{
	my ($sequence, @shifts) = @_;
	my $dir = $server->basedir;
	my @files = map { ('-f', "$dir/claim$_") } 0 .. $#shifts;
	for my $i (0 .. $#shifts)
	{
		unlink "$dir/claim$i";
		append_to_file("$dir/claim$i", "INSERT INTO claims SELECT v + $shifts[$i] + i, i FROM nextval(:sequence) v, generate_series(0, 49) i;\n"
			  . "INSERT INTO claims DEFAULT VALUES;\n");
	}
	local $ENV{PGOPTIONS} = '-c search_path=idgen_compat,pg_catalog,public';
	my @command = ('pgbench', '-n', '-h', $server->host, '-p', $server->port, '-c', '8', '-j', '2', '-t', '60', '-M', 'prepared',
		'-D', "sequence=$sequence", @files, 'postgres');
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run(\@command, '>', \$out, '2>', \$err);
	return $done ? 'ok' : $err =~ /duplicate key/ ? 'duplicate' : $err;
}
my $count = sub { return $server->safe_psql('postgres', 'SELECT count(*) FROM claims'); };
is(claim('block', 0, -49, -50), 'ok', 'blocks for either end, taken by both');
is($count->(), 8 * 60 * 51, 'each claim is there');
$server->safe_psql('postgres', q{TRUNCATE claims; COMMENT ON SEQUENCE block IS 'idgen: dense first'});
is(claim('block', 0), 'ok', 'blocks for the first, taken so');
is($count->(), 8 * 60 * 51, 'each claim is there');
is(claim('block', -49), 'duplicate', 'taken for the last, they collide');
$server->safe_psql('postgres', q{TRUNCATE claims; COMMENT ON SEQUENCE block IS 'idgen: dense'});

# A sequence that is attached to a ticket server.
my $tickets = new_server('tickets');
$tickets->safe_psql('postgres', 'CREATE SEQUENCE fed');
$server->append_conf('postgresql.conf', sprintf(q{idgen.ticket_servers = 'postgresql:///postgres?host=%s&port=%d'},
	$tickets->host, $tickets->port));
$server->restart;
$server->safe_psql('postgres', q{CREATE SEQUENCE fed; SELECT ticket_attach('fed')});
is(value($server, q{SELECT nextval('fed'), nextval('fed'), currval('fed'), lastval()}), '1|2|2|2', 'attached, one by one');
$server->safe_psql('postgres', q{
	ALTER TABLE claims ALTER id SET DEFAULT ticket_id('fed');
	COMMENT ON SEQUENCE fed IS 'idgen: tickets 50'});
is(claim('fed', 0, -49, -50), 'ok', 'attached, blocks for either end, taken by both');
is($count->(), 8 * 60 * 51, 'each claim is there');
$tickets->stop;

# --- A standby, a crash, a promotion --------------------------------------------------------------------

$server->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($server, 'base', has_streaming => 1);
$standby->start;
is((sqlstate_of($standby, "$path; SELECT nextval('block')"))[0], '25006', 'nextval() on a standby');
is((sqlstate_of($standby, "$path; SELECT setval('block', 1)"))[0], '25006', 'setval() on a standby');
is((sqlstate_of($standby, "$path; SELECT lastval()"))[0], '55000', 'lastval() on a standby');

# In each case both kinds of value, one after the other.
my $both = q{
	INSERT INTO notes (item) VALUES ('a') RETURNING id \gset
	SELECT lastval() = :id;
	INSERT INTO orders (item) VALUES ('a') RETURNING id \gset
	SELECT lastval() = :id;
	INSERT INTO notes (item) VALUES ('b') RETURNING id \gset
	SELECT lastval() = :id, nextval('block') = lastval()};
is(value($server, $both), "t\nt\nt|t", 'the last value');
my $before = value($server, q{SELECT nextval('block')});
$server->stop('immediate');
$server->start;
is(value($server, $both), "t\nt\nt|t", 'the last value after a crash, which empties the unlogged sequence');
cmp_ok(value($server, q{SELECT nextval('block')}), '>', $before, 'blocks go on');
$server->wait_for_catchup($standby);
$server->stop;
$standby->promote;
is(value($standby, $both), "t\nt\nt|t", 'the last value after a promotion');
cmp_ok(value($standby, q{SELECT nextval('block')}), '>', $before, 'blocks go on');

# --- Dump and restore -------------------------------------------------------------------------------------

# By the owner of the databases, who has no other rights. The comment goes with the sequence; before the extension is
# there again, PostgreSQL's nextval() counts.
$standby->safe_psql('postgres', q{CREATE ROLE owner LOGIN; CREATE DATABASE shop OWNER owner; CREATE DATABASE copy OWNER owner});
$standby->safe_psql('shop', 'CREATE EXTENSION idgen');
$standby->safe_psql('shop', q{
	SET ROLE owner;
	CREATE EXTENSION idgen_compat;
	CREATE SEQUENCE block INCREMENT 50;
	COMMENT ON SEQUENCE block IS 'idgen: snowflake';
	CREATE TABLE t (id bigint PRIMARY KEY DEFAULT idgen_compat.nextval('block'));
	INSERT INTO t DEFAULT VALUES});
my $dump = $standby->basedir . '/shop.dump';
$standby->command_ok([ 'pg_dump', '-F', 'custom', '-f', $dump, '-d', $standby->connstr('shop'), '-U', 'owner' ], 'the owner dumps');
$standby->safe_psql('copy', 'CREATE EXTENSION idgen');
my ($out, $err) = ('', '');
IPC::Run::run([ 'pg_restore', '-d', $standby->connstr('copy'), '-U', 'owner', $dump ], '>', \$out, '2>', \$err);
unlike($err, qr/compat|block/, 'the owner restores') or diag($err);
is($standby->safe_psql('copy', "$path; SET ROLE owner; INSERT INTO t DEFAULT VALUES; SELECT count(*), min(id) > 1000000, max(id) = lastval(), currval('block') = max(id) FROM t"),
	'2|t|t|t', 'and goes on');
$standby->safe_psql('copy', 'ALTER TABLE t ALTER id DROP DEFAULT; DROP EXTENSION idgen_compat');
is($standby->safe_psql('copy', "SELECT nextval('block') < 1000000, count(*) FROM pg_namespace WHERE nspname = 'idgen_compat'"), 't|0',
	'without the extension, the sequence is one as before');

done_testing;
