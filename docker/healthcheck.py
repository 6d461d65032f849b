"""Whether the process of this container lives: ``healthcheck.py web`` or ``healthcheck.py beat``.

Exits with 0 or 1. It imports no Django, so that asking every half minute costs next to nothing.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 4
SILENT_SECONDS = 180


def is_web_alive() -> bool:
    port = int(os.environ.get("WEB_BIND", "127.0.0.1:8000").rpartition(":")[2])
    # A name that the site answers to: it refuses requests that are addressed to others.
    name = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    link = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        link.request("GET", "/healthz", headers={"Host": "localhost" if name == "*" else name})
        return link.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        link.close()


def is_beat_alive() -> bool:
    import psycopg2

    asked = "SELECT extract(epoch FROM now() - at) < %s FROM heartbeats WHERE name = 'beat'"
    try:
        link = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=SECONDS)
    except psycopg2.Error:
        return False
    try:
        with link.cursor() as cursor:
            cursor.execute(asked, [SILENT_SECONDS])
            found = cursor.fetchone()
            return found is not None and bool(found[0])
    except psycopg2.Error:
        return False
    finally:
        link.close()


if __name__ == "__main__":
    is_alive = {"web": is_web_alive, "beat": is_beat_alive}[sys.argv[1]]
    sys.exit(0 if is_alive() else 1)
