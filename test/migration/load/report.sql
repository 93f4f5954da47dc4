-- A long report in one snapshot, which it has before it touches the tables. It compares what it sees with the
-- ledger; a difference is an error (division by zero). It writes, too.
\set r random(0, 2147483647)
\set s random(0, 2147483647)
\set ms random(10, :longest)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM ledger.entry WHERE kind = 'rental' AND token >= md5(:r::text) AND token < md5(:s::text);
\sleep :ms ms
SELECT 1 / (count(*) = 0)::int FROM (SELECT token, parents FROM ledger.entry WHERE kind = 'rental' AND token >= md5(:r::text) ORDER BY token LIMIT 30) l FULL JOIN (SELECT r.token, c.token AS customer, f.token AS copy FROM shop.rental r LEFT JOIN shop.customer c ON c.id = r.customer_id LEFT JOIN shop."Film Copy" f ON f."Copy Id" = r."Copy Id" WHERE r.token >= md5(:r::text) ORDER BY r.token LIMIT 30) a USING (token) WHERE parents IS DISTINCT FROM ARRAY[customer, copy];
SELECT 1 / (count(*) = 0)::int FROM (SELECT token, parents FROM ledger.entry WHERE kind = 'payment' AND token >= md5(:r::text) ORDER BY token LIMIT 30) l FULL JOIN (SELECT p.token, r.token AS rental, c.token AS customer FROM shop.payment p LEFT JOIN shop.rental r ON r.id = p.rental_id LEFT JOIN shop.customer c ON c.id = p.customer_id WHERE p.token >= md5(:r::text) ORDER BY p.token LIMIT 30) a USING (token) WHERE parents IS DISTINCT FROM ARRAY[rental, customer];
SELECT 1 / (count(*) = 0)::int FROM (SELECT token, parents FROM ledger.entry WHERE kind = 'customer' AND token >= md5(:s::text) ORDER BY token LIMIT 30) l FULL JOIN (SELECT c.token, a.token AS address, f.token AS friend FROM shop.customer c LEFT JOIN shop.address a ON a.id = c.address_id LEFT JOIN shop.customer f ON f.id = c.referred_by WHERE c.token >= md5(:s::text) ORDER BY c.token LIMIT 30) x USING (token) WHERE parents IS DISTINCT FROM ARRAY[address, friend];
SELECT 1 / (count(*) = 0)::int FROM (SELECT token, parents FROM ledger.entry WHERE kind = 'profile' AND token >= md5(:s::text) ORDER BY token LIMIT 30) l FULL JOIN (SELECT p.token, c.token AS customer FROM shop.profile p LEFT JOIN shop.customer c ON c.id = p.customer_id WHERE p.token >= md5(:s::text) ORDER BY p.token LIMIT 30) x USING (token) WHERE parents IS DISTINCT FROM ARRAY[customer];
WITH made AS (INSERT INTO shop.event (token, what) VALUES (gen_random_uuid(), 'report') RETURNING token) INSERT INTO ledger.entry SELECT 'event', token, '{}' FROM made;
COMMIT;
