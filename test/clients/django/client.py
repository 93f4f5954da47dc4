# Django. usage: client.py setup | work WORKER SINGLE BULK | bench ROWS ROUNDS
import os
import sys
import time
from datetime import timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django

django.setup()
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from shop.models import Counted, Order, SnowflakeMin


def setup():
    call_command("migrate", verbosity=0)
    # Nothing is left to migrate: the field and the column agree.
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def work(worker, single, bulk):
    keys = [Order.objects.create(worker=worker, n=n, item="one").pk for n in range(single)]
    rows = Order.objects.bulk_create(Order(worker=worker, n=single + n, item="many") for n in range(bulk))
    keys += [row.pk for row in rows]
    read = list(Order.objects.filter(worker=worker).order_by("n").values_list("pk", flat=True))
    assert keys == read == sorted(keys), "keys read back"
    found = Order.objects.filter(pk__gte=SnowflakeMin(timezone.now() - timedelta(hours=1)), worker=worker)
    assert found.count() == single + bulk, "time range"


def bench(rows, rounds):
    for n in range(rounds):
        models = [("identity", Counted), ("idgen", Order)]
        for name, model in reversed(models) if n % 2 else models:
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {model._meta.db_table}")
            began = time.perf_counter()
            model.objects.bulk_create([model(worker=1, n=i, item="many") for i in range(rows)])
            print(name, time.perf_counter() - began, flush=True)


{"setup": setup, "work": work, "bench": bench}[sys.argv[1]](*map(int, sys.argv[2:]))
