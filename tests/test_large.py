"""Tables larger than memory: the same schema, the same laws, rows from all over; nothing is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest

import synthvae as sv
from synthvae import tables
from synthvae.errors import ParameterError, SchemaError, TableError
from synthvae.tables import LargeTable, csv, large, opened, scan
from synthvae.training import schedules
from synthvae.training.feed import RUN_ROWS, Windows
from tests.conftest import mixed_table

pytestmark = pytest.mark.filterwarnings("ignore::synthvae.errors.CollapseWarning")
ROWS = 9_000


@pytest.fixture(autouse=True)
def small_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which three thousand rows are many; returns where temporary files go."""
    for name, value in {"SAMPLE_ROWS": 3_000, "BATCH_ROWS": 700, "CSV_BYTES": 10_000}.items():
        monkeypatch.setattr(large, name, value)
    monkeypatch.setattr(csv, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(schedules, "WINDOW_ROWS", 4 * RUN_ROWS)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return mixed_table(ROWS)


@pytest.fixture
def folder(whole: pd.DataFrame, tmp_path: Path) -> Path:
    """The table in three files."""
    (tmp_path / "parts").mkdir()
    for place in range(3):
        whole.iloc[place * 3_000 : (place + 1) * 3_000].to_parquet(
            tmp_path / "parts" / f"{place}.parquet", row_group_size=1_000
        )
    return tmp_path / "parts"


def small(**parameters: object) -> sv.Synthesizer:
    return sv.Synthesizer(**{"epochs": 1, "latent_dim": 2, "random_state": 0} | parameters)  # type: ignore[arg-type]


# --- reading ----------------------------------------------------------------------------------------------------------


def ways(folder: Path) -> dict[str, object]:
    dataset = pds.dataset(folder)
    return {
        "folder": folder,
        "files": [str(path) for path in sorted(folder.iterdir())],
        "dataset": dataset,
        "reader": dataset.scanner().to_reader(),
    }


@pytest.mark.parametrize("way", ["folder", "files", "dataset", "reader"])
def test_all_rows_come_in_order_and_as_often_as_wanted(way: str, folder: Path, whole: pd.DataFrame) -> None:
    with opened(ways(folder)[way]) as table:
        assert isinstance(table, LargeTable)
        assert table.rows == ROWS
        for names in (None, ["income", "id"], ["age"]):
            parts = list(table.batches(names))
            assert [first for first, _ in parts] == list(np.cumsum([0, *(part.num_rows for _, part in parts)])[:-1])
            assert max(part.num_rows for _, part in parts) <= large.BATCH_ROWS
            together = pa.concat_tables([part for _, part in parts]).replace_schema_metadata().to_pandas()
            expected = tables.read(whole)[0].select(names or list(whole)).to_pandas()
            pd.testing.assert_frame_equal(together, expected, check_categorical=False)


def test_small_tables_and_tables_in_memory_are_left_as_they_are(folder: Path, whole: pd.DataFrame) -> None:
    first = folder / "0.parquet"
    for small_one in (first, str(first), whole, pa.table({"a": [1]}), folder / "missing.parquet"):
        with opened(small_one) as table:
            assert table is small_one
    few = pa.table({"a": [1, 2]})
    with opened(few.to_reader()) as table:
        assert isinstance(table, pa.Table)
        assert table.equals(few)


def test_what_a_reader_brought_is_not_left_on_the_disk(folder: Path, small_memory: Path) -> None:
    with opened(ways(folder)["reader"]):
        assert list(small_memory.iterdir())
    assert not list(small_memory.glob("synthvae-*"))


def test_a_sample_is_uniform_repeatable_and_knows_the_nulls_of_all(folder: Path, whole: pd.DataFrame) -> None:
    with opened(folder) as table:
        assert isinstance(table, LargeTable)
        found, again, other = scan(table, 0), scan(table, 0), scan(table, 1)
    assert found.sample.equals(again.sample)
    assert not found.sample.equals(other.sample)
    rows = [int(name[2:]) for name in found.sample["id"].to_pylist()]
    assert rows == sorted(set(rows))
    assert abs(len(rows) - 3_000) < 5 * 3_000**0.5
    assert abs(np.mean(rows) - ROWS / 2) < 5 * ROWS / 12**0.5 / 3_000**0.5
    assert found.nulls == whole.isna().sum().to_dict()


def test_everything_forbidden_is_listed_by_its_row_in_the_whole(tmp_path: Path) -> None:
    values = np.zeros(ROWS)
    values[[5_000, 8_000]] = np.inf
    pq.write_table(pa.table({"a": values, "b": [{"x": 1}] * ROWS}), tmp_path / "t.parquet")
    with pytest.raises(TableError) as caught:
        small().fit(tmp_path / "t.parquet")
    assert "'a' holds infinite values (2, first at row 5000)" in str(caught.value)
    assert "'b' is of type struct" in str(caught.value)


def test_types_of_a_large_csv_file_are_those_of_a_small_one(
    whole: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = whole.assign(
        code=[f"{i:04d}" if i > 8_000 else str(i) for i in range(ROWS)],  # text by its last rows
        late=[2.5 if i == 8_500 else i for i in range(ROWS)],
        empty=["" if i % 3 else 'a "quoted"\nword, or two' for i in range(ROWS)],
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    with opened(tmp_path / "t.csv") as table:
        assert isinstance(table, LargeTable)
        assert table.rows == ROWS
        streamed = pa.concat_tables([part for _, part in table.batches()])
    expected = tables.read(tmp_path / "t.csv")[0]
    assert streamed.combine_chunks().equals(expected.combine_chunks())


# --- schemas ----------------------------------------------------------------------------------------------------------


def test_the_schema_is_that_of_the_table_in_memory(folder: Path) -> None:
    found, expected = sv.infer_schema(folder), sv.infer_schema(tables.read(folder)[0])
    assert [(c.name, c.kind, c.arrow, c.nullable) for c in found] == [
        (c.name, c.kind, c.arrow, c.nullable) for c in expected
    ]
    assert [rule.says for rule in found.constraints] == [rule.says for rule in expected.constraints]


def test_what_only_the_whole_knows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    low = rng.integers(0, 100, ROWS)
    frame = pd.DataFrame(
        {"low": low, "high": low + rng.integers(1, 50, ROWS), "zip": rng.integers(0, 6, ROWS), "rare": "often"}
    )
    frame["city"] = frame.zip.map(dict(enumerate("ABCABC")))
    with opened(_written(frame, tmp_path / "good.parquet")) as table:
        assert isinstance(table, LargeTable)
        sampled = pd.Series(scan(table, 0).sample["low"]).to_numpy()
    assert sv.infer_schema(tmp_path / "good.parquet").constraints
    drawn = np.random.default_rng([0, 5]).random(ROWS) < 3_000 / ROWS
    assert len(sampled) == drawn.sum()
    place = int(np.flatnonzero(~drawn)[-1])  # a row that no sample of seed 0 holds
    frame.loc[place, ["high", "city", "rare"]] = [-5, "Z", None]
    schema = sv.infer_schema(_written(frame, tmp_path / "bad.parquet"))
    assert schema["rare"].nullable
    assert not [rule for rule in (*schema.constraints, *schema.proposals) if {"high", "city"} & set(rule.names)]


def _written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path, row_group_size=1_000)
    return path


def test_a_schema_is_held_to_by_all_rows(folder: Path, whole: pd.DataFrame, small_memory: Path) -> None:
    schema = sv.infer_schema(whole, exact=True).with_column("age", lower=20, upper=70, open_share=None)
    schema = schema.with_column("job", levels=("smith", "baker"))
    with pytest.raises(SchemaError) as caught:
        small(schema=schema).fit(folder)
    with pytest.raises(SchemaError) as expected:
        schema.check(whole)
    assert sorted(caught.value.problems) == sorted(expected.value.problems)
    assert len(caught.value.problems) >= 3
    assert not list(small_memory.iterdir())


# --- fits -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_fit_of_a_folder_is_a_fit_of_the_table(folder: Path, whole: pd.DataFrame, small_memory: Path) -> None:
    model = small(epochs=2).fit(folder)
    made = model.sample(2_000, random_state=1)
    assert not list(small_memory.glob("synthvae-*"))
    assert made.dtypes.equals(tables.restore(*tables.read(folder)).dtypes)  # type: ignore[attr-defined]
    assert model.card_["rows"] == ROWS
    assert model.card_["steps"] * 64 <= 2.5 * ROWS
    assert abs(made.age.mean() - whole.age.mean()) < 3
    assert abs(made.bonus.isna().mean() - whole.bonus.isna().mean()) < 0.05
    pd.testing.assert_series_equal(
        made.job.value_counts(normalize=True, sort=False), whole.job.value_counts(normalize=True, sort=False), atol=0.05
    )


@pytest.mark.slow
def test_values_that_the_sample_has_not_are_encoded(tmp_path: Path, small_memory: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=ROWS),
            "level": rng.choice(["a", "b"], ROWS),
            "sometimes": pd.array([None] * ROWS, "Float64"),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, ROWS), "D"),
            "code": [f"{i:05d}" for i in rng.integers(0, 50_000, ROWS)],
        }
    )
    drawn = np.random.default_rng([0, 5]).random(ROWS) < 3_000 / ROWS
    places = np.flatnonzero(~drawn)[:8]
    frame.loc[places, "number"] = 1e9
    frame.loc[places, "level"] = "never seen"
    frame.loc[places, "sometimes"] = 4.5
    frame.loc[places, "day"] = pd.Timestamp("1900-01-01")
    frame.loc[places, "code"] = "no code"
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=1_000)
    made = small().fit(tmp_path / "t.parquet").sample(500, random_state=0)
    assert not made.level.isin(["never seen"]).any()
    assert list(made.columns) == list(frame.columns)
    assert not list(small_memory.glob("synthvae-*"))


@pytest.mark.slow
def test_a_group_lies_on_one_side(tmp_path: Path) -> None:
    frame = mixed_table(ROWS).assign(owner=np.arange(ROWS) // 6)
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=1_000)
    schema = sv.infer_schema(frame, group="owner")
    assert small(schema=schema).fit(tmp_path / "t.parquet").card_["rows"] == ROWS


@pytest.mark.slow
def test_nothing_is_left_after_an_error(folder: Path, small_memory: Path) -> None:
    def strike(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        small().fit(folder, progress=strike)
    assert not list(small_memory.glob("synthvae-*"))


def test_weights_are_for_tables_in_memory(folder: Path) -> None:
    with pytest.raises(ParameterError, match="9,000 rows"):
        small().fit(folder, sample_weight=np.ones(ROWS))


# --- windows ----------------------------------------------------------------------------------------------------------


def test_windows_show_every_run_once_before_any_twice(tmp_path: Path) -> None:
    rows = 20 * RUN_ROWS + 17
    tokens = np.arange(rows * 2, dtype="uint32").reshape(rows, 2)
    tokens.tofile(tmp_path / "tokens")
    window = Windows.of_rows(rows, 5 * RUN_ROWS + 5)
    feed = Windows(tmp_path / "tokens", rows, tokens.dtype, [np.zeros(1)] * 2, window, seed=0)
    seen = [feed.tokens(epoch) for epoch in range(8)]
    assert {len(part) for part in seen} == {window} == {5 * RUN_ROWS}
    np.testing.assert_array_equal(seen[4], feed.tokens(4))
    runs = np.concatenate([part[::RUN_ROWS, 0] // (2 * RUN_ROWS) for part in seen])
    assert sorted(runs[:20]) == sorted(runs[20:40]) == list(range(20))
    assert list(runs[:20]) != list(runs[20:40])
    for part in seen:
        np.testing.assert_array_equal(part[:, 1], part[:, 0] + 1)
        np.testing.assert_array_equal(np.diff(part[:RUN_ROWS, 0]), 2)


def test_visits_of_a_large_table_are_bounded() -> None:
    plan = schedules.windowed(10**11, 1 << 20, None, None, 20)
    assert plan.total_steps * plan.batch_size <= 1.01 * schedules.MOST_VISITS
    twice = schedules.windowed(10**7, 1 << 20, 2, None, 20)
    assert abs(twice.epochs * twice.rows / 2e7 - 1) < 0.05
