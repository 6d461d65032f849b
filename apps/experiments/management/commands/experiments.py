"""``manage.py experiments export`` and ``manage.py experiments import``"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from apps.core.errors import InvalidInput
from apps.core.json import decode
from apps.core.management.base import MarqueeCommand
from apps.experiments.services import export_designs, import_designs

MOST_TOLD = 200
"""Errors of a file, each in a line."""


class Command(MarqueeCommand):
    help = (
        "Writes the designs of experiments as JSON, and reads them again as drafts: all of a file, or none"
        " of it."
    )
    example = "manage.py experiments export bandit-vs-hybrid --output designs.json"

    def add_command_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="export|import")
        export = acts.add_parser("export", help="print designs, or write them into a file")
        export.add_argument("keys", nargs="*", metavar="KEY", help="of an experiment (default: all)")
        export.add_argument("--output", type=Path, metavar="FILE", help="to write instead of printing")
        reading = acts.add_parser("import", help="make drafts of the designs in a file")
        reading.add_argument("file", type=Path, metavar="FILE", help="as export writes it")
        reading.add_argument("--replace", action="store_true", help="change drafts that have the same key")
        for one in (export, reading):
            # After the act as well, where one would look for it.
            one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def execute_command(self, *args: Any, act: str, **options: Any) -> Mapping[str, object]:
        return self._export(**options) if act == "export" else self._import(**options)

    def write_result(self, result: Mapping[str, object]) -> None:
        if "experiments" in result:
            self.stdout.write(_text(result))
        else:
            super().write_result(result)

    def _export(self, *, keys: list[str], output: Path | None, **options: Any) -> Mapping[str, object]:
        document = export_designs(keys)
        if output is None:
            return document
        try:
            output.write_text(_text(document) + "\n", encoding="utf-8")
        except OSError as error:
            raise InvalidInput(f"{output} cannot be written: {error.strerror}") from None
        return {"file": str(output), "n_experiments": len(document["experiments"])}

    def _import(self, *, file: Path, replace: bool, **options: Any) -> Mapping[str, object]:
        document = decode(_bytes_of(file), name=str(file))
        try:
            found = import_designs(document, by=None, replace=replace)
        except InvalidInput as refusal:
            n = len(refusal.errors)
            for error in refusal.errors[:MOST_TOLD]:
                self.stderr.write(f"{error.pointer or '/'}: {error.detail}")
            if n > MOST_TOLD:
                self.stderr.write(f"and {n - MOST_TOLD:,} more")
            things = "1 thing is" if n == 1 else f"{n} things are"
            raise InvalidInput(f"{things} wrong in {file}, and nothing was imported.") from None
        return {"created": list(found.created), "replaced": list(found.replaced)}


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            read = opened.read(settings.MAX_UPLOAD_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from None
    if len(read) > settings.MAX_UPLOAD_BYTES:
        raise InvalidInput(f"{file} has more than {settings.MAX_UPLOAD_BYTES:,} bytes.")
    return read
