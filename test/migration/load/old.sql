-- An old snapshot that is used late: a transaction that has no ID and no lock on the tables until it rents a film.
\set r random(0, 2147483647)
\set s random(0, 2147483647)
\set ms random(10, :longest * 2)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM ledger.entry WHERE kind = 'copy' AND token >= md5(:r::text) AND token < md5(:s::text);
\sleep :ms ms
SELECT id AS customer, token AS customer_token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR KEY SHARE \gset
SELECT "Copy Id" AS copy, token AS copy_token FROM shop."Film Copy" WHERE token >= md5(:s::text) ORDER BY token LIMIT 1 FOR KEY SHARE \gset
INSERT INTO shop.rental (token, customer_id, "Copy Id") VALUES (gen_random_uuid(), :customer, :copy) RETURNING id AS rental, token AS rental_token \gset
INSERT INTO shop.payment (token, rental_id, customer_id, amount) VALUES (gen_random_uuid(), :rental, :customer, 4) RETURNING token AS payment_token \gset
INSERT INTO ledger.entry VALUES ('rental', :rental_token, ARRAY[:customer_token, :copy_token]::text[]), ('payment', :payment_token, ARRAY[:rental_token, :customer_token]::text[]);
COMMIT;
