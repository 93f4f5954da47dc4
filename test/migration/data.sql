-- Fills the shop. psql variable: rows (customers; twice as many rentals, three times as many payments).
-- The rows are a year old at most, each table's in the order of their time.

INSERT INTO shop.address (token, street, created_at)
SELECT gen_random_uuid(), 'street ' || n, now() - (:rows - n) * interval '1 year' / :rows
FROM generate_series(1, :rows) AS n;
INSERT INTO shop.address (token, street) VALUES ('zz', 'the last');
CREATE TEMP TABLE address AS SELECT row_number() OVER (ORDER BY created_at) AS n, id FROM shop.address;

INSERT INTO shop.customer (token, address_id, name, active, created_at)
SELECT gen_random_uuid(), a.id, 'customer ' || g, g % 10 > 0, now() - (:rows - g) * interval '1 year' / :rows
FROM generate_series(1, :rows) AS g JOIN address a ON a.n = 1 + g * 7 % :rows;
INSERT INTO shop.customer (token, address_id, name) SELECT 'zz', id, 'the last' FROM shop.address WHERE token = 'zz';
CREATE TEMP TABLE customer AS SELECT row_number() OVER (ORDER BY created_at) AS n, id FROM shop.customer;
-- Two of three came by another one; chains of them, too.
UPDATE shop.customer c SET referred_by = f.id
FROM customer m JOIN customer f ON f.n = 1 + m.n / 2
WHERE c.id = m.id AND m.n % 3 > 0 AND f.n <> m.n;

INSERT INTO shop.profile (customer_id, token, bio)
SELECT id, gen_random_uuid(), 'likes films' FROM customer WHERE n % 2 = 0;
INSERT INTO shop.profile (customer_id, token, bio)
SELECT id, 'zz', 'the last' FROM shop.customer c WHERE token = 'zz'
ON CONFLICT (customer_id) DO UPDATE SET token = 'zz';

INSERT INTO shop."Film Copy" (token, title, created_at)
SELECT gen_random_uuid(), 'film ' || n, now() - (:rows - n) * interval '1 year' / :rows
FROM generate_series(1, :rows / 2) AS n;
INSERT INTO shop."Film Copy" (token, title) VALUES ('zz', 'the last');
CREATE TEMP TABLE copy AS SELECT row_number() OVER (ORDER BY created_at) AS n, "Copy Id" AS id FROM shop."Film Copy";

INSERT INTO shop.rental (token, customer_id, "Copy Id", returned_at, created_at)
SELECT gen_random_uuid(), c.id, f.id, CASE WHEN g % 4 > 0 THEN now() END, now() - (2 * :rows - g) * interval '1 year' / (2 * :rows)
FROM generate_series(1, 2 * :rows) AS g
JOIN customer c ON c.n = 1 + g * 11 % :rows JOIN copy f ON f.n = 1 + g * 13 % (:rows / 2);
INSERT INTO shop.rental (token, customer_id, "Copy Id")
SELECT 'zz', c.id, f."Copy Id" FROM shop.customer c, shop."Film Copy" f WHERE c.token = 'zz' AND f.token = 'zz';
CREATE TEMP TABLE rental AS SELECT row_number() OVER (ORDER BY created_at) AS n, id, customer_id FROM shop.rental;

INSERT INTO shop.payment (token, rental_id, customer_id, amount, created_at)
SELECT gen_random_uuid(), r.id, r.customer_id, 1 + g % 7, now() - (3 * :rows - g) * interval '1 year' / (3 * :rows)
FROM generate_series(1, 3 * :rows) AS g JOIN rental r ON r.n = 1 + g * 5 % (2 * :rows);

-- More rows of one millisecond than 12 bits of a sequence can tell apart.
INSERT INTO shop.event (token, what, created_at)
SELECT gen_random_uuid(), 'loaded', date_trunc('milliseconds', now() - interval '100 days') FROM generate_series(1, :burst) AS g;
INSERT INTO shop.event (token, what, created_at)
SELECT gen_random_uuid(), 'seen', now() - (:rows - g) * interval '1 day' / :rows FROM generate_series(1, :rows) AS g;

\ir actual.sql
INSERT INTO ledger.entry SELECT kind, token, parents FROM actual;
TRUNCATE ledger.fired;
VACUUM ANALYZE;
