"""``manage.py encode``, and what a fit makes of encoders."""

import io
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from apps.algorithms.encoders.base import EncoderRefused, Progress
from apps.algorithms.encoders.lsa import Lsa
from apps.algorithms.types import Float32
from apps.catalog.models import Movie
from apps.core.management.base import Refused
from apps.training import encoding
from apps.training.artifacts import open_artifact
from apps.training.datasets import build_interactions
from apps.training.management.commands.encode import Command
from apps.training.services import train
from apps.training.vectors import read_vectors, vector_folder
from tests.training.conftest import N_FILMS

pytestmark = pytest.mark.django_db
OVERVIEWS = ("A rocket leaves for a planet.", "Thieves open a vault of diamonds.")


@pytest.fixture
def told(films: list[Movie]) -> list[Movie]:
    """Films of one genre are all about the same."""
    for film in films:
        film.overview = OVERVIEWS[film.pk % 2]
        film.save(update_fields=["overview"])
    return films


class Lengths:
    """A pointwise encoder that takes note of what it was given."""

    name = "minilm"
    fingerprint = "f1"
    is_pointwise = True

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.refusal = ""

    def encode(self, given: Sequence[str], progress: Progress) -> Float32:
        if self.refusal:
            raise EncoderRefused(self.refusal)
        self.seen += given
        progress(len(given))
        angles = np.array([len(text) for text in given], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Lengths:
    encoder = Lengths()
    monkeypatch.setitem(encoding.TEXT_ENCODERS, "minilm", lambda: encoder)
    settings.TEXT_ENCODER = "minilm"
    return encoder


def ask(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("encode", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_says_what_was_new_and_what_was_there(told: list[Movie]) -> None:
    first, second = ask(), ask()
    assert first.pop("seconds") >= 0
    assert first == {
        "encoder": "lsa",
        "films": N_FILMS,
        "new": N_FILMS,
        "cached": 0,
        "dimensions": 11,  # as many as there are words that two films share
        "posters": 0,
        "posters_new": 0,
        "poster_dimensions": 0,
    }
    assert (second["new"], second["cached"], second["dimensions"]) == (0, N_FILMS, 11)


def test_encodes_an_empty_site(db: None) -> None:
    assert ask()["films"] == 0
    assert not vector_folder().exists()


def test_films_of_like_texts_get_like_vectors(told: list[Movie]) -> None:
    vectors = build_interactions().features.vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(N_FILMS))
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.5


def test_encodes_what_changed_alone(told: list[Movie], lengths: Lengths) -> None:
    assert ask()["new"] == N_FILMS
    lengths.seen.clear()
    Movie.objects.filter(pk=told[3].pk).update(overview="Another story.")
    assert ask()["new"] == 1
    assert lengths.seen == ["Story 3 of Rivers. Drama. Another story"]
    assert len(read_vectors("minilm", "f1").spots) == N_FILMS


def test_another_fingerprint_encodes_all_anew(told: list[Movie], lengths: Lengths) -> None:
    ask()
    lengths.fingerprint = "f2"
    assert ask()["new"] == N_FILMS


def test_what_looks_at_all_films_together_is_done_anew_when_one_changes(told: list[Movie]) -> None:
    ask()
    Movie.objects.filter(pk=told[3].pk).update(overview="Another story.")
    assert ask()["new"] == N_FILMS


def test_films_of_one_text_are_read_once(told: list[Movie], lengths: Lengths) -> None:
    Movie.objects.filter(pk__in=[film.pk for film in told[:4:2]]).update(title="Twin")
    assert ask()["new"] == N_FILMS
    assert len(lengths.seen) == N_FILMS - 1
    vectors = build_interactions().features.vectors
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_what_was_done_stays_done_when_the_rest_fails(
    told: list[Movie], lengths: Lengths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "_CHUNK", 5)

    def interrupted(count: int) -> None:
        if len(lengths.seen) > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoding.encode(lengths, encoding.read_texts(encoding.all_films()), interrupted)
    assert ask()["cached"] == 5


def test_vectors_follow_the_films_of_the_fit(told: list[Movie], lengths: Lengths) -> None:
    whole = build_interactions().features.vectors
    Movie.objects.filter(pk=told[-1].pk).update(is_available=False)
    np.testing.assert_array_equal(build_interactions().features.vectors, whole[:-1])


def test_a_fit_stores_the_vectors_in_its_arm(told: list[Movie], own_artifacts: Path) -> None:
    version = train()
    arrays = open_artifact(own_artifacts / version.artifact).groups["arm_embeddings"]
    assert arrays["vectors"].shape == build_interactions().features.vectors.shape
    assert arrays["vectors"].any(axis=1).all()
    assert version.metrics["warnings"] == []


def test_an_encoder_that_cannot_run_stops_no_fit(
    told: list[Movie], lengths: Lengths, own_artifacts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train()
    lengths.refusal, lengths.fingerprint = "The weights are gone.", "f2"
    Movie.objects.filter(pk=told[3].pk).update(overview="Another story.")
    with caplog.at_level(logging.WARNING):
        version = train()
    sentence = "Films that are new or changed have no vectors of minilm. The weights are gone."
    assert version.metrics["warnings"] == [sentence]
    assert f"warning={sentence}" in caplog.text
    vectors = open_artifact(own_artifacts / version.artifact).groups["arm_embeddings"]["vectors"]
    assert np.flatnonzero(~vectors.any(axis=1)).tolist() == [3]


def test_a_fit_without_any_vector_goes_by_popularity(told: list[Movie], lengths: Lengths) -> None:
    lengths.refusal = "The weights are gone."
    assert build_interactions().features.vectors.shape == (N_FILMS, 0)
    assert train().status == "live"


def test_a_disk_that_refuses_the_cache_stops_no_fit(
    told: list[Movie], settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.VECTOR_DIR = tmp_path / "file"
    settings.VECTOR_DIR.write_text("")
    assert build_interactions().features.vectors.any()
    assert f"vectors_not_kept folder={tmp_path / 'file'}" in caplog.text
    with pytest.raises(Refused) as refusal:
        ask()
    assert str(refusal.value) == (
        f"The vectors cannot be kept in {tmp_path / 'file'}: make room, or set VECTOR_DIR."
    )


def test_a_cache_that_cannot_be_looked_into_stops_no_fit(told: list[Movie], settings: Any) -> None:
    settings.VECTOR_DIR = "long" * 100
    assert build_interactions().features.vectors.any()


def test_refuses_weights_that_are_not_there(films: list[Movie], settings: Any, tmp_path: Path) -> None:
    settings.TEXT_ENCODER_PATH = tmp_path / "gone"
    with pytest.raises(Refused) as refusal:
        ask("--encoder", "minilm")
    assert str(refusal.value) == (
        f"TEXT_ENCODER_PATH names {tmp_path / 'gone'}, and there is no such folder: copy the model there."
    )
    assert not vector_folder().exists()


def test_refuses_numbers_that_are_not_finite_and_keeps_none(
    told: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = np.full((N_FILMS, 2), np.nan, dtype=np.float32)
    monkeypatch.setattr("apps.algorithms.encoders.lsa._decompose", lambda words, dimensions: broken)
    with pytest.raises(
        Refused, match=r"^The encoder lsa made numbers that are not finite of 12 of 12 films: "
    ):
        ask()
    assert not vector_folder().exists()


def test_an_unknown_encoder_is_a_call_not_as_help_says(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        Command().run_from_argv(["manage.py", "encode", "--encoder", "oracle"])
    assert left.value.code == 2
    assert "invalid choice: 'oracle' (choose from" in capsys.readouterr().err


def test_the_settings_encoder_is_refused_by_name_too() -> None:
    with pytest.raises(EncoderRefused) as refusal:
        encoding.text_encoder("oracle")
    assert str(refusal.value) == "There is no text encoder 'oracle': set TEXT_ENCODER to lsa or minilm."


# --- Posters -------------------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Path:
    """The folder of posters, seen by an encoder that reads a file's first byte as an angle."""

    class FirstBytes(Lengths):
        name = "posters"

        def encode(self, given: Sequence[Path], progress: Progress) -> Float32:  # type: ignore[override]
            angles = np.array([file.read_bytes()[0] for file in given], dtype=np.float32)
            return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    monkeypatch.setattr(encoding, "Posters", lambda path: FirstBytes())
    monkeypatch.setattr(encoding.Posters, "name", "posters", raising=False)
    settings.POSTER_DIR, settings.POSTER_ENCODER_PATH = tmp_path / "posters", tmp_path / "network"
    settings.POSTER_DIR.mkdir()
    return settings.POSTER_DIR


def test_posters_stand_beside_texts_and_films_without_one_go_by_text(told: list[Movie], looks: Path) -> None:
    texts = Lsa().encode(encoding.read_texts(encoding.all_films()).given, lambda count: None)
    Movie.objects.filter(pk=told[0].pk).update(poster_path="/a1b2.jpg")
    (looks / "a1b2.jpg").write_bytes(b"a")
    (looks / f"{told[1].pk}.png").write_bytes(b"b")
    assert (ask()["posters"], ask()["posters_new"], ask()["poster_dimensions"]) == (2, 0, 2)
    vectors = build_interactions().features.vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(N_FILMS))
    np.testing.assert_allclose(vectors[2:], np.hstack([texts[2:], np.zeros((N_FILMS - 2, 2))]), atol=1e-6)
    np.testing.assert_allclose(np.square(vectors[:2, -2:]).sum(axis=1), [0.2, 0.2], atol=1e-6)


def test_a_poster_path_leads_to_no_other_folder(told: list[Movie], looks: Path) -> None:
    (looks.parent / "secret.jpg").write_bytes(b"a")
    Movie.objects.filter(pk=told[0].pk).update(poster_path="/../secret.jpg")
    (looks / f"{told[1].pk}.jpg").mkdir()
    assert encoding.read_posters(encoding.all_films()).given == []


def test_a_folder_of_posters_that_is_gone_stops_no_fit(told: list[Movie], looks: Path) -> None:
    os.rmdir(looks)
    heard: list[str] = []
    vectors = build_interactions(warn=heard.append).features.vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(N_FILMS))
    refusal = f"POSTER_DIR names {looks}, and there is no such folder."
    assert heard == [f"Films that are new or changed have no vectors of posters. {refusal}"]
    with pytest.raises(Refused) as refused:
        ask()
    assert str(refused.value) == refusal


def test_a_folder_of_posters_that_cannot_be_read_stops_no_fit(
    told: list[Movie], looks: Path, settings: Any
) -> None:
    settings.POSTER_DIR = "long" * 100
    version = train()
    refusal = f"POSTER_DIR names {settings.POSTER_DIR}, which cannot be read: File name too long."
    assert version.metrics["warnings"] == [
        f"Films that are new or changed have no vectors of posters. {refusal}"
    ]
    with pytest.raises(Refused) as refused:
        ask()
    assert str(refused.value) == refusal


def test_a_model_that_stumbles_over_a_text_stops_no_fit(
    told: list[Movie], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stumbling:
        def get_embedding_dimension(self) -> int:
            return 2

        def encode(self, texts: list[str], **options: Any) -> Float32:
            raise IndexError("index out of range in self")

    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text("")
    monkeypatch.setattr("apps.algorithms.encoders.minilm._load", lambda path: Stumbling())
    settings.TEXT_ENCODER, settings.TEXT_ENCODER_PATH = "minilm", folder
    assert train().metrics["warnings"] == [
        "Films that are new or changed have no vectors of minilm. "
        f"The model in {folder} cannot read these texts: copy it anew, or name another "
        "(IndexError: index out of range in self)."
    ]
