// Drizzle. usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import { and, count, eq, gte, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { bigint, integer, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const client = new pg.Client();
await client.connect();
const db = drizzle(client);

// mode 'bigint': exact. mode 'number' rounds, without a word.
const orders = pgTable('orders', {
  id: bigint({ mode: 'bigint' }).primaryKey().default(sql`snowflake_id()`),
  worker: integer().notNull(),
  n: integer().notNull(),
  item: text(),
});

if (command === 'setup') {
  // What drizzle-kit generates for the table above.
  await db.execute(sql`CREATE TABLE "orders" ("id" bigint PRIMARY KEY DEFAULT snowflake_id() NOT NULL,
    "worker" integer NOT NULL, "n" integer NOT NULL, "item" text)`);
} else {
  const keys = [];
  for (let n = 0; n < single; n++) {
    const [row] = await db.insert(orders).values({ worker, n, item: 'one' }).returning({ id: orders.id });
    keys.push(row.id);
  }
  const rows = Array.from({ length: bulk }, (_, n) => ({ worker, n: single + n, item: 'many' }));
  keys.push(...(await db.insert(orders).values(rows).returning({ id: orders.id })).map((row) => row.id));
  const read = (await db.select({ id: orders.id }).from(orders).where(eq(orders.worker, worker)).orderBy(orders.n)).map((row) => row.id);
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, [...keys].sort((a, b) => (a < b ? -1 : 1)), 'keys read back');
  const since = new Date(Date.now() - 3600_000).toISOString();
  const [found] = await db.select({ count: count() }).from(orders)
    .where(and(gte(orders.id, sql`snowflake_min_id(${since})`), eq(orders.worker, worker)));
  assert.equal(found.count, single + bulk, 'time range');
}
await client.end();
