"""Tiny networks with random weights, written as the real ones are."""

from pathlib import Path

import pytest

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] rocket orbit planet vault diamond".split()
NEEDED = "needs requirements-embeddings.txt, which development leaves out"


def make_language_model(folder: Path) -> Path:
    """A BERT of one layer and eight dimensions that knows ``WORDS``."""
    torch = pytest.importorskip("torch", reason=NEEDED)
    transformers = pytest.importorskip("transformers", reason=NEEDED)
    pytest.importorskip("sentence_transformers", reason=NEEDED)
    torch.manual_seed(3)
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def make_image_network(folder: Path) -> Path:
    """A residual network of two stages that sees 32 by 32 pixels in 12 dimensions."""
    torch = pytest.importorskip("torch", reason=NEEDED)
    transformers = pytest.importorskip("transformers", reason=NEEDED)
    torch.manual_seed(3)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic"
    )
    transformers.ResNetModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}
    transformers.ConvNextImageProcessor(size=size, crop_pct=1.0).save_pretrained(folder)
    return folder
