"""What the OpenAPI document promises to those who write programs."""

from pathlib import Path

import pytest
import yaml

from apps.core.api.serializers import StrictSerializer
from apps.recommendations.api.feedback import CLICK, RATE, BatchBody, EventBody

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text())
EVENTS = DOCUMENT["paths"]["/api/v1/events"]["post"]


def test_no_description_speaks_to_developers_of_the_site() -> None:
    base = (StrictSerializer.__doc__ or "").split(":")[0]
    shapes = DOCUMENT["components"]["schemas"]
    assert [name for name, shape in shapes.items() if base in shape.get("description", "")] == []


@pytest.mark.parametrize("body", ["EventBodyRequest", "RatingBodyRequest", "TrackRatingBodyRequest"])
def test_a_rating_says_its_range_and_its_step(body: str) -> None:
    rating = DOCUMENT["components"]["schemas"][body]["properties"]["rating"]
    assert (rating["minimum"], rating["maximum"], rating["multipleOf"]) == (0.5, 5, 0.5)


def test_a_repeat_answers_in_either_shape() -> None:
    shape = EVENTS["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    either = [
        choice["$ref"].rpartition("/")[2] for choice in DOCUMENT["components"]["schemas"][shape]["oneOf"]
    ]
    assert either == ["GivenShape", "BatchShape"]


def test_the_bodies_offered_to_be_tried_are_valid() -> None:
    examples = EVENTS["requestBody"]["content"]["application/json"]["examples"]
    act, batch = (example["value"] for example in examples.values())
    assert (act, batch["events"]) == (CLICK, [CLICK, RATE])
    assert BatchBody(data=batch).is_valid()
    assert all(EventBody(data=body).is_valid() for body in (act, *batch["events"]))
