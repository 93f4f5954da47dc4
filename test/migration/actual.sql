-- What the tables say: each row, and the tokens of the rows that its references lead to, found by comparing
-- keys. Nothing of a constraint or an index is trusted, except that the planner may use one.
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_bitmapscan = off;
SET client_min_messages = warning;
DROP TABLE IF EXISTS actual;
RESET client_min_messages;
CREATE TEMP TABLE actual AS
SELECT 'address' AS kind, a.token, '{}'::text[] AS parents, a.id::text AS key, a.created_at FROM shop.address a
UNION ALL
SELECT 'customer', c.token, ARRAY[a.token, CASE WHEN c.referred_by IS NOT NULL THEN coalesce(f.token, 'nowhere') END], c.id::text, c.created_at
FROM shop.customer c LEFT JOIN shop.address a ON a.id = c.address_id LEFT JOIN shop.customer f ON f.id = c.referred_by
UNION ALL
SELECT 'profile', p.token, ARRAY[c.token], p.customer_id::text, NULL
FROM shop.profile p LEFT JOIN shop.customer c ON c.id = p.customer_id
UNION ALL
SELECT 'copy', f.token, '{}', f."Copy Id"::text, f.created_at FROM shop."Film Copy" f
UNION ALL
SELECT 'rental', r.token, ARRAY[c.token, f.token], r.id::text, r.created_at
FROM shop.rental r LEFT JOIN shop.customer c ON c.id = r.customer_id LEFT JOIN shop."Film Copy" f ON f."Copy Id" = r."Copy Id"
UNION ALL
SELECT 'payment', p.token, ARRAY[r.token, c.token], p.id::text, p.created_at
FROM shop.payment p LEFT JOIN shop.rental r ON r.id = p.rental_id LEFT JOIN shop.customer c ON c.id = p.customer_id
UNION ALL
SELECT 'event', e.token, '{}', e.id::text, e.created_at FROM shop.event e;
RESET enable_indexscan;
RESET enable_indexonlyscan;
RESET enable_bitmapscan;
