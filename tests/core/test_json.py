import json as standard_json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.json import decode, encode

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)


@given(values)
def test_gives_back_what_it_took(value: object) -> None:
    assert decode(encode(value)) == value
    assert decode(standard_json.dumps(value).encode()) == value


def test_writes_what_our_answers_hold() -> None:
    value = {
        "at": datetime(2026, 11, 21, 4, tzinfo=timezone(timedelta(hours=1))),
        "score": np.float32(0.5),
        "scores": np.arange(2),
        "missing": float("nan"),
        "price": Decimal("1.5"),
        "label": gettext_lazy("Film"),
        3: "three",
    }
    assert encode(value) == (
        b'{"at":"2026-11-21T04:00:00+01:00","score":0.5,"scores":[0,1],"missing":null,'
        b'"price":1.5,"label":"Film","3":"three"}'
    )
    assert encode(datetime(2026, 11, 21, tzinfo=UTC)) == b'"2026-11-21T00:00:00Z"'


def test_refuses_to_write_what_is_no_json() -> None:
    with pytest.raises(TypeError):
        encode(object())


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b'{"a": 1,}',
        b"\xff\xfe{}",
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b"[" * 100_000 + b"]" * 100_000,
        "[１２]".encode(),
    ],
)
def test_refuses_what_is_no_json_of_ours(body: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^The body is not JSON that can be read: "):
        decode(body)


@pytest.mark.parametrize(
    ("body", "pointer", "sentence"),
    [
        (b'{"films": [{"title": "a\\u0000"}]}', "/films/0/title", "A text must not hold the character NUL"),
        (b'{"a": {"\\u0000": 1}}', "/a", "A name must not hold the character NUL"),
    ],
)
def test_refuses_nul_anywhere(body: bytes, pointer: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode(body)
    assert (refusal.value.detail, refusal.value.errors[0].pointer) == (sentence, pointer)


@pytest.mark.parametrize(
    ("body", "repeated"),
    [
        (b'{"a": 1, "a": 2}', "'a'"),
        (b'{"films": [{"a": {}}, {"a": 1, "\\u0061": {}}]}', "'a'"),
        (b'{"a\\":": 1, "b": 2, "a\\":": 1}', "'a\":'"),
        (b"[" * 1010 + b'{"a": 1, "a": 1}' + b"]" * 1010, "something"),
    ],
)
def test_refuses_a_name_twice_in_one_object(body: bytes, repeated: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode(body, name="This text")
    assert refusal.value.detail == f"This text names {repeated} twice in one object"


def test_takes_a_name_twice_where_the_text_is_not_ours_to_mend() -> None:
    assert decode(b'{"a": 1, "a": 2}', takes_repeats=True) == {"a": 2}


def test_takes_a_name_again_in_another_object_and_colons_in_texts() -> None:
    assert decode(b'[{"a": {"a": ":"}}, {"a": ": \\": :"}]') == [{"a": {"a": ":"}}, {"a": ': ": :'}]


def test_an_integer_beyond_64_bits_comes_out_as_no_integer() -> None:
    assert isinstance(decode(str(2**64 - 1).encode()), int)
    assert isinstance(decode(str(2**64).encode()), float)


def test_takes_the_words_for_nul() -> None:
    assert decode(b'"\\\\u0000"') == "\\u0000"


@pytest.mark.django_db
@pytest.mark.urls("tests.core.urls")
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": NaN}', b'"\\ud800"', b'{"a": "\\u0000"}', b"\xff"])
def test_a_request_with_such_a_body_is_400(client: Client, body: bytes) -> None:
    response = client.put("/api/v1/body", body, "application/json")
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.django_db
@pytest.mark.urls("tests.core.urls")
def test_takes_no_other_kind_of_body(client: Client) -> None:
    response = client.put("/api/v1/body", b"a=1", "application/x-www-form-urlencoded")
    assert response.status_code == 415
    assert client.put("/api/v1/body", b" ", "application/json").json() == {"data": {}}


def test_finds_nul_below_more_levels_than_pythons_stack_holds() -> None:
    with pytest.raises(InvalidInput, match="A text must not hold the character NUL"):
        decode(b"[" * 1000 + b'"\\u0000"' + b"]" * 1000)


def test_looks_for_nul_among_many_values_below_a_long_name_in_little_memory() -> None:
    """With the place of each value spelt out these 110 kB would take 200 MB."""
    body = b'{"%s": [%s], "nul": "\\u0000"}' % (b"a" * 20_000, b",".join([b"1234567"] * 10_000))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match=r"^A text must not hold the character NUL$") as refused:
            decode(body)
        assert refused.value.errors[0].pointer == "/nul"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
