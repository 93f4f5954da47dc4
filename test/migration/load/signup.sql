-- A customer comes, with an address, brought by another one.
\set r random(0, 2147483647)
BEGIN;
SELECT id AS friend, token AS friend_token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR KEY SHARE \gset
INSERT INTO shop.address (token, street) VALUES (gen_random_uuid(), 'street') RETURNING id AS address, token AS address_token \gset
INSERT INTO shop.customer (token, address_id, referred_by, name) VALUES (gen_random_uuid(), :address, :friend, 'somebody') RETURNING id AS customer, token AS customer_token \gset
INSERT INTO shop.profile (customer_id, token, bio) VALUES (:customer, gen_random_uuid(), 'new here') RETURNING token AS profile_token \gset
INSERT INTO ledger.entry VALUES ('address', :address_token, '{}'), ('customer', :customer_token, ARRAY[:address_token, :friend_token]::text[]), ('profile', :profile_token, ARRAY[:customer_token]::text[]);
COMMIT;
