<?php
// Doctrine's ORM, which takes blocks of keys. usage: client.php setup | work WORKER SINGLE BULK
// With IDGEN_MARKER: by Doctrine's own platform and schema tool, and a sequence with that comment; and strategy IDENTITY.
use Doctrine\DBAL\DriverManager;
use Doctrine\DBAL\Platforms\PostgreSQL100Platform;
use Doctrine\ORM\Configuration;
use Doctrine\ORM\EntityManager;
use Doctrine\ORM\Mapping\Driver\AttributeDriver;
use Doctrine\ORM\Mapping as ORM;
use Doctrine\ORM\Tools\SchemaTool;

require_once 'Doctrine/ORM/autoload.php';
require_once 'Doctrine/DBAL/autoload.php';

#[ORM\Entity, ORM\Table(name: 'orders')]
class ShopOrder
{
    public const BLOCK = 50;

    #[ORM\Id, ORM\Column(type: 'bigint'), ORM\GeneratedValue(strategy: 'SEQUENCE'),
        ORM\SequenceGenerator(sequenceName: 'dense', allocationSize: self::BLOCK)]
    public ?int $id = null;

    public function __construct(
        #[ORM\Column(type: 'integer')] public int $worker,
        #[ORM\Column(type: 'integer')] public int $n,
        #[ORM\Column(type: 'text', nullable: true)] public ?string $item,
    ) {
    }
}

#[ORM\Entity, ORM\Table(name: 'parcels')]
class Parcel
{
    #[ORM\Id, ORM\Column(type: 'bigint'), ORM\GeneratedValue(strategy: 'IDENTITY')]
    public ?string $id = null;

    public function __construct(#[ORM\Column(type: 'text')] public string $place)
    {
    }
}

// The sequence is a generator of idgen. Doctrine counts up from the number that it gets.
class IdgenPlatform extends PostgreSQL100Platform
{
    public function getSequenceNextValSQL($sequence)
    {
        return sprintf("SELECT idgen_reserve('%s', %d)", $sequence, ShopOrder::BLOCK);
    }
}

[, $command] = $argv;
[$worker, $single, $bulk] = array_map('intval', array_slice($argv, 2)) + [0, 0, 0];
$marker = getenv('IDGEN_MARKER');
$configuration = new Configuration();
$configuration->setMetadataDriverImpl(new AttributeDriver([__DIR__]));
$configuration->setProxyDir(sys_get_temp_dir());
$configuration->setProxyNamespace('Proxies');
$entities = new EntityManager(DriverManager::getConnection([
    'driver' => 'pdo_pgsql', 'host' => getenv('PGHOST'), 'port' => getenv('PGPORT'), 'dbname' => getenv('PGDATABASE'),
    'user' => getenv('PGUSER'), 'platform' => $marker ? new PostgreSQL100Platform() : new IdgenPlatform(),
    // Prepared statements belong to one connection of the pooler, so none are made.
    'driverOptions' => [PDO::ATTR_EMULATE_PREPARES => true],
]), $configuration);

if ($command === 'setup') {
    $classes = $marker ? [ShopOrder::class, Parcel::class] : [ShopOrder::class];
    $sql = (new SchemaTool($entities))->getCreateSchemaSql(array_map([$entities, 'getClassMetadata'], $classes));
    if ($marker) {
        array_push($sql, "COMMENT ON SEQUENCE dense IS '$marker'", "COMMENT ON SEQUENCE parcels_id_seq IS 'idgen: dense'",
            "ALTER TABLE parcels ALTER id SET DEFAULT idgen_compat.nextval('parcels_id_seq')");
    } else {
        // The schema tool would make a sequence for the generator.
        $sql = preg_grep('/^CREATE SEQUENCE/', $sql, PREG_GREP_INVERT);
    }
    foreach ($sql as $statement) {
        $entities->getConnection()->executeStatement($statement);
    }
    // For everybody else who inserts.
    $entities->getConnection()->executeStatement('ALTER TABLE orders ALTER id SET DEFAULT idgen_id(\'dense\')');
    exit;
}

$orders = [];
for ($n = 0; $n < $single; $n++) {
    $entities->persist($orders[] = new ShopOrder($worker, $n, 'one'));
    $entities->flush();
}
for ($n = 0; $n < $bulk; $n++) {
    $entities->persist($orders[] = new ShopOrder($worker, $single + $n, 'many'));
}
$entities->flush();
$keys = array_map(fn (ShopOrder $order) => $order->id, $orders);

$query = $entities->createQuery('SELECT o.id FROM ShopOrder o WHERE o.worker = ?1 ORDER BY o.n')->setParameter(1, $worker);
$read = array_map('intval', $query->getSingleColumnResult());
$sorted = $keys;
sort($sorted);
if ($keys !== $read || $keys !== $sorted) {
    throw new Exception('keys read back');
}
$first = $entities->getConnection()->fetchOne('SELECT dense_min_id(?::timestamptz)', [date(DATE_ATOM, time() - 3600)]);
$found = $entities->createQuery('SELECT count(o) FROM ShopOrder o WHERE o.id >= ?1 AND o.worker = ?2')->setParameters([1 => $first, 2 => $worker]);
if ((int) $found->getSingleScalarResult() !== $single + $bulk) {
    throw new Exception('time range');
}
if ($marker) {
    $parcels = [];
    for ($n = 0; $n < $single; $n++) {
        $entities->persist($parcels[] = new Parcel("$worker/$n"));
        $entities->flush();
    }
    foreach ($parcels as $n => $parcel) {
        if ($entities->getConnection()->fetchOne('SELECT place FROM parcels WHERE id = ?', [$parcel->id]) !== "$worker/$n") {
            throw new Exception('keys of an identity');
        }
    }
}
