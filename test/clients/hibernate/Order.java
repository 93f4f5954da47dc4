public class Order {
    Long id;
    int worker;
    int n;
    String item;

    Order() {
    }

    Order(int worker, int n, String item) {
        this.worker = worker;
        this.n = n;
        this.item = item;
    }
}
