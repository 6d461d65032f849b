"""What ``manage.py demo`` prepares. Each step looks first whether it is done, so that a second run is
quick, and one after an interruption goes on where the first one stopped.
"""

import secrets
import subprocess
import sys

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.core.errors import Unavailable
from apps.core.importing.history import is_imported
from apps.core.migrated import is_migrated
from apps.experiments.services import assign
from apps.training.models import TrainingRun
from apps.training.registry import engine
from apps.training.services import abandon_stale_runs
from recommender_site import env

VIEWER, STAFF, ADMIN = "viewer", "staff", "admin"
STAFF_GROUP = "Staff"
# What staff change besides looking at everything: they steer, and keep the catalogue.
STEERING = (
    "catalog.add_movie",
    "catalog.change_movie",
    "ratings.add_moviemerge",
    "experiments.change_servingpolicy",
    "experiments.add_experiment",
    "experiments.change_experiment",
    "experiments.delete_experiment",
    "experiments.start_experiment",
    "experiments.stop_experiment",
    "experiments.roll_back_experiment",
    "experiments.override_experiment",
    "experiments.ship_experiment",
    "experiments.change_holdout",
    "bandits.add_banditpolicy",
    "bandits.change_banditpolicy",
    "training.add_recipe",
    "training.change_recipe",
    "training.add_trainingrun",
    "training.change_modelversion",
    "training.override_gate",
    "training.add_rollout",
    "training.promote_rollout",
    "training.roll_back_rollout",
)


def migrate() -> bool:
    """Whether the database lacked anything. Makes the database if a PostgreSQL lacks it, and raises
    ``Unavailable`` where none answers."""
    if connection.vendor == "postgresql":
        # Here: it brings drivers that a site on SQLite does without.
        from apps.pages.production import require_postgres

        require_postgres(env.text("DATABASE_URL"))
    if is_migrated():
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def has_data() -> bool:
    """Whether a data set was loaded to its end. A load that was cut off goes on."""
    return is_imported(command="load_movielens")


def load_data() -> None:
    _manage("load_movielens", "demo")


def has_model() -> bool:
    """Whether there is a model of the recipe that serves whose files can be read.

    Newer ratings alone do not call for another: lists take them in at once, and the worker refits.
    """
    return engine(assign(None).recipe) is not None


def is_training() -> bool:
    """Whether a run is under way. One that a killed process left behind is given up after minutes."""
    abandon_stale_runs()
    return TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).exists()


def train() -> None:
    """Fits the recipe that serves."""
    _manage("train", "--recipe", assign(None).recipe)


def ensure_accounts() -> dict[str, str]:
    """Passwords by username of the accounts made now; those that existed keep theirs."""
    made = {}
    for username in (VIEWER, STAFF, ADMIN):
        if not User.objects.named(username).exists():
            made[username] = secrets.token_urlsafe(12)
            _make_account(username, made[username])
    return made


@transaction.atomic
def _make_account(username: str, password: str) -> None:
    user = User.objects.create_user(
        username, password=password, is_staff=username != VIEWER, is_superuser=username == ADMIN
    )
    if username == STAFF:
        user.groups.add(_staff_group())


def _staff_group() -> Group:
    """Given its permissions when it is made; what the site's people change of it stays."""
    group, is_new = Group.objects.get_or_create(name=STAFF_GROUP)
    if is_new:
        wanted = Q(codename__startswith="view_")
        for name in STEERING:
            app, codename = name.split(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        group.permissions.set(Permission.objects.filter(wanted))
    return group


def _manage(*arguments: str) -> None:
    """Runs a command in a process of its own, whose memory goes back; its bars show on our terminal."""
    manage = str(settings.BASE_DIR / "manage.py")
    told = env.for_child(LOG_LEVEL=env.text("LOG_LEVEL") or "WARNING")
    # Our own program and our own words.
    ended = subprocess.run(  # noqa: S603
        [sys.executable, manage, *arguments], env=told, stdout=subprocess.DEVNULL, check=False
    )
    if ended.returncode:
        raise Unavailable(f"manage.py {' '.join(arguments)} failed; it says why above")
