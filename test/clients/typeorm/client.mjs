// TypeORM. usage: client.mjs setup | work WORKER SINGLE BULK | bench ROWS ROUNDS
import 'reflect-metadata';
import assert from 'node:assert';
import typeorm from 'typeorm';

const { DataSource, EntitySchema } = typeorm;
const [command, ...numbers] = process.argv.slice(2);
const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGUSER: username } = process.env;

const others = { worker: { type: 'int' }, n: { type: 'int' }, item: { type: 'text', nullable: true } };
// The default is the column's: @PrimaryColumn({ type: 'bigint', default: () => 'snowflake_id()' }).
const Order = new EntitySchema({
  name: 'Order', tableName: 'orders', columns: { id: { type: 'bigint', primary: true, default: () => 'snowflake_id()' }, ...others },
});
const Counted = new EntitySchema({
  name: 'Counted', tableName: 'counted',
  columns: { id: { type: 'bigint', primary: true, generated: 'identity', generatedIdentity: 'BY DEFAULT' }, ...others },
});

class CreateOrders1700000000000 {
  async up(runner) {
    await runner.query(`CREATE TABLE orders (
      id bigint NOT NULL DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text,
      CONSTRAINT "PK_710e2d4957aa5878dfe94e4ac2f" PRIMARY KEY (id))`);
  }

  async down(runner) {
    await runner.query('DROP TABLE orders');
  }
}

const source = new DataSource({
  type: 'postgres', host, port: Number(port), database, username, entities: [Order, Counted], migrations: [CreateOrders1700000000000], extra: { max: 1 },
});
await source.initialize();

async function setup() {
  await source.runMigrations();
  await source.synchronize();
  // Nothing is left to change: the entity and the column agree.
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  assert.deepStrictEqual(upQueries.map((query) => query.query), [], 'schema');
}

async function work(worker, single, bulk) {
  const orders = source.getRepository(Order);
  const keys = [];
  for (let n = 0; n < single; n++) keys.push((await orders.save({ worker, n, item: 'one' })).id);
  const rows = Array.from({ length: bulk }, (_, n) => ({ worker, n: single + n, item: 'many' }));
  await orders.insert(rows);  // writes the keys into the rows
  keys.push(...rows.map((row) => row.id));
  const read = (await orders.find({ where: { worker }, order: { n: 'ASC' } })).map((row) => row.id);
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, [...keys].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)), 'keys read back');
  const found = await orders.createQueryBuilder('o').where('o.id >= snowflake_min_id(:since) AND o.worker = :worker',
    { since: new Date(Date.now() - 3600_000), worker }).getCount();
  assert.equal(found, single + bulk, 'time range');
}

async function bench(rows, rounds) {
  for (let round = 0; round < rounds; round++) {
    const entities = [['identity', Counted], ['idgen', Order]];
    for (const [name, entity] of round % 2 ? entities.reverse() : entities) {
      const repository = source.getRepository(entity);
      await repository.clear();
      const all = Array.from({ length: rows }, (_, n) => ({ worker: 1, n, item: 'many' }));
      const began = performance.now();
      for (let n = 0; n < rows; n += 1000) await repository.insert(all.slice(n, n + 1000));
      console.log(name, (performance.now() - began) / 1000);
    }
  }
}

await { setup, work, bench }[command](...numbers.map(Number));
await source.destroy();
