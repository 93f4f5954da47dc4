-- Rows of the append-only table, by COPY's way (many at once), and a film.
BEGIN;
WITH made AS (INSERT INTO shop.event (token, what) SELECT gen_random_uuid(), 'seen' FROM generate_series(1, 10) RETURNING token) INSERT INTO ledger.entry SELECT 'event', token, '{}' FROM made;
WITH made AS (INSERT INTO shop."Film Copy" (token, title) VALUES (gen_random_uuid(), 'new') RETURNING token) INSERT INTO ledger.entry SELECT 'copy', token, '{}' FROM made;
COMMIT;
