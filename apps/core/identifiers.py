"""Identifiers that sort by time."""

import secrets
import uuid
from datetime import datetime

from apps.core import clock


def uuid7() -> uuid.UUID:
    """A random UUID whose first 48 bits are the Unix time in ms (RFC 9562, section 5.7)."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = (milliseconds << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


def first_uuid7(at: datetime) -> uuid.UUID:
    """The least of the identifiers made from that moment on: a range of time as a range of keys."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)
