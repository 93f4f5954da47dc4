// EclipseLink, which takes blocks of keys. usage: Client setup | work WORKER SINGLE BULK
// With IDGEN_MARKER: by EclipseLink's own platform, and a sequence with that comment.
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.persistence.EntityManager;
import javax.persistence.EntityManagerFactory;
import javax.persistence.Persistence;
import org.eclipse.persistence.platform.database.PostgreSQLPlatform;
import org.eclipse.persistence.queries.ValueReadQuery;

public class Client {
    static final String MARKER = System.getenv().getOrDefault("IDGEN_MARKER", "");

    // The sequence is a generator of idgen. EclipseLink takes the number that it gets for the last of its block.
    public static class IdgenPlatform extends PostgreSQLPlatform {
        @Override
        public ValueReadQuery buildSelectQueryForSequenceObject(String sequence, Integer size) {
            return new ValueReadQuery("select idgen_reserve_last('" + sequence + "', " + size + ")");
        }
    }

    static void setup(EntityManager entities) {
        entities.getTransaction().begin();
        entities.createNativeQuery("CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT idgen_id('dense'), worker int NOT NULL, n int NOT NULL, item text)").executeUpdate();
        if (!MARKER.isEmpty()) {
            entities.createNativeQuery("CREATE SEQUENCE dense INCREMENT 50").executeUpdate();
            entities.createNativeQuery("COMMENT ON SEQUENCE dense IS '" + MARKER + "'").executeUpdate();
        }
        entities.getTransaction().commit();
    }

    static void work(EntityManager entities, int worker, int single, int bulk) {
        List<Order> orders = new ArrayList<>();
        for (int n = 0; n < single + bulk; n++) {
            if (n <= single) entities.getTransaction().begin();
            Order order = new Order(worker, n, n < single ? "one" : "many");
            entities.persist(order);
            orders.add(order);
            if (n < single) entities.getTransaction().commit();
        }
        entities.getTransaction().commit();
        List<Long> keys = orders.stream().map(order -> order.id).toList();

        List<?> read = entities.createQuery("select o.id from Order o where o.worker = :worker order by o.n").setParameter("worker", worker).getResultList();
        if (!keys.equals(read) || !keys.equals(keys.stream().sorted().toList())) throw new IllegalStateException("keys read back");
        Object found = entities.createQuery("select count(o) from Order o where o.id >= function('dense_min_id', :since) and o.worker = :worker")
            .setParameter("since", new java.sql.Timestamp(System.currentTimeMillis() - 3600 * 1000)).setParameter("worker", worker).getSingleResult();
        if (((Long) found) != single + bulk) throw new IllegalStateException("time range");
    }

    public static void main(String[] arguments) {
        String url = String.format("jdbc:postgresql://%s:%s/%s?prepareThreshold=0", System.getenv("PGHOST"), System.getenv("PGPORT"), System.getenv("PGDATABASE"));
        EntityManagerFactory factory = Persistence.createEntityManagerFactory("shop",
            Map.of("javax.persistence.jdbc.url", url, "javax.persistence.jdbc.user", System.getenv("PGUSER"),
                "eclipselink.target-database", MARKER.isEmpty() ? IdgenPlatform.class.getName() : "PostgreSQL"));
        EntityManager entities = factory.createEntityManager();
        if (arguments[0].equals("setup")) {
            setup(entities);
        } else {
            work(entities, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        }
        entities.close();
        factory.close();
    }
}
