# What must be true of the shop when the application and the migration stand still. It knows nothing of the
# migration: it compares the tables with the ledger and with what they were before.
package Migration::Oracle;

use strict;
use warnings;

use Exporter 'import';
use Migration::Plan;
use Migration::Server;

our @EXPORT = qw(@kinds);

# The tables that have a key of their own, and the table that a kind of row is in.
our @kinds = (
	[ address => 'shop.address', 'id' ], [ customer => 'shop.customer', 'id' ], [ copy => 'shop."Film Copy"', '"Copy Id"' ],
	[ rental => 'shop.rental', 'id' ], [ payment => 'shop.payment', 'id' ], [ event => 'shop.event', 'id' ]);

my %made_at = (
	snowflake => 'snowflake_timestamp(key::bigint)', wide => q{idgen_timestamp(key::bigint, 'wide')}, uuidv7 => 'uuidv7_timestamp(key::uuid)');

# Remembers what there is now.
sub new
{
	my ($class, $server) = @_;
	my $self = bless { server => $server, findings => [] }, $class;
	$server->sql([ "\\i $Migration::Server::sources/actual.sql", 'CREATE SCHEMA oracle', 'CREATE TABLE oracle.before AS TABLE actual',
		'ALTER TABLE oracle.before ADD PRIMARY KEY (kind, token)' ]);
	$self->{structure} = { map { $_ => 1 } $self->structure };
	$self->{types} = $self->types;
	return $self;
}

sub structure { my ($self) = @_; return split(/\n(?=[a-z])/, $self->{server}->script('structure.sql')); }

# Types and defaults of all columns, by name.
sub types
{
	my ($self) = @_;
	my $text = $self->{server}->sql(<<'SQL');
SELECT format('%s.%s', c.relname, attname), format('%s default %s identity %s', atttypid::regtype, pg_get_expr(adbin, adrelid), attidentity)
FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
SQL
	return { map { split(/\|/, $_, 2) } split(/\n/, $text) };
}

sub found
{
	my ($self, $what, $detail) = @_;
	push @{ $self->{findings} }, $detail ? "$what: $detail" : $what;
	return;
}

# rows_of(name, SQL): the query must have no rows.
sub none
{
	my ($self, $name, $sql) = @_;
	my ($status, $text) = $self->{server}->ask([ "\\i $Migration::Server::sources/actual.sql", "SELECT count(*), min(t::text) FROM ($sql) AS t" ]);
	if ($status != 0) { $self->found($name, "the query failed: status $status"); return; }
	my ($count, $example) = split(/\|/, $text, 2);
	$self->found($name, "$count, one of them $example") if $count;
	return;
}

# Every row is there once, and its references lead to the rows that they led to.
sub check_rows
{
	my ($self) = @_;
	$self->none('row lost', 'SELECT l.* FROM ledger.entry l LEFT JOIN actual a USING (kind, token) WHERE a.kind IS NULL');
	$self->none('row too many', 'SELECT a.* FROM actual a LEFT JOIN ledger.entry l USING (kind, token) WHERE l.kind IS NULL');
	$self->none('reference led astray',
		'SELECT l.*, a.parents AS actual FROM ledger.entry l JOIN actual a USING (kind, token) WHERE a.parents IS DISTINCT FROM l.parents');
	$self->none('key twice', 'SELECT kind, key FROM actual GROUP BY kind, key HAVING count(*) > 1');
	$self->none('token twice', 'SELECT kind, token FROM actual GROUP BY kind, token HAVING count(*) > 1');
	$self->none('no key', 'SELECT * FROM actual WHERE key IS NULL');
	$self->none("the user's trigger ran", 'SELECT * FROM ledger.fired');
	return;
}

# Keys of the kind are of this sort: "old" ones are what they were; others tell when the row was made, at its creation
# (backdated) or later. A row that came after the oracle has any old key.
sub check_keys
{
	my ($self, $kind, $sort, $backdated) = @_;
	if ($sort eq 'old')
	{
		$self->none("key of $kind changed", "SELECT a.kind, a.token, b.key AS before, a.key FROM actual a JOIN oracle.before b USING (kind, token)
			WHERE a.kind = '$kind' AND a.key <> b.key");
		return;
	}
	my $made_at = $made_at{$sort} or return;
	my $sql = "SELECT kind, token, key, created_at, $made_at AS made_at FROM actual WHERE kind = '$kind'";
	$self->none("key of $kind older than its row", "SELECT * FROM ($sql) t WHERE made_at < date_trunc('milliseconds', created_at)");
	$self->none("key of $kind in the future", "SELECT * FROM ($sql) t WHERE made_at > now() + interval '1 minute'");
	$self->none("key of $kind without its row's time", "SELECT t.* FROM ($sql) t JOIN oracle.before USING (kind, token)
		WHERE made_at > t.created_at + interval '50 milliseconds'") if $backdated;
	$self->none("key of $kind has a live identity", "SELECT t.* FROM ($sql) t JOIN oracle.before USING (kind, token)
		WHERE (idgen_parse(t.key::bigint, '$sort')).machine_id <> $Migration::Plan::machine") if $backdated and $sort ne 'uuidv7';
	return;
}

# What the tables are made of is the same as before, but for what these patterns allow.
sub check_structure
{
	my ($self, @allowed) = @_;
	my %now = map { $_ => 1 } $self->structure;
	my %all = (%now, %{ $self->{structure} });
	for my $line (sort keys %all)
	{
		next if $now{$line} and $self->{structure}{$line};
		next if grep { $line =~ $_ } @allowed;
		$self->found($now{$line} ? 'new' : 'gone', $line);
	}
	return;
}

# Columns have these types and defaults: name => pattern; the others what they had.
sub check_types
{
	my ($self, %expected) = @_;
	my $now = $self->types;
	for my $name (sort keys %{ { %$now, %{ $self->{types} } } })
	{
		next if $name =~ /_idgen_map\./;    # check_structure says whether it may be there
		my ($is, $was) = ($now->{$name} // 'missing', $self->{types}{$name} // 'missing');
		if ($expected{$name} ? $is !~ $expected{$name} : $is ne $was)
		{
			$self->found('column', "$name is $is, was $was" . ($expected{$name} ? ", should be $expected{$name}" : ''));
		}
	}
	return;
}

# What the tables do: defaults make keys, constraints hold, views read. Nothing of it stays.
my @deeds = (
	[ 'a row by its default', '', q{INSERT INTO shop.address (token, street) SELECT 'new ' || n, 's' FROM generate_series(1, 3) AS n} ],
	[ 'a whole family', '', q{WITH a AS (INSERT INTO shop.address (token, street) VALUES ('new', 's') RETURNING id),
		c AS (INSERT INTO shop.customer (token, name, address_id, referred_by) SELECT 'new', 'n', a.id, (SELECT id FROM shop.customer WHERE token = 'zz') FROM a RETURNING id),
		p AS (INSERT INTO shop.profile (token, bio, customer_id) SELECT 'new', 'b', c.id FROM c),
		r AS (INSERT INTO shop.rental (token, customer_id, "Copy Id") SELECT 'new', c.id, (SELECT "Copy Id" FROM shop."Film Copy" WHERE token = 'zz') FROM c RETURNING id, customer_id)
		INSERT INTO shop.payment (token, rental_id, customer_id, amount) SELECT 'new', r.id, r.customer_id, 1 FROM r} ],
	[ 'a key twice', '23505', q{INSERT INTO shop.customer (id, token, name, address_id) SELECT id, 'new', 'n', address_id FROM shop.customer WHERE token = 'zz'} ],
	[ 'a key of a row that is its reference twice', '23505', q{INSERT INTO shop.profile (customer_id, token, bio) SELECT customer_id, 'new', 'b' FROM shop.profile WHERE token = 'zz'} ],
	[ 'no key', '23502', q{INSERT INTO shop.rental (id, token, customer_id, "Copy Id") SELECT NULL, 'new', customer_id, "Copy Id" FROM shop.rental WHERE token = 'zz'} ],
	[ 'no reference', '23502', q{UPDATE shop.payment SET rental_id = NULL} ],
	[ 'a parent deleted', '23503', q{DELETE FROM shop.rental WHERE id IN (SELECT rental_id FROM shop.payment)} ],
	[ 'a customer deleted', '23503', q{DELETE FROM shop.customer WHERE id IN (SELECT customer_id FROM shop.rental)} ],
	[ 'an address deleted', '23503', q{DELETE FROM shop.address WHERE id IN (SELECT address_id FROM shop.customer)} ],
	[ 'a film deleted', '23503', q{DELETE FROM shop."Film Copy" WHERE "Copy Id" IN (SELECT "Copy Id" FROM shop.rental)} ],
	[ 'a parent that is not there', '23503', q{UPDATE shop.rental SET customer_id = (SELECT "Copy Id" FROM shop."Film Copy" WHERE "Copy Id" NOT IN (SELECT id FROM shop.customer)
		UNION ALL SELECT id FROM shop.event WHERE id NOT IN (SELECT id FROM shop.customer) LIMIT 1)} ],
	[ 'a parent that is not there, at the end', '23503', q{SET CONSTRAINTS ALL DEFERRED; UPDATE shop.payment SET customer_id = (SELECT id FROM shop.event WHERE id NOT IN (SELECT id FROM shop.customer) LIMIT 1); SET CONSTRAINTS ALL IMMEDIATE} ],
	[ 'the views', '', q{DO $$ BEGIN IF (SELECT count(*) FROM shop."Open Rentals") <> (SELECT count(*) FROM shop.rental WHERE returned_at IS NULL) OR
		EXISTS (SELECT FROM shop.rental_list l FULL JOIN shop.rental r ON r.id = l.rental WHERE l.customer_id IS DISTINCT FROM r.customer_id OR l."Copy Id" IS DISTINCT FROM r."Copy Id") THEN RAISE EXCEPTION 'wrong view'; END IF; END $$} ],
);

sub check_deeds
{
	my ($self, $wanted) = @_;
	for my $deed (@deeds)
	{
		my ($name, $expected, $sql) = @$deed;
		# Keys of another type cannot be compared, nor given.
		my $state = $self->{server}->state_of("BEGIN; $sql; ROLLBACK");
		next if $state eq $expected or $expected eq '23503' and $state eq '42883' || $state eq '42804';
		$self->found('deed', "$name: SQLSTATE '$state', not '$expected'");
	}
	return;
}

# The mapping that a migration left behind leads from each row's old key to its new one. After a way back the key is the
# old one, also of the rows that came with a new one.
sub check_mapping
{
	my ($self, $kind, $map, $sort) = @_;
	if ($sort eq 'old')
	{
		$self->none("missing in $map", qq{SELECT a.kind, a.token, a.key FROM actual a WHERE a.kind = '$kind'
			AND a.key IN (SELECT key FROM oracle.before WHERE kind = '$kind') AND a.key NOT IN (SELECT old_key::text FROM shop."$map")});
		return;
	}
	$self->none("wrong in $map", qq{SELECT b.kind, b.token, b.key, m.new_key, a.key AS is FROM oracle.before b JOIN actual a USING (kind, token)
		LEFT JOIN shop."$map" m ON m.old_key::text = b.key WHERE b.kind = '$kind' AND m.new_key::text IS DISTINCT FROM a.key});
	return;
}

# Nothing of the migrations is left: no row in the views and tables of idgen_tools, no sequence without an owner.
sub check_leftovers
{
	my ($self) = @_;
	$self->none('migration left', 'SELECT * FROM idgen_migrations');
	my @tables = split(/\n/, $self->{server}->sql(q{SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relname LIKE 'idgen_migration%'}));
	$self->none("rows left in $_", "SELECT * FROM $_") for @tables;
	$self->none('sequence left', q{SELECT oid::regclass FROM pg_class s WHERE relkind = 'S' AND relnamespace = 'shop'::regnamespace AND NOT EXISTS (
		SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i'))});
	$self->none('default and sequence apart', q{SELECT d.adrelid::regclass, pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_class c ON c.oid = adrelid
		JOIN pg_attribute a ON attrelid = adrelid AND attnum = adnum
		WHERE relnamespace = 'shop'::regnamespace AND pg_get_expr(adbin, adrelid) LIKE 'nextval%'
		  AND strpos(pg_get_expr(adbin, adrelid), coalesce(pg_get_serial_sequence(adrelid::regclass::text, attname), '?')) = 0});
	return;
}

# Indexes hold the rows of their tables (amcheck), where that is to be had.
sub check_indexes
{
	my ($self) = @_;
	my ($failed, $text) = $self->{server}->ask(q{SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE c.relnamespace = 'shop'::regnamespace AND i.indisvalid});
	$self->found('index broken', 'amcheck says so in the log') if $failed != 0;
	return;
}

1;
