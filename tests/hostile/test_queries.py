"""Queries that nobody means well by: refused, or read as best one can."""

import pytest

from apps.catalog.models import Movie
from tests.callers import Caller, api_routes
from tests.experiments.setup import make_experiment
from tests.hostile.sending import assert_problem, send

pytestmark = pytest.mark.django_db

LISTS = ("movies", "movies/recommendations", "ratings", "favorites", "watchlist", "dismissals")
BAD_PAGES = ("0", "-1", "1.0", "x", "%EF%BC%91", "9" * 400, "", "1%00", "%00", "+1", "1e3", "0x1", "null")


@pytest.mark.parametrize("path", LISTS)
def test_refuses_a_number_that_is_none(path: str, keeper: Caller) -> None:
    name = "n" if path.endswith("recommendations") else "page_size"
    for value in BAD_PAGES:
        problem = assert_problem(send(keeper, "GET", f"/api/v1/{path}?{name}={value}"), 400, "invalid-input")
        assert problem["errors"][0]["pointer"] == f"?{name}", value


def test_refuses_parameters_unknown_or_repeated_at_every_address(movie: Movie, keeper: Caller) -> None:
    experiment = make_experiment()
    for method, route in sorted(api_routes()):
        if method != "GET" or route.startswith("me"):
            continue
        path = f"/api/v1/{route.replace('<id:movie_id>', str(movie.pk))}"
        path = path.replace("<id:run_id>", "1")
        path = path.replace("<slug:key>", experiment.pk).replace("<id:user_id>", str(keeper.user.pk))
        for query in ("?nonsense=1", "?%00=1", "?=", "?a[]=1", "?%ED%A0%80=1", f"?{'a' * 5_000}=1"):
            assert_problem(send(keeper, "GET", path + query), 400, "invalid-input")
    for query in ("user_id=1&user_id=2", "page=1&page=1"):
        assert_problem(send(keeper, "GET", f"/api/v1/ratings?{query}"), 400, "invalid-input")
    many = "&".join(f"a{number}=1" for number in range(5_000))
    assert_problem(send(keeper, "GET", f"/api/v1/ratings?{many}"), 400, "bad-request")


QUERIES = [
    ("movies", "search=%00"),
    ("movies", "search=" + "a" * 201),
    ("movies", "genre=%00"),
    ("movies", "genre=" + "a" * 61),
    ("movies", "exclude_genre=a%00b"),
    ("movies", "year_min=1"),
    ("movies", "year_max=%EF%BC%92000"),
    ("movies", "language=%00"),
    ("movies", "language=" + "%C3%A9" * 2),
    ("movies", "ordering=id;--"),
    ("movies/recommendations", "user_id=-1"),
    ("movies/recommendations", "user_id=" + "9" * 30),
    ("movies/recommendations", "diversity=nan"),
    ("movies/recommendations", "diversity=inf"),
    ("movies/recommendations", "diversity=%EF%BC%91"),
    ("movies/recommendations", "diversity=1e400"),
    ("movies/recommendations", "diversity=" + "9" * 5_000),
    ("movies/recommendations", "algorithm=%00"),
    ("movies/recommendations", "algorithm=__class__"),
    ("movies/recommendations", "genre=%00"),
    ("movies/recommendations", "genre=No"),
    ("movies/recommendations", "exclude=1,x"),
    ("movies/recommendations", "exclude=%EF%BC%91"),
    ("movies/recommendations", "exclude=" + "9" * 19),
    ("movies/recommendations", "exclude=" + ",".join(["1"] * 501)),
    ("movies/recommendations", "use_bandit=maybe"),
    ("movies/recommendations", "timezone=../../etc/passwd"),
    ("movies/recommendations", "timezone=%00"),
    ("movies/recommendations", "timezone=" + "a" * 5_000),
    ("ratings", "user_id=x"),
    ("ratings", "user_id=%00"),
]


@pytest.mark.parametrize(("path", "query"), QUERIES, ids=[f"{path}?{q[:24]}" for path, q in QUERIES])
def test_refuses_a_query_that_makes_no_sense(path: str, query: str, movie: Movie, keeper: Caller) -> None:
    problem = assert_problem(send(keeper, "GET", f"/api/v1/{path}?{query}"), 400, "invalid-input")
    assert problem["errors"][0]["pointer"] == f"?{query.split('=')[0]}"


@pytest.mark.parametrize(
    "query", ["search=%FF%FE", "search=%ED%A0%80", "search=%C0%AF", "search=%", "search=%zz"]
)
def test_reads_a_query_that_is_not_utf_8_as_best_it_can(query: str, movie: Movie, keeper: Caller) -> None:
    response = send(keeper, "GET", f"/api/v1/movies?{query}")
    assert (response.status_code, response.json()["count"]) == (200, 0)
