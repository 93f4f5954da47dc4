-- Writes a customer's profile, or writes it anew.
\set r random(0, 2147483647)
BEGIN;
SELECT id AS customer, token AS customer_token FROM shop.customer WHERE token >= md5(:r::text) ORDER BY token LIMIT 1 FOR UPDATE \gset
INSERT INTO shop.profile (customer_id, token, bio) VALUES (:customer, gen_random_uuid(), 'new') ON CONFLICT (customer_id) DO UPDATE SET bio = 'again' RETURNING token AS profile_token \gset
INSERT INTO ledger.entry VALUES ('profile', :profile_token, ARRAY[:customer_token]::text[]) ON CONFLICT (kind, token) DO NOTHING;
COMMIT;
