import numpy as np
import pytest

from apps.algorithms.texts import pack_texts, text_at


@pytest.mark.parametrize("texts", [(), ("",), ("director:Agnès Varda", "", "keyword:侍"), ("", "a:b", "c")])
def test_texts_come_back_one_by_one(texts):
    arrays = pack_texts("names", texts)
    assert {name: array.dtype for name, array in arrays.items()} == {
        "names_bytes": np.uint8,
        "names_ends": np.int64,
    }
    assert tuple(text_at("names", arrays, spot) for spot in range(len(texts))) == texts
