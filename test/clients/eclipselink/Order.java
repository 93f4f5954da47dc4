import javax.persistence.Entity;
import javax.persistence.GeneratedValue;
import javax.persistence.GenerationType;
import javax.persistence.Id;
import javax.persistence.SequenceGenerator;
import javax.persistence.Table;

@Entity
@Table(name = "orders")
public class Order {
    @Id
    @SequenceGenerator(name = "snowflake", sequenceName = "snowflake", allocationSize = 50)
    @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "snowflake")
    Long id;
    int worker;
    int n;
    String item;

    protected Order() {
    }

    Order(int worker, int n, String item) {
        this.worker = worker;
        this.n = n;
        this.item = item;
    }
}
