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
    @SequenceGenerator(name = "dense", sequenceName = "dense", allocationSize = 50)
    @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "dense")
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
