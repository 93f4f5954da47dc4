// Sequelize. usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import { DataTypes, Op, Sequelize } from 'sequelize';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGUSER: username } = process.env;
const sequelize = new Sequelize({ dialect: 'postgres', host, port, database, username, logging: false, pool: { max: 1 } });

// A default that is a function is the column's. Without autoIncrement nothing asks for a sequence.
const Order = sequelize.define('Order', {
  id: { type: DataTypes.BIGINT, primaryKey: true, defaultValue: Sequelize.fn('snowflake_id') },
  worker: { type: DataTypes.INTEGER, allowNull: false },
  n: { type: DataTypes.INTEGER, allowNull: false },
  item: DataTypes.TEXT,
}, { tableName: 'orders', timestamps: false });

if (command === 'setup') {
  await sequelize.sync();
} else {
  const keys = [];
  for (let n = 0; n < single; n++) keys.push((await Order.create({ worker, n, item: 'one' })).id);
  const rows = Array.from({ length: bulk }, (_, n) => ({ worker, n: single + n, item: 'many' }));
  keys.push(...(await Order.bulkCreate(rows)).map((row) => row.id));
  const read = (await Order.findAll({ where: { worker }, order: ['n'] })).map((row) => row.id);
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, [...keys].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)), 'keys read back');
  const since = Sequelize.fn('snowflake_min_id', new Date(Date.now() - 3600_000).toISOString());
  assert.equal(await Order.count({ where: { worker, id: { [Op.gte]: since } } }), single + bulk, 'time range');
}
await sequelize.close();
