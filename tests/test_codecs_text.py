"""Free text: lengths come back, words never do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.base import Draw
from synthvae.codecs.text import TextCodec
from synthvae.schema.columns import Text

RNG = np.random.default_rng(2)


def fit(values: pa.Array, **facts: Any) -> TextCodec:
    column = Text(name="x", arrow=str(values.type), nullable=bool(values.null_count), **facts)
    return TextCodec.fit(column, pa.chunked_array([values]), 5)


def there_and_back(codec: TextCodec, values: pa.Array) -> list[str | None]:
    tokens = codec.encode(pa.chunked_array([values]))
    return codec.decode(tokens, Draw(np.arange(len(values)), RNG.random(len(values)), 0)).to_pylist()


def test_lengths_come_back_without_the_words() -> None:
    lengths = RNG.integers(5, 200, 5000)
    values = pa.array(["Zq" * int(length // 2) for length in lengths], mask=RNG.random(5000) < 0.1)
    codec = fit(values, min_length=4, max_length=200)
    assert codec.blocks[0].size == 1 + 16
    drawn = there_and_back(codec, values)
    assert [text is None for text in drawn] == [text is None for text in values.to_pylist()]
    known = [text for text in drawn if text is not None]
    assert not any("Z" in text for text in known)
    assert abs(np.mean([len(text) for text in known]) - lengths.mean()) < 3
    assert "Zq" not in repr(codec.state())


def test_one_very_long_text_is_nowhere() -> None:
    values = pa.array(["some words"] * 50 + ["x" * 77_777])
    codec = fit(values, min_length=10, max_length=10)
    assert codec.state()[1]["edges"].max() == 10
    assert {len(text or "") for text in there_and_back(codec, values)} == {10}


def test_empty_text_is_no_null() -> None:
    values = pa.array(["", None] * 10)
    assert there_and_back(fit(values), values) == ["", None] * 10


def test_filler_never_ends_in_a_space() -> None:
    values = pa.array(["x" * (i % 40) for i in range(800)])
    drawn = there_and_back(fit(values, min_length=0, max_length=40), values)
    assert not any((text or "").endswith(" ") for text in drawn)


def test_too_few_rows_take_their_lengths_from_the_schema() -> None:
    values = pa.array(["a", "bb"])
    lengths = [len(text or "") for text in there_and_back(fit(values, min_length=3, max_length=5), values)]
    assert all(3 <= length <= 5 for length in lengths)


# --- characters -------------------------------------------------------------------------------------------------------

SUBJECTS, VERBS = ["The cat", "A dog", "My neighbour", "Our old friend"], ["likes", "sees", "never minds", "hears"]
OBJECTS = ["the rain", "a long walk", "green apples", "the noise of trains", "cheap paint"]
SENTENCES = [f"{a} {b} {c}." for a in SUBJECTS for b in VERBS for c in OBJECTS]


def notes(count: int = 600) -> pa.Array:
    return pa.array([" ".join(RNG.choice(SENTENCES, RNG.integers(1, 4))) for _ in range(count)])


def test_characters_look_like_the_texts_and_repeat_none_of_them() -> None:
    values = notes()
    codec = fit(values, min_length=10, max_length=150, content="characters")
    drawn = there_and_back(codec, values)
    assert not set(drawn) & set(values.to_pylist())
    words = {word for text in values.to_pylist() for word in text.split()}
    told = [word for text in drawn for word in (text or "").split()[:-1]]
    assert np.mean([word in words for word in told]) > 0.8


def test_nobody_s_secret_is_spelt() -> None:
    secret = "Zoë's PIN is 9731"
    codec = fit(pa.array([*notes(100).to_pylist(), secret]), min_length=4, max_length=40, content="characters")
    assert not {"ë", "9", "Z"} & set(codec.state()[0]["signs"])


def test_texts_that_all_are_alike_leave_nothing_to_spell() -> None:
    values = pa.array(["yes", "no"] * 50)
    drawn = there_and_back(fit(values, min_length=2, max_length=3, content="characters"), values)
    assert not set(drawn) & {"yes", "no"}


def test_a_row_has_its_characters_whatever_is_drawn_beside_it() -> None:
    values = notes(200)
    codec = fit(values, min_length=10, max_length=150, content="characters")
    again = TextCodec.from_state(codec.column, codec.state())
    tokens, u = codec.encode(pa.chunked_array([values])), RNG.random(200)
    whole = codec.decode(tokens, Draw(np.arange(200), u, 7)).to_pylist()
    assert again.decode(tokens[50:90], Draw(np.arange(50, 90), u[50:90], 7)).to_pylist() == whole[50:90]
    assert codec.decode(tokens, Draw(np.arange(200), u, 8)).to_pylist() != whole
