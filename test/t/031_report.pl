# The page of idgen_report(): its data are whole, nothing in a name gets out of them, and a browser
# shows what there is (where Chromium is installed).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use IdgenTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => <<'CONF');
idgen.machine_id = 7
idgen.ticket_servers = 'postgresql://shop:topsecret@tickets.example/ids'
CONF
my $evil = '</script><b id=1>&amp;';
$node->safe_psql('postgres', <<"SQL");
SELECT idgen_create_layout('short', 'timestamp:30, machine:10, sequence:12', tick => '1 ms', epoch => now() - interval '2 days');
CREATE SEQUENCE "$evil";
SELECT ticket_attach(oid) FROM pg_class WHERE relname = '$evil';
CREATE ROLE ordinary LOGIN;
SQL
$node->safe_psql('postgres', <<'SQL');
SELECT count(snowflake_nextval()) FROM generate_series(1, 1234);
SELECT idgen_nextval('short'), uuidv7_nextval();
SQL
my ($state) = sqlstate_of($node, q{SELECT idgen_observe('snowflake', snowflake_max_id(now() + interval '1 day'))});
isnt($state, '', 'an error');

my $page = $node->safe_psql('postgres', 'SELECT idgen_report()');
unlike($page, qr/topsecret/, 'no password');
unlike($page, qr{https?://|\ssrc=|<link}, 'nothing from elsewhere');
my ($data) = $page =~ /^const data = (.*);$/m;
my ($layouts) = $page =~ /^const layouts = (.*);$/m;
unlike("$data$layouts", qr/</, 'no tag in the data');
my $decoded = decode_json($data);
is((grep { $_->{layout} eq 'snowflake' } @{ $decoded->{stat} })[0]{ids}, 1234, 'the data are there');
ok((grep { $_->{layout} eq 'short' } @{ decode_json($layouts) }), 'and the layouts');
($state) = sqlstate_of($node, 'SET ROLE ordinary; SELECT length(idgen_report())');
is($state, '', 'an ordinary role has one, too');

my ($chromium) = grep { -x } map { "$_/chromium" } split /:/, $ENV{PATH};
if (!$chromium)
{
	note('chromium is not installed');
	done_testing();
	exit;
}
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/report.html", $page);
local $ENV{HOME} = $dir;
IPC::Run::run([ $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--dump-dom', "file://$dir/report.html" ],
	'>', \my $shown, '2>', \my $complaints, IPC::Run::timeout(120));
my $text = $shown =~ s/<script>.*?<\/script>//sr;
unlike($text, qr/<b id=/, 'a name is text');
(my $escaped = $evil) =~ s/&/&amp;/g;
$escaped =~ s/</&lt;/g;
$escaped =~ s/>/&gt;/g;
like($text, qr/\Q$escaped\E/, 'and is shown');
my @expected = ('<h2>ID spaces</h2>', '<td>snowflake</td>', '<td class="number">1,234</td>', '<td class="number">7</td>',
	'<td>short</td>', 'Layout short ends at', 'Configuration: fsync is off. ', '<h2>Layouts in use</h2>', '<h2>High-water marks</h2>', 'Errors: 1', '<td>uuid</td>',
	'<td>idgen.machine_id</td>', '<h2>Segments from ticket servers</h2>');
like($text, qr/\Q$_\E/, "shows $_") for @expected;
like($text, qr/<li class="(good|warn)">Clock: /, 'and the clock');

done_testing();
