"""Nothing of one person by default: one absurd amount, one unique level and one secret note, looked for everywhere."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import synthvae as sv
from synthvae.cli import app
from synthvae.errors import SchemaError

ROWS = 400
AMOUNT, DAY = 987654321.12, pd.Timestamp("1873-05-19")
LEVEL, NOTE, KEY = "Ruritanian", "met the king of Zenda in secret", "Z-98765"
WORDS = (LEVEL, NOTE, KEY, "98765432", "9.8765", "1873")


def table() -> pd.DataFrame:
    """Row 7 is somebody: every one of its cells but ``age`` is like nobody else's."""
    rng = np.random.default_rng(3)
    made = pd.DataFrame(
        {
            "key": [f"A-{i:05d}" for i in range(ROWS)],
            "amount": rng.lognormal(6, 1, ROWS).round(2),
            "nation": rng.choice(["Bernese", "Ulmer"], ROWS),
            "note": [f"call number {i} was about {'nothing' * (i % 3)}" for i in range(ROWS)],
            "since": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, ROWS), "D"),
            "age": rng.integers(18, 80, ROWS),
            "rate": rng.normal(1, 0.1, ROWS),
        }
    )
    made.loc[7, ["key", "amount", "nation", "note", "since"]] = [KEY, AMOUNT, LEVEL, NOTE, DAY]
    return made


@dataclass(frozen=True)
class Traces:
    """What a fit leaves behind; among the arrays are those of its checkpoint."""

    model: sv.Synthesizer
    said: str
    documents: dict[str, str]
    arrays: dict[str, np.ndarray[Any, Any]]
    inspected: str
    sample: pd.DataFrame


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    path = tmp_path_factory.mktemp("promise") / "m.synthvae"
    records = _Records()
    logging.getLogger().addHandler(records)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            model = sv.Synthesizer(epochs=3, random_state=0).fit(table(), checkpoint=path.with_name("c.npz"))
    finally:
        logging.getLogger().removeHandler(records)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    arrays = {name: np.load(io.BytesIO(content)) for name, content in files.items() if name.endswith(".npy")}
    with np.load(path.with_name("c.npz"), allow_pickle=False) as checkpoint:
        arrays |= {f"checkpoint {name}": checkpoint[name] for name in checkpoint.files if name != "print"}  # a hash
    inspected = [CliRunner().invoke(app, ["inspect", str(path), *more]).output for more in ([], ["--json"])]
    return Traces(
        model,
        "\n".join([*records.lines, *(str(warning.message) for warning in warned)]),
        {name: content.decode() for name, content in files.items() if name.endswith(".json")},
        arrays,
        "\n".join(inspected),
        model.sample(20_000, random_state=1),
    )


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def leaves(document: Any) -> Iterator[Any]:
    """Every key and value of a JSON document; JSON inside text is opened too."""
    if isinstance(document, dict):
        document = [*document, *document.values()]
    if isinstance(document, list):
        for part in document:
            yield from leaves(part)
    elif isinstance(document, str) and document.startswith("{\n"):
        yield from leaves(json.loads(document))
    else:
        yield document


def near(numbers: np.ndarray[Any, Any]) -> bool:
    """Whether a planted number is among them, in whatever power of ten or unit of time, or in its logarithm."""
    numbers = np.abs(np.asarray(numbers, dtype=np.float64).ravel())
    numbers = numbers[np.isfinite(numbers)]
    seconds = abs(DAY.timestamp())
    planted = [AMOUNT * 10.0**k for k in range(-3, 7)] + [seconds * 10.0**k for k in (0, 3, 6, 9)] + [seconds / 86400]
    rounding = 2e-7 if numbers.size else 0.0  # what is left of a number in float32
    return any(bool((np.abs(numbers - number) <= rounding * number).any()) for number in planted)


def clean(text: str) -> bool:
    found = [word for word in WORDS if word.lower() in text.lower()]
    numbers = np.array([float(number) for number in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", text)])
    return not found and not near(numbers)


def test_the_search_would_find_them() -> None:
    assert not clean(f"up to {AMOUNT}")
    assert not clean("9.876543e8")
    assert not clean(f"a {LEVEL.lower()}")
    assert near(np.array([0.0, AMOUNT], "float32"))
    assert near(np.array([98765432112]))
    assert near(np.array([DAY.value // 10**9]))
    assert clean("2 columns, 3.5 nats")


def test_the_schema(traces: Traces) -> None:
    assert clean(traces.model.schema_.to_json())
    assert clean(repr(traces.model.schema_))
    assert traces.model.schema_["amount"].open_share
    assert traces.model.schema_["nation"].open_share


def test_the_documents_of_the_bundle(traces: Traces) -> None:
    for name, text in traces.documents.items():
        if name == "manifest.json":  # hashes may hold any digits
            text = " ".join(json.loads(text)["files"])
        assert clean(text), name


def test_the_numbers_in_the_documents_of_the_bundle(traces: Traces) -> None:
    for name, text in traces.documents.items():
        numbers = [leaf for leaf in leaves(json.loads(text)) if isinstance(leaf, (int, float))]
        assert not near(np.array(numbers, float)), name


def test_the_arrays_of_the_bundle_and_the_checkpoint(traces: Traces) -> None:
    texts = [word.encode(code) for word in (LEVEL, NOTE, KEY) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    for name, array in traces.arrays.items():
        assert not near(array), name
        content = array.tobytes()
        assert not [text for text in texts if text in content], name
    amounts = [np.array([number]).astype(kind).tobytes() for number in (AMOUNT,) for kind in ("<f4", "<f8", ">f8")]
    whole = b"".join(array.tobytes() for array in traces.arrays.values())
    assert not [amount for amount in amounts if amount in whole]


def test_no_training_row_is_among_them(traces: Traces) -> None:
    tokens = traces.model.codec_.encode(traces.model.schema_.check(table()))
    assert tokens.shape[1] >= 6
    for kind in ("uint8", "int32", "float32"):
        some = [row.tobytes() for row in tokens[::8].astype(kind)]  # where one is, all would be
        for name, array in traces.arrays.items():
            content = array.tobytes()
            assert not [row for row in some if row in content], (name, kind)


def test_no_array_is_as_long_as_the_table(traces: Traces) -> None:
    for name, array in traces.arrays.items():
        assert ROWS not in array.shape, name


def test_history_and_card(traces: Traces) -> None:
    assert clean(traces.model.history_.to_csv())
    assert clean(json.dumps(traces.model.card_))
    assert not near(traces.model.history_.to_numpy())


def test_what_was_said(traces: Traces) -> None:
    assert traces.said
    assert clean(traces.said)
    assert "amount" in traces.inspected
    assert clean(traces.inspected)


def test_the_sample(traces: Traces) -> None:
    made = traces.sample
    assert set(made["nation"]) == {"Bernese", "Ulmer"}
    assert KEY not in set(made["key"])
    assert not made["note"].str.contains("Zenda|king|call").any()
    real = table().drop(index=7)
    spread = real["amount"].max()
    assert made["amount"].max() <= spread * 1.2
    assert made["since"].min() > pd.Timestamp("2010-01-01")
    assert not near(made["amount"].to_numpy())
    assert clean(made.head(2000).drop(columns="rate").to_csv(index=False))


def test_an_error_about_them_does_not_tell(traces: Traces) -> None:
    closed = traces.model.schema_.with_column("nation", open_share=None).with_column("amount", open_share=None)
    with pytest.raises(SchemaError) as caught:
        sv.Synthesizer(closed).fit(table())
    assert "row 7" in str(caught.value)
    assert clean(str(caught.value))
    with pytest.raises(SchemaError) as caught:
        closed.with_column("amount", arrow="int32", decimals=0).check(table())
    assert clean(str(caught.value))


def test_what_is_asked_for_is_given() -> None:
    exact = sv.infer_schema(table(), exact=True)
    assert exact["amount"].upper == AMOUNT
    assert not clean(exact.to_json())
