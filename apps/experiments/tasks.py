"""Upkeep of experiments. Safe to run twice; a run that is lost is made up for by the next."""

from celery import shared_task

from apps.experiments import services


@shared_task(time_limit=600)
def roll_up() -> int:
    """Days of units counted from the log."""
    return services.roll_up().unit_days


@shared_task(time_limit=600)
def watch() -> int:
    """Entries made in the ledgers of what runs."""
    services.roll_up()
    return services.watch()
