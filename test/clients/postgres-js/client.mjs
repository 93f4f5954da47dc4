// postgres.js. usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import postgres from 'postgres';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const sql = postgres({ prepare: false, onnotice: () => {} });   // for a pooler; notices are of CREATE TABLE

const sorted = (keys) => [...keys].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));

if (command === 'setup') {
  await sql`CREATE TABLE orders (
    id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)`;
} else {
  const keys = [];
  for (let n = 0; n < single; n++) {
    const [order] = await sql`INSERT INTO orders ${sql({ worker, n, item: 'one' })} RETURNING id`;
    keys.push(order.id);
  }
  const many = Array.from({ length: bulk }, (_, n) => ({ worker, n: single + n, item: 'many' }));
  const made = await sql`INSERT INTO orders ${sql(many)} RETURNING id`;
  keys.push(...made.map(({ id }) => id));
  const read = await sql`SELECT id FROM orders WHERE worker = ${worker} ORDER BY n`;
  assert.equal(typeof keys[0], 'string', 'a key arrives as a string');
  assert.deepStrictEqual(keys, read.map(({ id }) => id), 'keys read back');
  assert.deepStrictEqual(keys, sorted(keys), 'keys read back');
  const [{ found }] = await sql`SELECT count(*)::int AS found FROM orders
    WHERE id >= snowflake_min_id(${new Date(Date.now() - 3600_000)}) AND worker = ${worker}`;
  assert.equal(found, single + bulk, 'time range');
}
await sql.end();
