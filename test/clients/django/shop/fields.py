from django.db import models


class DatabaseKey(models.BigAutoField):
    """A key that the column's default makes. Django leaves it out of an INSERT, and reads it back."""

    def db_type(self, connection):
        return "bigint"

    def db_type_suffix(self, connection):
        return None
