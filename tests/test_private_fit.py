"""A fit under a budget, end to end: what it leaves behind, and that one person leaves no trace in it."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import synthvae as sv
from synthvae import tables
from synthvae.cli import app
from synthvae.errors import ParameterError, SchemaError
from synthvae.privacy.accountant import Steps, total_epsilon
from synthvae.private_fitting import bought

ROWS = 2500
BUDGET = sv.Budget(epsilon=4.0, delta=1e-5)
SEEDED = sv.Budget(epsilon=4.0, delta=1e-5, testing=True)
AMOUNT, LEVEL, NOTE, DAY = 987654321.12, "Ruritanian", "met the king of Zenda", pd.Timestamp("1873-05-19")
WORDS = ("Ruritanian", "Zenda", "98765432", "9.8765", "1873-05")


def table() -> pd.DataFrame:
    """Row 7 is somebody: its cells are like nobody else's."""
    rng = np.random.default_rng(3)
    rich = rng.random(ROWS) < 0.4
    made = pd.DataFrame(
        {
            "user_id": [f"A-{i:05d}" for i in range(ROWS)],
            "amount": np.where(rich, rng.normal(300, 20, ROWS), rng.normal(90, 9, ROWS)).round(2),
            "nation": np.where(rich, "Bernese", rng.choice(["Ulmer", "Tyrolean"], ROWS)),
            "note": [f"call number {i}" for i in range(ROWS)],
            "since": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, ROWS), "D"),
            "age": rng.integers(18, 80, ROWS),
            "member": rich,
        }
    )
    made.loc[rng.random(ROWS) < 0.2, "amount"] = np.nan
    made.loc[7, ["user_id", "amount", "nation", "note", "since"]] = ["Zenda-1", AMOUNT, LEVEL, NOTE, DAY]
    return made


@dataclass(frozen=True)
class Traces:
    model: sv.Synthesizer
    said: str
    documents: dict[str, str]
    arrays: dict[str, np.ndarray[Any, Any]]
    inspected: str
    sample: pd.DataFrame
    path: Path


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    path = tmp_path_factory.mktemp("private") / "m.synthvae"
    handler = Heard()
    logging.getLogger().addHandler(handler)
    model = sv.Synthesizer(budget=SEEDED, epochs=12, random_state=0).fit(table())
    logging.getLogger().removeHandler(handler)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        documents = {n: archive.read(n).decode() for n in names if n.endswith(".json")}
        arrays = {n: np.load(io.BytesIO(archive.read(n))) for n in names if n.endswith(".npy")}
    inspected = CliRunner().invoke(app, ["inspect", str(path)]).output
    inspected += CliRunner().invoke(app, ["inspect", str(path), "--json"]).output
    sample = model.sample(3000, random_state=0)
    return Traces(model, "\n".join(handler.lines), documents, arrays, inspected, sample, path)


def test_one_person_leaves_no_trace(traces: Traces) -> None:
    texts = [traces.said, traces.inspected, *traces.documents.values(), traces.sample.to_csv()]
    assert [word for word in WORDS for text in texts if word in text] == []
    numbers = np.concatenate([array.ravel().astype(float) for array in traces.arrays.values()])
    assert np.abs(numbers).max() < AMOUNT / 10
    assert traces.sample["amount"].max() < 1e4
    assert traces.sample["since"].min() > pd.Timestamp("1960-01-01")


def test_the_table_is_still_worth_something(traces: Traces) -> None:
    real, fake = table(), traces.sample
    assert (fake.dtypes == real.dtypes).all()
    assert fake["amount"].isna().mean() == pytest.approx(0.2, abs=0.05)
    assert fake["age"].between(18, 79).mean() > 0.95
    assert fake["member"].mean() == pytest.approx(0.4, abs=0.06)
    assert (fake.loc[fake["member"], "nation"] == "Bernese").mean() > 0.75
    assert fake.loc[fake["member"], "amount"].median() == pytest.approx(300, abs=25)
    assert fake["user_id"].is_unique


def added_up(ledger: dict[str, Any], delta: float) -> float:
    """Epsilon of all payments together, reckoned anew."""
    lines = ledger["payments"]
    mu = sum(line["steps"] * (line["sensitivity"] / line["sigma"]) ** 2 for line in lines if line["rate"] == 1) ** 0.5
    steps = [Steps(x["rate"], x["sigma"] / x["sensitivity"], x["steps"]) for x in lines if x["rate"] < 1]
    return total_epsilon(mu, steps[0] if steps else None, delta)


def test_the_ledger_is_within_the_budget(traces: Traces) -> None:
    ledger = traces.model.card_["privacy"]
    again = added_up(ledger, ledger["spent_at_delta"])
    assert ledger["spent_at_delta"] + sum(line["delta"] for line in ledger["payments"]) < BUDGET.delta
    assert 0.9 * BUDGET.epsilon < again <= BUDGET.epsilon * (1 + 1e-5)
    assert again == pytest.approx(ledger["spent_epsilon"], rel=1e-3)
    paid = " ".join(line["what"] for line in ledger["payments"])
    for word in ("number of rows", "'nation'", "'amount'", "'since'", "'age'", "'member'", "'note'", "pairs"):
        assert word in paid


@pytest.mark.slow
def test_many_rows_times_epsilon_are_also_trained_on_and_that_is_paid_for() -> None:
    rng, rows = np.random.default_rng(5), 100_000
    rich = rng.random(rows) < 0.4
    people = pd.DataFrame({"rich": rich, "glad": np.where(rich, "yes", rng.choice(["yes", "no"], rows))})
    model = sv.Synthesizer(budget=sv.Budget(epsilon=101.0, delta=1e-6), epochs=1).fit(people)
    ledger = model.card_["privacy"]
    steps = [line for line in ledger["payments"] if line["rate"] < 1]
    assert [line["what"] for line in steps] == ["training: 150 steps on clipped gradients"]
    assert 90 < added_up(ledger, 1e-6) <= 101
    fake = model.sample(5000, random_state=0)
    assert (fake.glad[fake.rich] == "yes").mean() > 0.98
    assert (fake.glad[~fake.rich] == "yes").mean() == pytest.approx(0.5, abs=0.03)


def test_the_ledger_is_told_in_words(traces: Traces) -> None:
    said = CliRunner().invoke(app, ["inspect", str(traces.path)]).output
    assert "FOR TESTING" in said
    assert "Differential privacy: epsilon 4, delta 1e-05, add or remove one row" in said
    assert "Paid: number of rows: Gaussian noise" in said
    assert said.count("Paid: where the values of 'age' lie, each of 4 looks: Gaussian noise") == 1
    assert "Assumed: Column names" in said
    assert len(traces.model.history_) == 0


def test_the_budget_travels_with_the_model(traces: Traces, tmp_path: Path) -> None:
    opened = sv.load(traces.path)
    assert opened.budget == SEEDED
    opened.write(tmp_path / "fake.parquet", 10, random_state=1)
    assert pq.read_metadata(tmp_path / "fake.parquet").metadata[b"budget"].startswith(b"epsilon 4, delta 1e-05")
    with pytest.raises(ParameterError, match="without paying"):
        opened.finetune(table())


def test_without_a_budget_the_card_says_so(model: sv.Synthesizer) -> None:
    assert model.card_["privacy"]["promise"] is None
    assert "not differential privacy" in model.card_["privacy"]["protections"][0]


def test_what_a_budget_forbids_is_refused(tmp_path: Path) -> None:
    people = table().head(50)
    with pytest.raises(ParameterError, match="take the noise away"):
        sv.Synthesizer(budget=BUDGET, random_state=1).fit(people)
    for unpaid in ({"validation": people}, {"sample_weight": np.ones(50)}, {"checkpoint": tmp_path / "c.npz"}):
        with pytest.raises(ParameterError, match="without paying"):
            sv.Synthesizer(budget=BUDGET).fit(people, **unpaid)
    with pytest.raises(ParameterError, match=r"budget must be a synthvae\.Budget"):
        sv.Synthesizer(budget=3.0).fit(people)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="unit must name a column"):
        sv.Synthesizer(budget=sv.Budget(1, 1e-6, unit="nobody")).fit(people)


def test_a_schema_must_have_the_columns_and_no_rules() -> None:
    people = pd.DataFrame({"a": [1.0, 2.0] * 50, "b": [2.0, 3.0] * 50})
    schema = sv.infer_schema(people, rules=False)
    with pytest.raises(SchemaError, match="column 'b' is missing"):
        sv.Synthesizer(schema, budget=BUDGET).fit(people[["a"]])
    ruled = schema.with_constraints(sv.Inequality(("a", "b")))
    with pytest.raises(ParameterError, match="Rules between columns"):
        sv.Synthesizer(ruled, budget=BUDGET).fit(people)


def test_rows_that_do_not_fit_a_schema_are_not_told() -> None:
    people = pd.DataFrame({"word": ["5", "Zenda"] * 30})
    schema = sv.infer_schema(pd.DataFrame({"word": [1, 2] * 30}), rules=False)
    with pytest.raises(SchemaError, match="'word' is of type large_string, expected int64") as told:
        sv.Synthesizer(schema, budget=BUDGET).fit(people)
    assert "Zenda" not in str(told.value)


@pytest.mark.parametrize("flags", [["--epsilon", "1"], ["--delta", "1e-6"], ["--epsilon", "0", "--delta", "1e-6"]])
def test_half_a_budget_is_an_unusable_flag(flags: list[str], tmp_path: Path) -> None:
    table().head(20).to_parquet(tmp_path / "t.parquet")
    words = ["fit", str(tmp_path / "t.parquet"), "-o", str(tmp_path / "m.synthvae"), *flags]
    with pytest.raises(ParameterError):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_seed_is_an_unusable_flag(tmp_path: Path) -> None:
    table().head(20).to_parquet(tmp_path / "t.parquet")
    words = ["fit", str(tmp_path / "t.parquet"), "-o", str(tmp_path / "m"), "--epsilon", "1", "--delta", "1e-6"]
    with pytest.raises(ParameterError, match="--seed"):
        CliRunner().invoke(app, [*words, "--seed", "1"], catch_exceptions=False)


def test_the_order_of_levels_is_the_stated_one_or_their_own() -> None:
    codes = pd.Categorical(["mid"] * 300 + ["low"] * 300 + ["high"] * 300, ["low", "mid", "high"], ordered=True)
    people = pd.DataFrame({"stated": codes, "own": ["b"] * 500 + ["a"] * 400})
    rows, _, untyped = tables.read_discreetly(people)
    made = bought(rows, None, BUDGET, 0, untyped).made
    assert [column.levels for column in made.columns] == [("low", "mid", "high"), ("a", "b")]  # type: ignore[attr-defined]


def test_a_testing_budget_repeats_itself_and_says_what_it_is(eagerly: None) -> None:
    people = table().head(300)[["age", "nation"]]
    budget = sv.Budget(5.0, 1e-4, testing=True)
    models = [sv.Synthesizer(budget=budget, epochs=1, random_state=1).fit(people) for _ in range(2)]
    one, other = (json.dumps(m.card_["privacy"]) + str(m.schema_) for m in models)
    assert one == other
    assert models[0].sample(50, random_state=0).equals(models[1].sample(50, random_state=0))
    assert models[0].card_["privacy"]["testing"]


AWKWARD = {
    "no rows": pa.table({"x": pa.array([], pa.int64()), "y": pa.array([], pa.string())}),
    "one row": pa.table({"x": [3], "y": ["a"]}),
    "all null": pa.table({"x": pa.nulls(40), "y": pa.array([None] * 40, pa.float64())}),
    "infinite": pa.table({"x": [float("inf"), float("nan"), -1e300, 0.0, 5e-324] * 20}),
    "huge": pa.table({"x": pa.array([2**64 - 1, 0, 7] * 20, pa.uint64()), "y": [-(2**63), 2**63 - 1, 0] * 20}),
    "types": pa.table(
        {
            "d": pa.array([10**6, 20000, -5] * 20, pa.date32()),
            "t": pa.array([1, 2, 3] * 20, pa.time64("us")),
            "s": pa.array([10**18, 5, 0] * 20, pa.timestamp("ns", "UTC")),
            "p": pa.array([1, 2, None] * 20, pa.duration("s")),
            "c": pa.array(["b", "a", None] * 20).dictionary_encode(),
        }
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", AWKWARD)
def test_every_table_can_be_fitted_without_a_word_about_its_rows(name: str, eagerly: None) -> None:
    model = sv.Synthesizer(budget=sv.Budget(20.0, 1e-3), epochs=1).fit(AWKWARD[name])
    assert model.sample(20, random_state=0).schema.types == AWKWARD[name].schema.types
