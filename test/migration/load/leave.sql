-- A customer is deleted, with rentals and payments; foreign keys take the profile away and set references to NULL.
\set r random(0, 2147483647)
BEGIN;
SELECT id AS customer, token AS customer_token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR UPDATE \gset
WITH gone AS (DELETE FROM shop.payment p USING shop.rental r WHERE r.id = p.rental_id AND (r.customer_id = :customer OR p.customer_id = :customer) AND :customer_token < 'z' RETURNING p.token) DELETE FROM ledger.entry USING gone WHERE kind = 'payment' AND entry.token = gone.token;
WITH gone AS (DELETE FROM shop.rental WHERE customer_id = :customer AND :customer_token < 'z' RETURNING token) DELETE FROM ledger.entry USING gone WHERE kind = 'rental' AND entry.token = gone.token;
DELETE FROM ledger.entry USING shop.profile p WHERE kind = 'profile' AND entry.token = p.token AND p.customer_id = :customer AND :customer_token < 'z';
DELETE FROM shop.customer WHERE id = :customer AND token < 'z';
UPDATE ledger.entry SET parents[2] = NULL WHERE kind = 'customer' AND parents[2] = :customer_token AND parents[2] < 'z';
DELETE FROM ledger.entry WHERE kind = 'customer' AND token = :customer_token AND token < 'z';
COMMIT;
