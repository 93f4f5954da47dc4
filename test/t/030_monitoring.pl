# What monitoring/ has for collectors, with Debian's exporter and Prometheus: the queries work for a
# role in pg_monitor, the alerts fire on real servers when they should and end when they should, and
# every panel of the dashboard has data.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";
use HTTP::Tiny;
use IdgenTest;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @programs = qw(prometheus promtool prometheus-postgres-exporter);
for my $program (@programs)
{
	plan skip_all => "$program is not installed" unless grep { -x "$_/$program" } split /:/, $ENV{PATH};
}
my $files = "$FindBin::RealBin/../../monitoring";
my $dir = PostgreSQL::Test::Utils::tempdir();

sub output_of
{
	my (@command) = @_;
	my $done = IPC::Run::run(\@command, '>&', \my $out);
	return ($done, $out);
}
for my $command ([ 'check', 'rules', "$files/alerts.yaml" ], [ 'test', 'rules', "$files/alerts_test.yaml" ])
{
	my ($done, $out) = output_of('promtool', @$command);
	ok($done, "promtool @$command[0, 1]") or diag($out);
}

# --- Servers ------------------------------------------------------------------------------------------

my $tickets = new_server('tickets');
$tickets->safe_psql('postgres', 'CREATE SEQUENCE numbers');
my (%server, %port);
for my $name ('one', 'two')
{
	# Both have the same identity: a mistake.
	$server{$name} = new_server($name, conf => <<"CONF");
idgen.machine_id = 5
idgen.ticket_servers = 'postgresql:///postgres?host=@{[ $tickets->host ]}&port=@{[ $tickets->port ]}'
CONF
	$server{$name}->safe_psql('postgres', <<'SQL');
CREATE ROLE collector LOGIN IN ROLE pg_monitor;
SELECT idgen_create_layout('slow', 'timestamp:32, machine:10, sequence:5', tick => '1 s', epoch => '2020-01-01Z');
SELECT idgen_create_layout('short', 'timestamp:30, machine:10, sequence:12', tick => '1 ms', epoch => now() - interval '2 days');
CREATE SEQUENCE numbers;
SELECT ticket_attach('numbers');
GRANT SELECT ON SEQUENCE numbers TO collector;
SELECT ticket_nextval('numbers');
SQL
}

# idgen_tools is on the first one only; both have a key that is nearly used up.
for my $name (sort keys %server)
{
	$server{$name}->safe_psql('postgres', <<'SQL');
CREATE TABLE small (id smallserial PRIMARY KEY);
GRANT SELECT ON SEQUENCE small_id_seq TO collector;
SELECT setval('small_id_seq', 30000);
SQL
}
$server{one}->safe_psql('postgres', 'CREATE EXTENSION idgen_tools');
append_to_file("$dir/one.yaml", slurp_file("$files/queries.yaml") . slurp_file("$files/queries-tools.yaml"));
append_to_file("$dir/two.yaml", slurp_file("$files/queries.yaml"));

# --- Exporters and Prometheus ---------------------------------------------------------------------------

my @running;
END { my $status = $?; $_->kill_kill(grace => 2) for @running; $? = $status; }

sub start
{
	my ($log, $environment, @command) = @_;
	local %ENV = (%ENV, %$environment);
	push @running, IPC::Run::start(\@command, '<', \undef, '>&', "$dir/$log");
	return;
}

my $http = HTTP::Tiny->new(timeout => 10);
sub get
{
	my ($url) = @_;
	my $answer = $http->get($url);
	return $answer->{success} ? $answer->{content} : undef;
}

# Calls until it returns true; dies after a minute.
sub until_true
{
	my ($what, $look) = @_;
	for (1 .. 600)
	{
		my $found = $look->();
		return $found if $found;
		select(undef, undef, undef, 0.1);
	}
	for my $log (glob("$dir/*.log")) { diag("$log:\n" . substr(slurp_file($log), -2000)); }
	die "not within a minute: $what";
}

for my $name (sort keys %server)
{
	$port{$name} = PostgreSQL::Test::Cluster::get_free_port();
	start("$name.log",
		{ DATA_SOURCE_NAME => sprintf('user=collector host=%s port=%d dbname=postgres sslmode=disable', $server{$name}->host, $server{$name}->port) },
		'prometheus-postgres-exporter', "--extend.query-path=$dir/$name.yaml", "--web.listen-address=127.0.0.1:$port{$name}",
		'--disable-default-metrics', '--disable-settings-metrics');
}
my $metrics = until_true('the exporter', sub { get("http://127.0.0.1:$port{one}/metrics") });
like($metrics, qr/^idgen_${_}(\{.*\})? \S+$/m, "a role in pg_monitor can collect $_")
  for qw(server_spaces server_clock_steps_total segments_remaining keys_percent_used);
unlike($metrics, qr/^pg_exporter_user_queries_load_error\S* 1$/m, 'no query failed');

# As it is shipped, but for the times.
my $rules = slurp_file("$files/alerts.yaml");
$rules =~ s/for: \S+/for: 1s/g;
$rules =~ s/\[\d+m\]/[6s]/g;
append_to_file("$dir/alerts.yaml", $rules);
append_to_file("$dir/prometheus.yml", <<"YAML");
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$dir/alerts.yaml]
scrape_configs:
  - job_name: idgen
    static_configs:
      - {targets: ['127.0.0.1:$port{one}'], labels: {instance: one}}
      - {targets: ['127.0.0.1:$port{two}'], labels: {instance: two}}
YAML
my $prometheus_port = PostgreSQL::Test::Cluster::get_free_port();
my $prometheus = "http://127.0.0.1:$prometheus_port/api/v1";
start('prometheus.log', {}, 'prometheus', "--config.file=$dir/prometheus.yml", "--storage.tsdb.path=$dir/data",
	"--web.listen-address=127.0.0.1:$prometheus_port");

sub query
{
	my ($expression) = @_;
	my $answer = get("$prometheus/query?" . $http->www_form_urlencode({ query => $expression }));
	# NULL becomes NaN.
	return $answer ? [ grep { $_->{value}[1] ne 'NaN' } @{ decode_json($answer)->{data}{result} } ] : [];
}

# The servers for which an alert fires; '-' for one without an instance.
sub firing
{
	my ($alert) = @_;
	my %instances = map { ($_->{metric}{instance} // '-' => 1) } @{ query("ALERTS{alertname=\"$alert\",alertstate=\"firing\"}") };
	return join(' ', sort keys %instances);
}

sub fires
{
	my ($alert, $where, $why) = @_;
	until_true("$alert: $why", sub { firing($alert) eq $where });
	pass("$alert: $why");
	return;
}

# --- Load, and what goes wrong ------------------------------------------------------------------------

append_to_file("$dir/load.sql",
	"SELECT snowflake_nextval(), uuidv7_nextval(), hlc_now(), idgen_nextval('short'), ticket_nextval('numbers') FROM generate_series(1, 100);\n\\sleep 20 ms\n");
for my $name (sort keys %server)
{
	my $node = $server{$name};
	start("load_$name.log", {}, 'pgbench', '-n', '-f', "$dir/load.sql", '-T', 300, '-h', $node->host, '-p', $node->port, 'postgres');
}
start('slow.log', {}, 'psql', '-X', '-q', '-c', "SELECT count(idgen_nextval('slow')) FROM generate_series(1, 3000)",
	$server{one}->connstr('postgres'));
until_true('load', sub { @{ query('idgen_space_ids_total > 1000') } >= 4 });
fires('IdgenIdentityTwice', '-', 'two servers with one identity');
fires('IdgenRateNearLimit', 'one', 'a layout at its limit');
fires('IdgenLayoutEnds', 'one two', 'a layout that ends');
fires('IdgenKeysRunOut', 'one', 'a key that runs out');
my $synchronized = $server{one}->safe_psql('postgres', q{SELECT state = 'synchronized' FROM idgen_clock()}) eq 't';
fires('IdgenClockNotSynchronized', $synchronized ? '' : 'one two', 'the clock of this machine');
is(firing($_), '', "$_ is quiet") for qw(IdgenErrors IdgenLeaseLapses IdgenSegmentsRunOut);
my ($state) = sqlstate_of($server{two}, q{SELECT idgen_observe('snowflake', snowflake_max_id(now() + interval '1 day'))});
isnt($state, '', 'an error');
fires('IdgenErrors', 'two', 'a call that failed');
$tickets->stop;
fires('IdgenSegmentsRunOut', 'one two', 'no ticket server');
$tickets->start;
fires('IdgenSegmentsRunOut', '', 'the ticket server is back');

# --- pgwatch: its SQL ------------------------------------------------------------------------------------

my $pgwatch = slurp_file("$files/pgwatch.yaml");
my $statements = 0;
while ($pgwatch =~ /^  (\w+):\n(?:    .*\n)*?      15: \|\n((?:        .*\n)+)/mg)
{
	my ($metric, $sql) = ($1, $2);
	$statements++;
	my $rows = $server{one}->safe_psql('postgres', "SET ROLE collector;\n$sql");
	like($rows, qr/^\d{19}\|/, "pgwatch, $metric: the first column is the time");
}
is($statements, 4, 'all of pgwatch.yaml');

# --- The dashboard -------------------------------------------------------------------------------------

my $dashboard = decode_json(slurp_file("$files/dashboard.json"));
for my $panel (@{ $dashboard->{panels} })
{
	for my $target (@{ $panel->{targets} })
	{
		my $expression = $target->{expr};
		$expression =~ s/\$__rate_interval/30s/g;
		$expression =~ s/\$instance/.*/g;
		# Without a registry there is no lease, and not every PostgreSQL tells the memory.
		my %absent = ('Lease: left' => 'lease_until IS NULL', Memory => 'memory IS NULL');
		my $absent = $absent{ $panel->{title} } // 'false';
		my $expected = $server{one}->safe_psql('postgres', "SELECT NOT ($absent) FROM idgen_stat_server") eq 't' ? 1 : 0;
		my $found = query($expression);
		is(@$found > 0 ? 1 : 0, $expected, "dashboard, $panel->{title}: $target->{legendFormat}") or diag($expression);
	}
}

# --- Mended -----------------------------------------------------------------------------------------------

$server{two}->safe_psql('postgres', 'ALTER SYSTEM SET idgen.machine_id = 6');
$server{two}->reload;
fires('IdgenIdentityTwice', '', 'an identity of its own');

done_testing();
