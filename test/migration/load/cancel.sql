-- A rental is deleted, with its payments.
\set r random(0, 2147483647)
BEGIN;
SELECT id AS rental, token AS rental_token FROM shop.rental WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR UPDATE \gset
WITH gone AS (DELETE FROM shop.payment WHERE rental_id = :rental AND :rental_token < 'z' RETURNING token) DELETE FROM ledger.entry USING gone WHERE kind = 'payment' AND entry.token = gone.token;
DELETE FROM shop.rental WHERE id = :rental AND token < 'z';
DELETE FROM ledger.entry WHERE kind = 'rental' AND token = :rental_token AND token < 'z';
COMMIT;
