from django.db import models


class MovieQuerySet(models.QuerySet["Movie"]):  # type: ignore[name-defined] # the model imports this module
    def available(self) -> "MovieQuerySet":
        return self.filter(is_available=True)
