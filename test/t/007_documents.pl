# Every SQL example in the documents runs, fails where the document says so, and prints what the
# document says:
#   - A block without a language right after a block of SQL is psql's output, except for "(n rows)" and
#     spaces at the ends of lines. After ```sql unaligned it is only the values.
#   - A comment of one word after a SELECT on its line is the value: SELECT f();  -- x
# IDs (15 to 19 digits, or UUIDs) that are not in the statement itself differ each time: only their
# length is compared. Other varying output stands in a ```text block, which is not compared.
# A block ```sh run is run by a shell, with the document's database as psql's default. The services
# idgen_registry and idgen_tickets, for libpq, are databases of the same server.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my @documents = ("$root/README.md", sort glob("$root/docs/*.md"));
cmp_ok(scalar @documents, '>', 4, 'there are documents');

my $node = PostgreSQL::Test::Cluster->new('documents');
$node->init;
my $services = $node->basedir . '/pg_service.conf';
append_to_file($services,
	"[idgen_registry]\nhost=" . $node->host . "\nport=" . $node->port . "\ndbname=registry\nuser=idgen_servers\n"
	  . "[idgen_tickets]\nhost=" . $node->host . "\nport=" . $node->port . "\ndbname=tickets\nuser=shop\n");
$ENV{PGSERVICEFILE} = $services;
$node->start;

# Returns the part of an output that is compared: IDs that are not in the SQL become as many #.
sub comparable
{
	my ($text, $sql) = @_;
	$text =~ s/(?<!\d)(\d{15,19})(?!\d)/index($sql, $1) < 0 ? '#' x length($1) : $1/ge;
	$text =~ s/\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/index($sql, $1) < 0 ? '#' x 36 : $1/ge;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/^\n+|\n+$//g;
	return $text;
}

# Settings of the server's files that an example changes are there for the next one.
sub wait_for_reload
{
	my ($before) = @_;
	$node->poll_query_until('postgres', "SELECT pg_conf_load_time() > '$before'")
	  or die 'the server did not reload its configuration';
	return;
}

# Runs a script of a shell. Returns its status and its output.
sub run_shell
{
	my ($script, $database) = @_;
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $database);
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run([ 'sh', '-e', '-c', "cd '" . $node->basedir . "'\n$script" ], '>', \$out, '2>', \$err);
	return ($done, $out, $err);
}

# Returns an error as psql prints it when it is not verbose.
sub message_of
{
	my ($err) = @_;
	$err =~ s/^psql:<stdin>:\d+: //mg;
	$err =~ s/^(ERROR|FATAL):  [0-9A-Z]{5}: /$1:  /mg;
	$err =~ s/^LOCATION: .*\n?//mg;
	return $err;
}

my ($examples, $outputs, $values, $scripts, $number) = (0, 0, 0, 0, 0);
for my $document (@documents)
{
	my ($name) = $document =~ m{([^/]+)$};
	my $text = slurp_file($document);
	my $database = 'document_' . ++$number;
	my ($first) = $text =~ /^```sql[^\n]*\n(.*?)^```$/ms or next;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION idgen')
	  unless $first =~ /CREATE EXTENSION/;
	my $changed = 0;
	while ($text =~ /^```(sql|sh run)([^\n]*)\n(.*?)^```\n(?:```\n(.*?)^```\n)?/msg)
	{
		my ($language, $info, $sql, $output) = ($1, $2, $3, $4);
		my $where = "$name:" . (1 + (substr($text, 0, $-[0]) =~ tr/\n//));
		if ($language ne 'sql')
		{
			$scripts++;
			my ($done, $out, $err) = run_shell($sql, $database);
			ok($done, "$where runs") or diag($sql, $err);
			is(comparable($out, $sql), comparable($output, $sql), "$where prints that") if defined $output;
			next;
		}
		my $reloads = $sql =~ /pg_reload_conf/;
		my $loaded = $reloads && $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');
		my ($expected) = $info =~ /error=(\w+)/;
		$examples++;
		my $format = $info =~ /unaligned/ ? 'unaligned' : "aligned\n\\pset tuples_only off\n\\pset footer off";
		my ($state, $out, $err) = sqlstate_of($node,
			($expected ? "SELECT snowflake_machine(0) \\gset\n" : '') . "\\pset format $format\n$sql",
			database => $database);
		is($state, $expected // '', "$where runs") or diag($sql, $err);
		wait_for_reload($loaded) if $reloads;
		$changed ||= $reloads;

		while ($sql =~ /^(SELECT [^\n]*;)[ ]+--[ ](\S+)$/mg)
		{
			my ($select, $value) = ($1, $2);
			$values++;
			is((sqlstate_of($node, $select, database => $database))[1], $value, "$where has the value of $select");
		}
		next unless defined $output;
		$outputs++;
		is(comparable($expected ? message_of($err) : $out, $sql), comparable($output, $sql), "$where prints that");
	}
	next unless $changed;
	# The next document finds the settings as they were.
	my $loaded = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');
	$node->safe_psql('postgres', $_) for 'ALTER SYSTEM RESET ALL', 'SELECT pg_reload_conf()';
	wait_for_reload($loaded);
	# And no registry, nor what the server keeps of its scheme.
	$node->safe_psql('postgres', $_) for 'DROP DATABASE IF EXISTS registry WITH (FORCE)', 'DROP ROLE IF EXISTS idgen_servers';
	unlink($node->data_dir . '/idgen_fleet.conf');
}
cmp_ok($examples, '>', 10, 'there are examples');
cmp_ok($outputs, '>=', 3, 'there are outputs');
cmp_ok($values, '>=', 1, 'there are values');
cmp_ok($scripts, '>=', 1, 'there are scripts');

$node->stop;
done_testing();
