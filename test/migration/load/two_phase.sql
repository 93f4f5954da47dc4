-- Prepares a transaction, which keeps a rental locked that it does not change, and decides it later, or leaves that to others (the simple protocol: a name has no parameters).
\set r random(0, 2147483647)
\set gid random(0, 1000000000)
\set ms random(0, :longest)
BEGIN;
SELECT id AS customer, token AS customer_token FROM shop.customer WHERE token >= md5(':r') ORDER BY token LIMIT 1 FOR KEY SHARE \gset
SELECT token FROM shop.rental WHERE token >= md5(':r') ORDER BY token LIMIT 1 FOR UPDATE;
INSERT INTO shop.address (token, street) VALUES (gen_random_uuid(), 'two phases') RETURNING id AS address, token AS address_token \gset
INSERT INTO shop.customer (token, address_id, referred_by, name) VALUES (gen_random_uuid(), ':address', ':customer', 'in two phases') RETURNING token AS new_token \gset
INSERT INTO ledger.entry VALUES ('address', ':address_token', '{}'), ('customer', ':new_token', ARRAY[':address_token', ':customer_token']);
PREPARE TRANSACTION 'shop-:gid';
\sleep :ms ms
COMMIT PREPARED 'shop-:gid';
\sleep 200 ms
