import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.packing import pack_history, pack_ids, unpack_history, unpack_ids

ids = st.integers(0, 2**32 - 1)
stars = st.integers(1, 10).map(lambda half: half / 2)


@given(st.lists(st.tuples(ids, stars), max_size=50))
def test_a_history_comes_back_in_its_order(history):
    packed = pack_history([one[0] for one in history], [one[1] for one in history])
    assert unpack_history(packed) == history


@given(st.lists(ids, max_size=50))
def test_ids_come_back_in_their_order(movie_ids):
    assert unpack_ids(pack_ids(movie_ids)) == movie_ids


def test_nothing_packs_to_nothing():
    assert pack_history([], []) == b""
    assert pack_ids([]) == b""


def test_refuses_a_history_with_a_rating_missing():
    with pytest.raises(ValueError, match=r"^a history needs one rating for each film$"):
        pack_history([1, 2], [3.0])
