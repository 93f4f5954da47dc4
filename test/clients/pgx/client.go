// pgx. usage: client setup | work WORKER SINGLE BULK
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strconv"
	"time"

	"github.com/jackc/pgx/v4"
)

var ctx = context.Background()

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect() *pgx.Conn {
	config, err := pgx.ParseConfig("")
	check(err)
	// Prepared statements belong to one connection of the pooler, so none are made.
	config.PreferSimpleProtocol = true
	db, err := pgx.ConnectConfig(ctx, config)
	check(err)
	return db
}

func setup(db *pgx.Conn) {
	_, err := db.Exec(ctx, `CREATE TABLE orders (
		id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)`)
	check(err)
}

func keysOf(db *pgx.Conn, sql string, arguments ...interface{}) (keys []int64) {
	rows, err := db.Query(ctx, sql, arguments...)
	check(err)
	for rows.Next() {
		var key int64
		check(rows.Scan(&key))
		keys = append(keys, key)
	}
	check(rows.Err())
	return
}

func work(db *pgx.Conn, worker, single, bulk int) {
	keys := []int64{}
	for n := 0; n < single; n++ {
		keys = append(keys, keysOf(db, "INSERT INTO orders (worker, n, item) VALUES ($1, $2, 'one') RETURNING id", worker, n)...)
	}
	// Arrays keep the order of the rows, and make a statement of any size.
	numbers := make([]int32, bulk)
	for n := range numbers {
		numbers[n] = int32(single + n)
	}
	keys = append(keys, keysOf(db, `INSERT INTO orders (worker, n, item)
		SELECT $1, n, 'many' FROM unnest($2::int[]) WITH ORDINALITY AS given(n, place) ORDER BY place RETURNING id`, worker, numbers)...)
	read := keysOf(db, "SELECT id FROM orders WHERE worker = $1 ORDER BY n", worker)
	if !reflect.DeepEqual(keys, read) || !sort.SliceIsSorted(keys, func(a, b int) bool { return keys[a] < keys[b] }) {
		check(fmt.Errorf("keys read back"))
	}
	found := keysOf(db, "SELECT count(*) FROM orders WHERE id >= snowflake_min_id($1) AND worker = $2", time.Now().Add(-time.Hour), worker)
	if found[0] != int64(single+bulk) {
		check(fmt.Errorf("time range"))
	}
}

func main() {
	db := connect()
	defer db.Close(ctx)
	if os.Args[1] == "setup" {
		setup(db)
		return
	}
	numbers := []int{}
	for _, argument := range os.Args[2:] {
		number, err := strconv.Atoi(argument)
		check(err)
		numbers = append(numbers, number)
	}
	work(db, numbers[0], numbers[1], numbers[2])
}
