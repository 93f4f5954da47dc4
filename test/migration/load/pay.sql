-- Pays for an old rental, and gives it back.
\set r random(0, 2147483647)
BEGIN;
SELECT c.id AS customer, c.token AS customer_token, r.id AS rental, r.token AS rental_token FROM shop.customer c JOIN shop.rental r ON r.customer_id = c.id WHERE r.token >= md5(:r::text) ORDER BY r.token LIMIT 1 FOR KEY SHARE \gset
INSERT INTO shop.payment (token, rental_id, customer_id, amount) VALUES (gen_random_uuid(), :rental, :customer, 3) RETURNING token AS payment_token \gset
INSERT INTO ledger.entry VALUES ('payment', :payment_token, ARRAY[:rental_token, :customer_token]::text[]);
UPDATE shop.rental SET returned_at = now() WHERE id = :rental;
COMMIT;
