-- Reads by keys and through the views, in one transaction: a key that is kept for longer may be no key any more, or one of
-- another type.
\set r random(0, 2147483647)
BEGIN;
SELECT rental, customer_id AS customer FROM shop.rental_list WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 \gset
SELECT count(*) FROM shop."Open Rentals" WHERE customer_id = :customer;
SELECT sum(amount) FROM shop.payment WHERE rental_id = :rental;
COMMIT;
