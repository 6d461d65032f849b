"""What an entry of the audit says, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.models import AuditEntry


@dataclass(frozen=True)
class Change:
    """One value before and after, as text; None where it was not there. ``field`` is ``a.b`` for a
    value within another.
    """

    field: str
    before: str | None
    after: str | None


def changes_of(entry: AuditEntry) -> list[Change]:
    """Field by field what the act changed, in the order in which the entry names them."""
    before, after = dict(_flat(entry.before)), dict(_flat(entry.after))
    names = dict.fromkeys([*before, *after])
    return [Change(name, before.get(name), after.get(name)) for name in names]


def _flat(values: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(values, Mapping):
        yield prefix, _text(values)
        return
    for name, value in values.items():
        inner = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping) and value:
            yield from _flat(value, inner)
        else:
            yield inner, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "empty"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
