from itertools import product

import pytest

from apps.algorithms.context import (
    N_CONTEXTS,
    PARTS,
    Context,
    day_type,
    genre_saturation,
    session_position,
    time_of_day,
    user_segment,
)


def make_context(**values):
    first = {part: options[0] for part, options in PARTS.items()}
    return Context(**(first | values))


def test_there_are_96_contexts_numbered_row_major():
    contexts = [Context(*values) for values in product(*PARTS.values())]
    assert [context.index for context in contexts] == list(range(96)) == list(range(N_CONTEXTS))
    assert [Context.from_index(index) for index in range(96)] == contexts


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ({}, 0),
        ({"session_position": "late"}, 1),
        ({"genre_saturation": "high"}, 2),
        ({"user_segment": "power"}, 8),
        ({"day_type": "weekend"}, 12),
        ({"time_of_day": "evening"}, 72),
    ],
)
def test_indices_of_contexts_are_known(values, index):
    assert make_context(**values).index == index


def test_as_dict_names_the_parts_in_order():
    assert list(make_context(day_type="weekend").as_dict().items())[:2] == [
        ("time_of_day", "night"),
        ("day_type", "weekend"),
    ]


def test_refuses_an_unknown_value_and_an_index_outside():
    with pytest.raises(ValueError, match=r"^day_type must be one of weekday, weekend, not 'monday'$"):
        make_context(day_type="monday")
    with pytest.raises(ValueError, match=r"^a context index lies between 0 and 95, not 96$"):
        Context.from_index(96)


def test_the_day_has_four_times_of_six_hours():
    assert [time_of_day(hour) for hour in (0, 5, 6, 11, 12, 17, 18, 23)] == [
        *["night"] * 2,
        *["morning"] * 2,
        *["afternoon"] * 2,
        *["evening"] * 2,
    ]


def test_saturday_and_sunday_are_the_weekend():
    assert [day_type(day) for day in range(7)] == ["weekday"] * 5 + ["weekend"] * 2


def test_segments_change_at_5_and_50_ratings():
    assert [user_segment(n) for n in (0, 4, 5, 49, 50)] == ["cold", "cold", "regular", "regular", "power"]


def test_the_session_is_late_from_the_third_slate_served():
    assert [session_position(n) for n in (0, 2, 3)] == ["early", "early", "late"]


@pytest.mark.parametrize(
    ("genres", "expected"),
    [
        ([], "low"),
        ([1, 1], "low"),
        ([1, 1, 2], "high"),
        ([1, 1, 2, 3], "high"),
        ([1, 1, 2, 3, 4], "low"),
        ([-1, -1, -1, 1], "low"),
        ([-1, -1, 1, 1], "high"),
        ([1] * 10 + list(range(10)), "low"),
        (list(range(5)) + [9] * 5, "high"),
    ],
)
def test_saturation_is_half_of_the_last_ten_films(genres, expected):
    assert genre_saturation(genres) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: time_of_day(24), r"^an hour lies between 0 and 23, not 24$"),
        (lambda: day_type(7), r"^a weekday lies between 0 and 6, not 7$"),
        (lambda: user_segment(-1), r"^a number of ratings is not negative: -1$"),
        (lambda: session_position(-1), r"^a number of slates is not negative: -1$"),
    ],
)
def test_refuses_numbers_outside_their_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()
