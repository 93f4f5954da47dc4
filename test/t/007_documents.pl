# Every SQL example in the documents runs, and fails where the document says that it does.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IdgenTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my @documents = ("$root/README.md", sort glob("$root/docs/*.md"));
cmp_ok(scalar @documents, '>', 4, 'there are documents');

my $node = PostgreSQL::Test::Cluster->new('documents');
$node->init;
$node->start;

my ($examples, $number) = (0, 0);
for my $document (@documents)
{
	my ($name) = $document =~ m{([^/]+)$};
	my @blocks = slurp_file($document) =~ /^```(sql[^\n]*)\n(.*?)^```$/msg;
	next unless @blocks;
	my $database = 'document_' . ++$number;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION idgen')
	  unless $blocks[1] =~ /CREATE EXTENSION/;
	while (my ($info, $sql) = splice(@blocks, 0, 2))
	{
		my ($expected) = $info =~ /error=(\w+)/;
		$examples++;
		my ($state, $out, $err) = sqlstate_of($node, "SELECT snowflake_machine(0) AS loads;\n" x !!$expected . $sql,
			database => $database);
		is($state, $expected // '', "$name: example $examples") or diag($sql, $err);
	}
}
cmp_ok($examples, '>', 10, 'there are examples');

$node->stop;
done_testing();
