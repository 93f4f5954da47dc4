// PostgreSQL's JDBC driver. usage: Client setup | work WORKER SINGLE BULK
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;

public class Client {
    static final String INSERT = "INSERT INTO orders (worker, n, item) VALUES (?, ?, ?)";

    static void setup(Connection db) throws SQLException {
        db.createStatement().execute("CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)");
        // The metadata take the column for one with a default of its own, not for one that counts.
        ResultSet column = db.getMetaData().getColumns(null, "public", "orders", "id");
        column.next();
        if (!column.getString("IS_AUTOINCREMENT").equals("NO")) throw new SQLException("taken for a sequence's");
    }

    static void addKeys(PreparedStatement statement, List<Long> keys) throws SQLException {
        ResultSet made = statement.getGeneratedKeys();
        while (made.next()) keys.add(made.getLong(1));
    }

    static void work(Connection db, int worker, int single, int bulk) throws SQLException {
        List<Long> keys = new ArrayList<>();
        // Naming the column asks for RETURNING id; RETURN_GENERATED_KEYS asks for all columns.
        PreparedStatement insert = db.prepareStatement(INSERT, new String[] {"id"});
        for (int n = 0; n < single + bulk; n++) {
            insert.setInt(1, worker);
            insert.setInt(2, n);
            insert.setString(3, n < single ? "one" : "many");
            if (n < single) {
                insert.executeUpdate();
                addKeys(insert, keys);
            } else {
                insert.addBatch();
            }
        }
        db.setAutoCommit(false);
        insert.executeBatch();
        addKeys(insert, keys);
        db.commit();

        PreparedStatement select = db.prepareStatement("SELECT id FROM orders WHERE worker = ? ORDER BY n");
        select.setInt(1, worker);
        List<Long> read = new ArrayList<>();
        for (ResultSet rows = select.executeQuery(); rows.next();) read.add(rows.getLong(1));
        if (!keys.equals(read) || !keys.equals(keys.stream().sorted().toList())) throw new SQLException("keys read back");
        PreparedStatement range = db.prepareStatement("SELECT count(*) FROM orders WHERE id >= snowflake_min_id(?) AND worker = ?");
        range.setTimestamp(1, new Timestamp(System.currentTimeMillis() - 3600 * 1000));
        range.setInt(2, worker);
        ResultSet found = range.executeQuery();
        found.next();
        if (found.getInt(1) != single + bulk) throw new SQLException("time range");
        db.commit();
    }

    public static void main(String[] arguments) throws SQLException {
        // prepareThreshold=0: prepared statements belong to one connection of the pooler, so none are made.
        String url = String.format("jdbc:postgresql://%s:%s/%s?user=%s&prepareThreshold=0", System.getenv("PGHOST"),
            System.getenv("PGPORT"), System.getenv("PGDATABASE"), System.getenv("PGUSER"));
        try (Connection db = DriverManager.getConnection(url)) {
            if (arguments[0].equals("setup")) {
                setup(db);
            } else {
                work(db, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
            }
        }
    }
}
