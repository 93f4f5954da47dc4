-- References are changed: of a customer to an address and to another customer, of a rental to a customer.
\set r random(0, 2147483647)
\set s random(0, 2147483647)
\set t random(0, 2147483647)
\set u random(0, 2147483647)
BEGIN;
SELECT id AS customer, token AS customer_token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR KEY SHARE \gset
SELECT id AS address, token AS address_token FROM shop.address WHERE token >= md5(:s::text) ORDER BY token LIMIT 1 FOR KEY SHARE \gset
WITH changed AS (UPDATE shop.rental SET customer_id = :customer WHERE token < 'z' AND token = (SELECT token FROM shop.rental WHERE token >= md5(:t::text) ORDER BY token LIMIT 1 FOR NO KEY UPDATE) RETURNING token) UPDATE ledger.entry SET parents[1] = :customer_token FROM changed WHERE kind = 'rental' AND entry.token = changed.token;
WITH changed AS (UPDATE shop.customer SET address_id = :address, referred_by = :customer, active = NOT active WHERE token = (SELECT token FROM shop.customer WHERE token >= md5(:u::text) ORDER BY token LIMIT 1 FOR NO KEY UPDATE) RETURNING token) UPDATE ledger.entry SET parents = ARRAY[:address_token, :customer_token]::text[] FROM changed WHERE kind = 'customer' AND entry.token = changed.token;
COMMIT;
