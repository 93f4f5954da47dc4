// Prisma. usage: client.mjs setup | work WORKER SINGLE BULK
import assert from 'node:assert';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';

const [command, ...numbers] = process.argv.slice(2);
const [worker, single, bulk] = numbers.map(Number);
const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGUSER: user } = process.env;
const prisma = new PrismaClient({ adapter: new PrismaPg({ host, port: Number(port), database, user, max: 1 }) });

if (command === 'setup') {
  // What prisma migrate generates for the model.
  await prisma.$executeRaw`CREATE TABLE "orders" ("id" BIGINT NOT NULL DEFAULT snowflake_id(),
    "worker" INTEGER NOT NULL, "n" INTEGER NOT NULL, "item" TEXT, CONSTRAINT "orders_pkey" PRIMARY KEY ("id"))`;
} else {
  const keys = [];
  for (let n = 0; n < single; n++) keys.push((await prisma.order.create({ data: { worker, n, item: 'one' } })).id);
  const data = Array.from({ length: bulk }, (_, n) => ({ worker, n: single + n, item: 'many' }));
  keys.push(...(await prisma.order.createManyAndReturn({ data, select: { id: true } })).map((row) => row.id));
  const read = (await prisma.order.findMany({ where: { worker }, orderBy: { n: 'asc' } })).map((row) => row.id);
  assert.deepStrictEqual(keys, read, 'keys read back');
  assert.deepStrictEqual(keys, [...keys].sort((a, b) => (a < b ? -1 : 1)), 'keys read back');
  const [{ since }] = await prisma.$queryRaw`SELECT snowflake_min_id(${new Date(Date.now() - 3600_000)}) AS since`;
  assert.equal(await prisma.order.count({ where: { worker, id: { gte: since } } }), single + bulk, 'time range');
}
await prisma.$disconnect();
