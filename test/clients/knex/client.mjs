// Knex. usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import Knex from 'knex';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGUSER: user } = process.env;
const knex = Knex({ client: 'pg', connection: { host, port, database, user }, pool: { min: 0, max: 1 } });

if (command === 'setup') {
  const source = {
    getMigrations: async () => ['create_orders'],
    getMigrationName: (name) => name,
    getMigration: async () => ({
      up: (db) => db.schema.createTable('orders', (table) => {
        table.bigInteger('id').primary().defaultTo(db.raw('snowflake_id()'));
        table.integer('worker').notNullable();
        table.integer('n').notNullable();
        table.text('item');
      }),
      down: (db) => db.schema.dropTable('orders'),
    }),
  };
  await knex.migrate.latest({ migrationSource: source });
} else {
  const keys = [];
  for (let n = 0; n < single; n++) {
    const [row] = await knex('orders').insert({ worker, n, item: 'one' }).returning('id');
    keys.push(row.id);
  }
  const rows = Array.from({ length: bulk }, (_, n) => ({ worker, n: single + n, item: 'many' }));
  keys.push(...(await knex('orders').insert(rows).returning('id')).map((row) => row.id));
  const read = await knex('orders').where({ worker }).orderBy('n').pluck('id');
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, [...keys].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)), 'keys read back');
  const since = new Date(Date.now() - 3600_000);
  const [found] = await knex('orders').where({ worker }).where('id', '>=', knex.raw('snowflake_min_id(?)', [since])).count();
  assert.equal(found.count, single + bulk, 'time range');
}
await knex.destroy();
