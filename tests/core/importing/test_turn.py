"""Two imports never run at once, and a dead one holds nobody up."""

import pytest

from apps.core.errors import Conflict
from apps.core.importing.turn import only_import
from tests.processes import production, running, wait_until

HOLD = """
import sys, time
import django
django.setup()
from apps.core.importing.turn import only_import
with only_import():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_a_second_import_is_refused_until_the_first_is_over(tmp_path) -> None:
    (tmp_path / "hold.py").write_text(HOLD)
    values = {"DJANGO_SETTINGS_MODULE": "recommender_site.settings.test", "PYTHONPATH": f"{tmp_path}:."}
    with running(production(**values), "hold") as program:
        wait_until(lambda: "held" in program.said(), "the other process holds the right")
        told = r"^Another import is under way: try again when it has ended$"
        with pytest.raises(Conflict, match=told), only_import():
            pass
        program.kill()

        def is_free() -> bool:
            try:
                with only_import():
                    return True
            except Conflict:
                return False

        wait_until(is_free, "the dead process's right is free")


@pytest.mark.django_db
def test_an_import_that_fails_frees_the_right() -> None:
    with pytest.raises(ValueError, match="failed"), only_import():
        raise ValueError("failed")
    with only_import():
        pass
