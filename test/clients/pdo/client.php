<?php
// PHP's PDO. usage: client.php setup | work WORKER SINGLE BULK
// With IDGEN_MARKER: lastInsertId(), with a table of PostgreSQL's keys in between.
[, $command] = $argv;
[$worker, $single, $bulk] = array_map('intval', array_slice($argv, 2)) + [0, 0, 0];
$db = new PDO(sprintf('pgsql:host=%s;port=%s;dbname=%s', getenv('PGHOST'), getenv('PGPORT'), getenv('PGDATABASE')), getenv('PGUSER'), null, [
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    // Prepared statements belong to one connection of the pooler, so none are made.
    PDO::ATTR_EMULATE_PREPARES => true,
]);

if ($command === 'setup') {
    $db->exec('CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY, worker int NOT NULL)');
    $db->exec('CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)');
    exit;
}

// lastInsertId() asks for the last value of a sequence, unless idgen_compat is there: RETURNING tells the key. A pooler gives a
// transaction one session.
$keys = [];
$insert = $db->prepare('INSERT INTO orders (worker, n, item) VALUES (?, ?, ?) RETURNING id');
for ($n = 0; $n < $single; $n++) {
    if (getenv('IDGEN_MARKER')) {
        $db->beginTransaction();
        $db->exec("INSERT INTO notes (worker) VALUES ($worker)");
        $note = $db->lastInsertId();
        $db->exec("INSERT INTO orders (worker, n, item) VALUES ($worker, $n, 'one')");
        $keys[] = (int) $db->lastInsertId();
        $found = $db->query("SELECT worker FROM notes WHERE id = $note")->fetchColumn();
        $db->commit();
        if ($found !== $worker) {
            throw new Exception('keys of the other table');
        }
        continue;
    }
    $insert->execute([$worker, $n, 'one']);
    $keys[] = $insert->fetchColumn();
}
$values = [];
for ($n = 0; $n < $bulk; $n++) {
    array_push($values, $worker, $single + $n, 'many');
}
$many = $db->prepare('INSERT INTO orders (worker, n, item) VALUES ' . implode(', ', array_fill(0, $bulk, '(?, ?, ?)')) . ' RETURNING id');
$many->execute($values);
$keys = array_merge($keys, $many->fetchAll(PDO::FETCH_COLUMN));

$read = $db->query("SELECT id FROM orders WHERE worker = $worker ORDER BY n")->fetchAll(PDO::FETCH_COLUMN);
$sorted = $keys;
sort($sorted);
if ($keys !== $read || $keys !== $sorted || !is_int($keys[0])) {
    throw new Exception('keys read back');
}
$found = $db->prepare('SELECT count(*) FROM orders WHERE id >= snowflake_min_id(?::timestamptz) AND worker = ?');
$found->execute([date(DATE_ATOM, time() - 3600), $worker]);
if ($found->fetchColumn() !== $single + $bulk) {
    throw new Exception('time range');
}
