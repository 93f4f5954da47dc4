// node-postgres (pg). usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import pg from 'pg';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const db = new pg.Client();
await db.connect();

// One column, as strings: pg does not make numbers of a bigint.
const keysOf = async (sql, values) => (await db.query({ text: sql, values, rowMode: 'array' })).rows.map(([key]) => key);
const sorted = (keys) => [...keys].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));

if (command === 'setup') {
  await db.query(`CREATE TABLE orders (
    id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)`);
} else {
  const keys = [];
  for (let n = 0; n < single; n++) {
    keys.push(...await keysOf("INSERT INTO orders (worker, n, item) VALUES ($1, $2, 'one') RETURNING id", [worker, n]));
  }
  const order = Array.from({ length: bulk }, (_, n) => single + n);
  keys.push(...await keysOf(`INSERT INTO orders (worker, n, item)
    SELECT $1, n, 'many' FROM unnest($2::int[]) WITH ORDINALITY AS given(n, place) ORDER BY place RETURNING id`, [worker, order]));
  const read = await keysOf('SELECT id FROM orders WHERE worker = $1 ORDER BY n', [worker]);
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, sorted(keys), 'keys read back');
  const found = await keysOf('SELECT count(*) FROM orders WHERE id >= snowflake_min_id($1) AND worker = $2',
    [new Date(Date.now() - 3600_000), worker]);
  assert.equal(found[0], single + bulk, 'time range');

  // What JavaScript makes of keys: exact as text, rounded inside of JSON.
  const { rows: [json] } = await db.query(
    'SELECT json_agg(id) AS numbers, json_agg(id::text) AS texts FROM (SELECT id FROM orders WHERE worker = $1 ORDER BY n LIMIT 3) o', [worker]);
  assert.deepStrictEqual(json.texts, keys.slice(0, 3), 'texts in JSON');
  assert.notDeepStrictEqual(json.numbers.map(String), keys.slice(0, 3), 'numbers in JSON are rounded');
  // Layout js53 has IDs that a number holds.
  const { rows: [js53] } = await db.query("SELECT id::text, json_build_array(id) AS json FROM idgen_nextval('js53') AS id");
  assert.equal(String(js53.json[0]), js53.id, 'js53');
}
await db.end();
