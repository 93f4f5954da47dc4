from django.db import models
from django.db.models import Func

from shop.fields import DatabaseKey


class SnowflakeMin(Func):
    function = "snowflake_min_id"
    output_field = models.BigIntegerField()


class Row(models.Model):
    worker = models.IntegerField()
    n = models.IntegerField()
    item = models.TextField(null=True)

    class Meta:
        abstract = True


class Order(Row):
    id = DatabaseKey(primary_key=True)

    class Meta:
        db_table = "orders"


class Counted(Row):
    class Meta:
        db_table = "counted"
