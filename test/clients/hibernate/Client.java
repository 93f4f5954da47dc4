// Hibernate, whose optimizer takes blocks of keys. usage: Client setup | work WORKER SINGLE BULK
// With IDGEN_MARKER: by Hibernate's own dialect and default optimizer, and a sequence with that comment.
import java.util.ArrayList;
import java.util.List;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.Transaction;
import org.hibernate.cfg.Configuration;
import org.hibernate.dialect.PostgreSQLDialect;

public class Client {
    static final String MARKER = System.getenv().getOrDefault("IDGEN_MARKER", "");

    // The sequence is a generator of idgen. pooled-lo counts up from the number that it gets.
    public static class IdgenDialect extends PostgreSQLDialect {
        @Override
        public String getSequenceNextValString(String sequence) {
            return "select idgen_reserve('" + sequence + "', 50)";
        }
    }

    static void setup(Session session) {
        Transaction transaction = session.beginTransaction();
        session.createSQLQuery("CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT idgen_id('dense'), worker int NOT NULL, n int NOT NULL, item text)").executeUpdate();
        if (!MARKER.isEmpty()) {
            session.createSQLQuery("CREATE SEQUENCE dense INCREMENT 50").executeUpdate();
            session.createSQLQuery("COMMENT ON SEQUENCE dense IS '" + MARKER + "'").executeUpdate();
        }
        transaction.commit();
    }

    static void work(Session session, int worker, int single, int bulk) {
        List<Long> keys = new ArrayList<>();
        for (int n = 0; n < single; n++) {
            Transaction transaction = session.beginTransaction();
            keys.add((Long) session.save(new Order(worker, n, "one")));
            transaction.commit();
        }
        Transaction transaction = session.beginTransaction();
        for (int n = 0; n < bulk; n++) keys.add((Long) session.save(new Order(worker, single + n, "many")));
        transaction.commit();

        transaction = session.beginTransaction();
        List<?> read = session.createQuery("select id from Order where worker = :worker order by n").setInteger("worker", worker).list();
        if (!keys.equals(read) || !keys.equals(keys.stream().sorted().toList())) throw new IllegalStateException("keys read back");
        Object found = session.createQuery("select count(*) from Order where id >= dense_min_id(:since) and worker = :worker")
            .setTimestamp("since", new java.util.Date(System.currentTimeMillis() - 3600 * 1000)).setInteger("worker", worker).uniqueResult();
        if (((Long) found) != single + bulk) throw new IllegalStateException("time range");
        transaction.commit();
    }

    public static void main(String[] arguments) {
        SessionFactory factory = new Configuration()
            .setProperty("hibernate.dialect", (MARKER.isEmpty() ? IdgenDialect.class : PostgreSQLDialect.class).getName())
            .setProperty("hibernate.id.optimizer.pooled.prefer_lo", MARKER.isEmpty() ? "true" : "false")
            .setProperty("hibernate.connection.driver_class", "org.postgresql.Driver")
            .setProperty("hibernate.connection.url", String.format("jdbc:postgresql://%s:%s/%s?prepareThreshold=0",
                System.getenv("PGHOST"), System.getenv("PGPORT"), System.getenv("PGDATABASE")))
            .setProperty("hibernate.connection.username", System.getenv("PGUSER"))
            .setProperty("hibernate.connection.password", "")
            .setProperty("hibernate.jdbc.batch_size", "50")
            .addClass(Order.class)
            .buildSessionFactory();
        Session session = factory.openSession();
        if (arguments[0].equals("setup")) {
            setup(session);
        } else {
            work(session, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        }
        session.close();
        factory.close();
    }
}
