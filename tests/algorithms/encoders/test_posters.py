import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from apps.algorithms.encoders import posters
from apps.algorithms.encoders.base import EncoderRefused
from apps.algorithms.encoders.posters import Posters
from apps.algorithms.types import Float32
from tests.algorithms.encoders.models import make_image_network, make_language_model

RED, DARK_RED, BLUE = (220, 30, 30), (200, 25, 25), (20, 40, 230)


def ignore(count: int) -> None:
    pass


def draw(file: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 60)) -> Path:
    """A frame of this colour around black."""
    image = pytest.importorskip("PIL.Image").new("RGB", size, colour)
    image.paste((0, 0, 0), (10, 15, 30, 45))
    image.save(file)
    return file


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image_network(tmp_path_factory.mktemp("models") / "tiny")


def look(network: Path, *files: Path) -> Float32:
    return Posters(network).encode(files, ignore)


def test_posters_of_like_colours_lie_close(network: Path, tmp_path: Path) -> None:
    files = [draw(tmp_path / f"{place}.png", colour) for place, colour in enumerate((RED, DARK_RED, BLUE))]
    vectors = look(network, *files)
    assert (vectors.shape, vectors.dtype) == ((3, 12), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_batches_change_nothing(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [draw(tmp_path / f"{place}.png", colour) for place, colour in enumerate((RED, BLUE, RED))]
    whole, done = look(network, *files), []
    monkeypatch.setattr(posters, "_BATCH", 2)
    np.testing.assert_allclose(Posters(network).encode(files, done.append), whole, atol=1e-6)
    assert done == [2, 1]


def test_reads_pictures_of_all_kinds(network: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for mode, name in (
        ("L", "grey.jpg"),
        ("P", "palette.png"),
        ("RGBA", "clear.webp"),
        ("CMYK", "print.jpg"),
    ):
        image.new(mode, (30, 45)).save(tmp_path / name)
    assert look(network, *sorted(tmp_path.iterdir())).any(axis=1).all()


def test_a_file_that_is_no_picture_counts_as_none(network: Path, tmp_path: Path) -> None:
    whole = draw(tmp_path / "whole.png", RED)
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:60])
    vectors = look(network, tmp_path / "text.jpg", whole, tmp_path / "cut.png", tmp_path / "gone.jpg")
    assert vectors.any(axis=1).tolist() == [False, True, False, False]


def test_opens_no_picture_that_unpacks_to_too_much(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = draw(tmp_path / "poster.png", RED)
    monkeypatch.setattr(posters, "MAX_PIXELS", 40 * 60 - 1)
    assert not look(network, file).any()


def test_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EncoderRefused) as refusal:
        _ = Posters(tmp_path / "gone").fingerprint
    assert str(refusal.value) == (
        f"POSTER_ENCODER_PATH names {tmp_path / 'gone'}, and there is no such folder: copy the model there."
    )


def test_refuses_weights_that_are_damaged(network: Path, tmp_path: Path) -> None:
    for file in network.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(EncoderRefused) as refusal:
        Posters(tmp_path).encode([], ignore)
    assert str(refusal.value).startswith(f"The model in {tmp_path} cannot be read: copy it anew (")


def test_refuses_the_weights_of_another_network(network: Path, tmp_path: Path) -> None:
    other = make_language_model(tmp_path / "other")
    (other / "preprocessor_config.json").write_bytes((network / "preprocessor_config.json").read_bytes())
    (other / "config.json").write_bytes((network / "config.json").read_bytes())
    with pytest.raises(EncoderRefused) as refusal:
        Posters(other).encode([], ignore)
    assert str(refusal.value) == f"POSTER_ENCODER_PATH names {other}, whose weights are not a ResNet's."


def test_refuses_a_network_that_stumbles_over_a_picture(network: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(network, tmp_path / "copied"))
    settings = json.loads((copied / "preprocessor_config.json").read_text())
    # One mean and deviation for three colours.
    wrong = {**settings, "image_mean": [0.5], "image_std": [0.5]}
    (copied / "preprocessor_config.json").write_text(json.dumps(wrong))
    with pytest.raises(EncoderRefused) as refusal:
        look(copied, draw(tmp_path / "poster.png", RED))
    assert str(refusal.value).startswith(
        f"The model in {copied} cannot look at posters: copy it anew, or name another ("
    )
    assert "\n" not in str(refusal.value)


def test_the_fingerprint_follows_how_pictures_are_prepared(network: Path, tmp_path: Path) -> None:
    for file in network.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = Posters(tmp_path).fingerprint
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**settings, "crop_pct": 0.5}))
    assert before == Posters(network).fingerprint != Posters(tmp_path).fingerprint
