-- A transaction in one snapshot that rents a film late: its writes may have to be repeated.
\set r random(0, 2147483647)
\set s random(0, 2147483647)
\set ms random(10, :longest / 2)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT id AS customer, token AS customer_token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 \gset
\sleep :ms ms
SELECT "Copy Id" AS copy, token AS copy_token FROM shop."Film Copy" WHERE token >= md5(:s::text) ORDER BY token LIMIT 1 FOR KEY SHARE \gset
SELECT id FROM shop.customer WHERE id = :customer FOR KEY SHARE;
INSERT INTO shop.rental (token, customer_id, "Copy Id") VALUES (gen_random_uuid(), :customer, :copy) RETURNING id AS rental, token AS rental_token \gset
INSERT INTO ledger.entry VALUES ('rental', :rental_token, ARRAY[:customer_token, :copy_token]::text[]);
COMMIT;
