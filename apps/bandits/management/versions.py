"""What both commands on counts share: the versions that are meant."""

from collections.abc import Sequence

from django.core.management.base import CommandParser

from apps.bandits.models import BanditPolicy


def add_version_argument(parser: CommandParser) -> None:
    parser.add_argument("--policy-version", type=int, metavar="N", help="this version alone (default: all)")


def versions_meant(version: int | None) -> Sequence[int]:
    if version is not None:
        return [version]
    return list(BanditPolicy.objects.order_by("version").values_list("version", flat=True))
