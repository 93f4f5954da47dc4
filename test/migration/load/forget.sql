-- A customer is nobody's any more; another one's profile moves to this one, which changes a primary key.
\set r random(0, 2147483647)
\set s random(0, 2147483647)
BEGIN;
WITH changed AS (UPDATE shop.customer SET referred_by = NULL WHERE token = (SELECT token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR NO KEY UPDATE) RETURNING token) UPDATE ledger.entry SET parents[2] = NULL FROM changed WHERE kind = 'customer' AND entry.token = changed.token;
COMMIT;
BEGIN;
SELECT id AS customer, token AS customer_token FROM shop.customer c WHERE token >= md5(:s::text) AND (token = 'zz' OR NOT EXISTS (SELECT FROM shop.profile p WHERE p.customer_id = c.id)) ORDER BY token LIMIT 1 FOR UPDATE \gset
WITH changed AS (UPDATE shop.profile SET customer_id = :customer WHERE token <> 'zz' AND :customer_token <> 'zz' AND NOT EXISTS (SELECT FROM shop.profile WHERE customer_id = :customer) AND token = (SELECT token FROM shop.profile WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR UPDATE) RETURNING token) UPDATE ledger.entry SET parents[1] = :customer_token FROM changed WHERE kind = 'profile' AND entry.token = changed.token;
COMMIT;
