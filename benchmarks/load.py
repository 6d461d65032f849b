"""A load generator that takes little of the machine it shares with the server.

Each client is a thread with one kept-alive connection and prepared requests, in a process of its own.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """``latencies`` are sorted, in ms; ``bodies`` is one answer, for a look at what came."""

    requests_per_second: float
    latencies: list[float]
    failures: int

    def percentile(self, percent: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


def run_load(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """Sends ``requests`` (raw HTTP/1.1) in turn from ``clients`` connections for ``seconds``."""
    job = {
        "port": port,
        "requests": [request.decode() for request in requests],
        "clients": clients,
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(job), capture_output=True, text=True, check=True
    )
    return Load(**json.loads(done.stdout))


def get(path: str, token: str) -> bytes:
    """A raw GET with a bearer token."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        "Accept: application/json\r\n\r\n"
    ).encode()


class _Client(threading.Thread):
    def __init__(self, port: int, requests: list[bytes], until: float, offset: int) -> None:
        super().__init__()
        self.port, self.requests, self.until, self.next = port, requests, until, offset
        self.latencies: list[float] = []
        self.failures = 0
        self.connection: socket.socket | None = None

    def run(self) -> None:
        while time.perf_counter() < self.until:
            request = self.requests[self.next % len(self.requests)]
            self.next += 1
            started = time.perf_counter()
            try:
                status = self._send(request)
            except OSError:
                self.connection, status = None, 0
            self.latencies.append((time.perf_counter() - started) * 1000)
            self.failures += status != 200

    def _send(self, request: bytes) -> int:
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        while len(body) < length:
            body += self._receive()
        if fields.get(b"connection") == b"close":
            self.connection.close()
            self.connection = None
        return int(head.split(b" ", 2)[1])

    def _receive(self) -> bytes:
        assert self.connection is not None
        part = self.connection.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        return part


def _main() -> None:
    job = json.load(sys.stdin)
    requests = [request.encode() for request in job["requests"]]
    started = time.perf_counter()
    until = started + job["seconds"]
    step = max(1, len(requests) // job["clients"])
    clients = [_Client(job["port"], requests, until, n * step) for n in range(job["clients"])]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    latencies = sorted(latency for client in clients for latency in client.latencies)
    json.dump(
        {
            "requests_per_second": len(latencies) / (time.perf_counter() - started),
            "latencies": latencies,
            "failures": sum(client.failures for client in clients),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    _main()
