from django.db import migrations, models

from shop.fields import DatabaseKey

FIELDS = [
    ("worker", models.IntegerField()),
    ("n", models.IntegerField()),
    ("item", models.TextField(null=True)),
]


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Order", [("id", DatabaseKey(primary_key=True, serialize=False)), *FIELDS], {"db_table": "orders"}),
        migrations.RunSQL("ALTER TABLE orders ALTER id SET DEFAULT snowflake_id()",
                          "ALTER TABLE orders ALTER id DROP DEFAULT"),
        migrations.CreateModel("Counted", [("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")), *FIELDS],
                               {"db_table": "counted"}),
    ]
