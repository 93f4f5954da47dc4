// MikroORM. usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import { BigIntType, EntitySchema, MikroORM } from '@mikro-orm/postgresql';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const { PGHOST: host, PGPORT: port, PGDATABASE: dbName, PGUSER: user } = process.env;

class Order {}
// defaultRaw is the column's default. It keeps MikroORM from a serial column.
const schema = new EntitySchema({
  class: Order, tableName: 'orders',
  properties: {
    id: { type: new BigIntType('bigint'), primary: true, autoincrement: false, defaultRaw: 'snowflake_id()' },
    worker: { type: 'number' }, n: { type: 'number' }, item: { type: 'text', nullable: true },
  },
});
const orm = await MikroORM.init({
  host, port: Number(port), dbName, user, entities: [schema], pool: { min: 0, max: 1 },
  // Otherwise it drops what it finds in other schemas.
  schemaGenerator: { ignoreSchema: ['idgen'] },
});
const em = orm.em.fork();

if (command === 'setup') {
  await orm.schema.updateSchema();
  // Nothing is left to change: the entity and the column agree.
  assert.equal(await orm.schema.getUpdateSchemaSQL(), '', 'schema');
} else {
  const made = [];
  for (let n = 0; n < single; n++) {
    made.push(em.create(Order, { worker, n, item: 'one' }));
    await em.flush();
  }
  for (let n = 0; n < bulk; n++) made.push(em.create(Order, { worker, n: single + n, item: 'many' }));
  await em.flush();
  const keys = made.map((order) => order.id);
  const read = (await orm.em.fork().find(Order, { worker }, { orderBy: { n: 'asc' } })).map((order) => order.id);
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, [...keys].sort((a, b) => (a < b ? -1 : 1)), 'keys read back');
  const found = await em.createQueryBuilder(Order).where('id >= snowflake_min_id(?) and worker = ?', [new Date(Date.now() - 3600_000), worker]).getCount();
  assert.equal(found, single + bulk, 'time range');
}
await orm.close();
