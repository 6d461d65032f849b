"""What publishing a task costs a web process while its broker is down, in ms.

Run it as ``python -m benchmarks.broker_down``. ``refused``: nothing listens. ``hung``: somebody takes
the connection and never answers. Production settings; the first line of each includes what only the
first publishing of a process does.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

PUBLISHER = """
import time, django
django.setup()
from apps.core.nudges import nudge
from apps.core.tasks import heartbeat
times = []
for _ in range(51):
    began = time.perf_counter()
    nudge(heartbeat)
    times.append((time.perf_counter() - began) * 1000)
rest = sorted(times[1:])
print(f"first {times[0]:.1f}  median {rest[25]:.1f}  highest of 50 {rest[-1]:.1f}")
"""


def main() -> None:
    for name, listens in (("refused", False), ("hung", True)):
        with socket.socket() as broker:
            broker.bind(("127.0.0.1", 0))
            if listens:
                broker.listen(128)
            print(f"{name}: {measure(broker.getsockname()[1])}")


def measure(port: int) -> str:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.prod",
        "SECRET_KEY": "made-up-" * 8,
        "ALLOWED_HOSTS": "marquee.example",
        "DATABASE_URL": "sqlite://:memory:",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "WEB_PROCESS": "true",
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.run(
        [sys.executable, "-c", PUBLISHER],
        env=environment,
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


if __name__ == "__main__":
    main()
