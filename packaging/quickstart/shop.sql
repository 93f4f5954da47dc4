-- Runs once, in each shop's new database.
CREATE EXTENSION idgen;
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_id(), item text);
