# DBIx::Class over DBD::Pg. usage: client.pl setup | work WORKER SINGLE BULK
use strict;
use warnings;

package Shop::Order;
use base 'DBIx::Class::Core';
__PACKAGE__->table('orders');
__PACKAGE__->add_columns(
	# A default that the database has: the key is read back by RETURNING.
	id => { data_type => 'bigint', default_value => \'snowflake_id()', retrieve_on_insert => 1 },
	worker => { data_type => 'integer' },
	n => { data_type => 'integer' },
	item => { data_type => 'text', is_nullable => 1 });
__PACKAGE__->set_primary_key('id');

package Shop;
use base 'DBIx::Class::Schema';
__PACKAGE__->register_class(Order => 'Shop::Order');

package main;

# Prepared statements belong to one connection of the pooler, so none are made.
my $shop = Shop->connect("dbi:Pg:host=$ENV{PGHOST};port=$ENV{PGPORT};dbname=$ENV{PGDATABASE}", $ENV{PGUSER}, '',
	{ pg_server_prepare => 0 });

sub setup
{
	$shop->storage->dbh->do('CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)');
	return;
}

sub work
{
	my ($worker, $single, $bulk) = @_;
	my $orders = $shop->resultset('Order');
	my @keys = map { $orders->create({ worker => $worker, n => $_, item => 'one' })->id } 0 .. $single - 1;
	# populate() sends all rows and reads no key back; so the keys are taken first.
	my $made = $shop->storage->dbh->selectcol_arrayref('SELECT id FROM snowflake_nextval_batch(?) AS id', undef, $bulk);
	$orders->populate([ [qw(id worker n item)], map { [ $made->[$_], $worker, $single + $_, 'many' ] } 0 .. $bulk - 1 ]);
	push @keys, @$made;
	my @read = $orders->search({ worker => $worker }, { order_by => 'n' })->get_column('id')->all;
	"@keys" eq "@read" && "@keys" eq join(' ', sort { $a <=> $b } @keys) or die 'keys read back';
	my $found = $orders->search({ worker => $worker, id => { '>=', \"snowflake_min_id(now() - interval '1 hour')" } })->count;
	$found == $single + $bulk or die 'time range';
	return;
}

my ($command, @numbers) = @ARGV;
$command eq 'setup' ? setup() : work(@numbers);
