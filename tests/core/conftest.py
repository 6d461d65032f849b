"""A Redis for the tests marked ``redis``."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.conftest import SERVICES
from tests.processes import production

CLAIM = "claimed-by-a-test"


@pytest.fixture
def redis_database() -> Iterator[Redis]:
    """A database of Redis that was empty and is emptied again; another run at the same time has another."""
    host, port = SERVICES["Redis"]
    for number in range(15, 0, -1):
        with Redis(host, port, db=number) as database:
            if not database.set(CLAIM, 1, nx=True):
                continue
            if database.dbsize() == 1:
                yield database
                database.flushdb()
                return
            database.delete(CLAIM)
    pytest.fail("Databases 1 to 15 of Redis are all in use: empty one with redis-cli -n 15 flushdb")


@pytest.fixture
def environment(redis_database: Redis, transactional_db: None) -> dict[str, str]:
    """Of production processes that share the test's database and a Redis."""
    connection = redis_database.connection_pool.connection_kwargs
    url = "redis://{host}:{port}/{db}".format(**connection)
    return production(REDIS_URL=url, CELERY_BROKER_URL=url)
