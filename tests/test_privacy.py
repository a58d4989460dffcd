"""The promise: what mechanisms cost, that every look is paid for, that noise is there and as large as paid for."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.stats

import synthvae as sv
from synthvae.errors import BudgetError, ParameterError
from synthvae.privacy.accountant import Steps, gaussian_delta, gaussian_epsilon, gaussian_mu, step_noise, total_epsilon
from synthvae.privacy.ledger import Ledger, Spend
from synthvae.privacy.mechanisms import Noise, stable_threshold
from synthvae.privacy.private_table import Coding, PrivateTable, unsaid

ROOT = Path(__file__).parent.parent / "synthvae"
WIDE = sv.Budget(epsilon=50.0, delta=1e-3)


def asked(table: pa.Table, budget: sv.Budget = WIDE, seed: int = 0) -> PrivateTable:
    return PrivateTable(table, Ledger(budget), Noise(seed))


def parity() -> Coding:
    return Coding(2, lambda rows: rows["x"].to_numpy() % 2)


def numbers(n: int) -> pa.Table:
    return pa.table({"x": np.arange(n)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0.0},
        {"epsilon": float("nan")},
        {"epsilon": True},
        {"delta": 0.0},
        {"delta": 0.5},
        {"delta": 1e-15},
        {"unit": 3},
        {"rows_per_unit": 0},
        {"rows_per_unit": 1.5},
        {"testing": 1},
    ],
    ids=str,
)
def test_a_budget_is_numbers_that_mean_something(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"{next(iter(wrong))}.*must be"):
        sv.Budget(**{"epsilon": 1.0, "delta": 1e-6} | wrong)  # type: ignore[arg-type]


def test_a_budget_says_who_is_protected() -> None:
    assert sv.Budget(1, 1e-6).says == "epsilon 1, delta 1e-06, add or remove one row"
    assert sv.Budget(1, 1e-6, testing=True).says.endswith("; FOR TESTING, protects nobody")
    subjects = [sv.Budget(1, 1e-6, unit, rows).subject for unit, rows in ((None, 1), (None, 3), ("who", 3))]
    assert subjects == ["a row", "a set of 3 rows", "a 'who'"]
    assert sv.Budget(1, 1e-6).neighbours == "add or remove one row"
    assert sv.Budget(1, 1e-6, "who", 5).neighbours == "add or remove one 'who' with up to 5 rows"


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0])
def test_gaussian_noise_costs_what_the_formula_says(epsilon: float) -> None:
    mu = gaussian_mu(epsilon, 1e-6)
    assert gaussian_delta(mu, epsilon) == pytest.approx(1e-6, rel=1e-6)
    assert gaussian_epsilon(mu, 1e-6) == pytest.approx(epsilon, rel=1e-6)


def test_gaussian_noise_costs_what_its_privacy_loss_says() -> None:
    """The loss of N(0, 1) against N(mu, 1) is normal, so delta is an expectation that can be integrated."""
    mu, epsilon = 0.7, 1.0
    loss = np.linspace(mu**2 / 2 - 12 * mu, mu**2 / 2 + 12 * mu, 400_001)
    density = np.exp(-((loss - mu**2 / 2) ** 2) / (2 * mu**2)) / (mu * math.sqrt(2 * math.pi))
    delta = np.trapezoid(density * np.maximum(1 - np.exp(epsilon - loss), 0), loss)
    assert gaussian_delta(mu, epsilon) == pytest.approx(delta, rel=1e-5)


def test_sampled_steps_add_up_as_the_library_says() -> None:
    """All rows in every step is no sampling, and a Gaussian mechanism of sqrt(steps) / noise."""
    assert total_epsilon(0.0, Steps(1.0, 20.0, 16), 1e-5) == pytest.approx(gaussian_epsilon(4 / 20, 1e-5), rel=1e-3)
    sampled = total_epsilon(0.0, Steps(0.1, 20.0, 16), 1e-5)
    assert sampled < 0.3 * gaussian_epsilon(4 / 20, 1e-5)
    assert total_epsilon(0.1, Steps(0.1, 20.0, 16), 1e-5) > max(sampled, gaussian_epsilon(0.1, 1e-5))


@pytest.mark.slow
def test_several_rows_of_a_unit_cost_more() -> None:
    one, three = (total_epsilon(0.0, Steps(0.05, 3.0, 50, rows), 1e-5) for rows in (1, 3))
    assert 1.5 * one < three


def test_the_noise_of_steps_is_the_least_that_keeps_the_budget() -> None:
    noise = step_noise(0.3, Steps(0.1, 1.0, 40), 2.0, 1e-5)
    assert total_epsilon(0.3, Steps(0.1, noise, 40), 1e-5) <= 2.0
    assert total_epsilon(0.3, Steps(0.1, 0.97 * noise, 40), 1e-5) > 2.0


def test_a_ledger_refuses_what_the_budget_does_not_cover() -> None:
    ledger = Ledger(sv.Budget(1.0, 1e-6))
    half = math.sqrt(2) / gaussian_mu(1.0, 1e-6)
    ledger.pay(Spend("one", 1.0, half))
    ledger.pay(Spend("two", 1.0, half))
    assert ledger.epsilon == pytest.approx(1.0, rel=1e-4)
    with pytest.raises(BudgetError, match="does not cover 'three' after 2 payments"):
        ledger.pay(Spend("three", 1.0, 1000 * half))
    assert [spend.what for spend in ledger] == ["one", "two"]


def test_a_ledger_refuses_more_delta_than_there_is() -> None:
    ledger = Ledger(sv.Budget(1.0, 1e-6))
    with pytest.raises(BudgetError, match="does not cover"):
        ledger.pay(Spend("levels", 1.0, 1e6, delta=2e-6))


LOOKS: dict[str, tuple[float, Callable[[PrivateTable, Spend], object]]] = {
    "size": (1.0, lambda table, spend: table.size(spend)),
    "histogram": (1.0, lambda table, spend: table.histogram(parity(), spend)),
    "histograms": (2**0.5, lambda table, spend: table.histograms([parity()] * 2, spend)),
    "levels": (1.0, lambda table, spend: table.levels("x", spend)),
    "margins": (1.0, lambda table, spend: table.margins([(parity(), parity())], spend)),
    "distances": (1.0, lambda table, spend: table.distances([(parity(), parity())], [np.ones((2, 2))], spend)),
    "noisy_sums": (1.0, lambda table, spend: list(table.noisy_sums(encoded, summed, spend))),
}


def encoded(rows: pa.Table) -> np.ndarray:
    return np.asarray(rows["x"].to_numpy())[:, None]


def summed(tokens: np.ndarray) -> list[np.ndarray]:
    return [np.array([float(len(tokens))], np.float32)]


def payment(look: str, sensitivity: float, delta: float = 1e-9) -> Spend:
    return Spend(look, sensitivity, 2.0, delta=delta, rate=0.5 if look == "noisy_sums" else 1.0)


def test_every_way_to_the_rows_is_a_mechanism_that_takes_a_payment() -> None:
    methods = {name for name in vars(PrivateTable) if not name.startswith("_")}
    # in_order: of levels that are known already; recast: the rows stay where they are
    assert methods == {*LOOKS, "in_order", "recast"}


@pytest.mark.parametrize("look", LOOKS)
def test_no_look_without_paying(look: str) -> None:
    _, ask = LOOKS[look]
    poor = asked(numbers(10), sv.Budget(0.01, 1e-9))
    with pytest.raises(BudgetError, match="does not cover"):
        ask(poor, payment(look, 2.0, delta=1e-10))
    assert not list(poor.ledger)


@pytest.mark.parametrize("look", [look for look in LOOKS if look != "noisy_sums"])  # which cuts rows to what was paid
def test_no_look_that_is_paid_for_too_little(look: str) -> None:
    sensitivity, ask = LOOKS[look]
    table = asked(numbers(10), sv.Budget(50.0, 1e-3, rows_per_unit=2))
    with pytest.raises(BudgetError, match="moves by up to"):
        ask(table, payment(look, 0.9 * 2 * sensitivity))


@pytest.mark.parametrize("look", LOOKS)
def test_each_look_is_one_line_of_the_ledger(look: str) -> None:
    _, ask = LOOKS[look]
    table = asked(numbers(10))
    ask(table, payment(look, 2.0))
    assert [spend.what for spend in table.ledger] == [look]


def test_noise_has_the_size_that_was_paid_for() -> None:
    table = asked(pa.table({"x": np.zeros(500, np.int64)}), sv.Budget(900.0, 0.01))
    wide = Coding(4000, lambda rows: np.zeros(rows.num_rows, np.int64))
    off = table.histogram(wide, Spend("counts", 1.0, 7.0)) - np.append(500, np.zeros(3999))
    assert off.std() == pytest.approx(7.0, rel=0.1)
    assert (off == np.rint(off)).all()


@pytest.mark.parametrize("seed", [None, 3])
def test_noise_is_uniform_and_gaussian(seed: int | None) -> None:
    noise = Noise(seed)
    uniform, normal = noise.uniform(200_000), noise.gaussian(3.0, 400, 500)
    assert (uniform.min() > 0, uniform.max() < 1, normal.shape) == (True, True, (400, 500))
    assert scipy.stats.kstest(uniform, "uniform").pvalue > 1e-6
    assert scipy.stats.kstest(normal.ravel() / 3.0, "norm").pvalue > 1e-6


def test_noise_goes_as_far_as_a_normal_law_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all bits are nought the first time, further bits tell how far out."""
    noise, rounds = Noise(), iter([np.array([0.5**60, 1 - 0.5**53, 0.5]), np.array([0.5**25, 0.25]), np.array([0.75])])
    monkeypatch.setattr(noise, "uniform", lambda *shape: next(rounds).copy())
    far = scipy.stats.norm.ppf(0.75 * 0.5**40)
    np.testing.assert_allclose(noise.gaussian(2.0, 3), [2 * far, -2 * scipy.stats.norm.ppf(0.5**22), 0.0], atol=1e-12)


def test_tails_hold_what_they_should() -> None:
    noise = np.abs(Noise(5).gaussian(1.0, 4_000_000))
    for edge in (4.0, 4.5, 5.0):
        expected = 2 * scipy.stats.norm.sf(edge) * noise.size
        assert (noise > edge).sum() == pytest.approx(expected, abs=5 * expected**0.5)


def test_rounding_names_no_level_more_often_than_was_paid_for() -> None:
    """Levels of one row each, through the mechanism itself: as many are named as delta says, or fewer."""
    delta, levels = 0.004, 50_000
    alone = asked(pa.table({"x": [f"level {i}" for i in range(levels)]}), sv.Budget(900.0, 0.01))
    named, _ = alone.levels("x", Spend("levels", 1.0, 0.9, delta=delta))
    assert len(named) - 1 < levels * delta + 4 * (levels * delta) ** 0.5


def test_noise_is_fresh_for_every_table() -> None:
    def noisy() -> float:
        return PrivateTable(numbers(9), Ledger(WIDE), Noise()).size(Spend("rows", 1.0, 1000.0))

    assert len({noisy() for _ in range(5)}) > 1


def test_sampled_rows_are_as_many_as_was_paid_for() -> None:
    table = asked(numbers(4000))
    spend = Spend("steps", 1.0, 1.0, rate=0.1, steps=30)
    counts = [float(sums[0][0]) for sums in table.noisy_sums(encoded, summed, spend)]
    assert np.mean(counts) == pytest.approx(400, rel=0.05)
    assert 10 < np.std(counts) < 30  # binomial, sqrt(4000 * .1 * .9), with noise of 1


def test_levels_that_few_rows_share_are_not_named() -> None:
    table = asked(pa.table({"x": ["common"] * 900 + ["rare"] * 3 + [None] * 97}))
    levels, counts = table.levels("x", Spend("levels", 1.0, 4.0, delta=1e-6))
    assert levels == ["common", None]
    assert counts == pytest.approx([900, 97], abs=25)


def test_a_single_row_is_named_as_seldom_as_delta_says() -> None:
    threshold = stable_threshold(5.0, 0.01, 1)
    noise = Noise(0).gaussian(5.0, 100_000)
    assert (1 + noise > threshold).mean() == pytest.approx(0.01, abs=0.002)
    assert stable_threshold(5.0, 0.01, 3) > threshold + 2


def test_at_most_so_many_rows_of_a_unit_are_used() -> None:
    owners = ["a"] * 50 + ["b"] * 2 + [None] * 9 + ["c"]  # rows of nobody are not used
    budget = sv.Budget(900.0, 0.01, unit="who", rows_per_unit=3)
    table = asked(pa.table({"who": owners, "x": np.arange(62)}), budget)
    assert table.size(Spend("rows", 3.0, 0.1)) == 3 + 2 + 1


def test_units_that_a_cast_would_merge_stay_two() -> None:
    """ "7" and "07" are one number, but not one person: adding one moves no row of the other."""
    budget = sv.Budget(900.0, 0.01, unit="who", rows_per_unit=5)
    rows = pa.table({"who": ["7"] * 5 + ["07"] * 5, "x": [0] * 5 + [1] * 5})

    def cells(table: pa.Table) -> list[float]:
        cast = asked(table, budget).recast(lambda t: t.set_column(0, "who", t["who"].cast(pa.int64())))
        return cast.histogram(parity(), Spend("look", 5.0, 0.15)).tolist()

    assert cells(rows) == [5, 5]
    assert cells(rows.slice(0, 5)) == [5, 0]


def test_the_order_of_levels_says_nothing_of_the_order_of_rows() -> None:
    def named(numbers: list[float]) -> list[float]:
        rows = pa.table({"x": pa.array(numbers).dictionary_encode()})
        return asked(rows).in_order("x", numbers)

    assert str(named([0.0, -0.0, 2.0])) == str(named([2.0, -0.0, 0.0])) == "[-0.0, 0.0, 2.0]"


def test_one_row_moves_no_question_by_more_than_its_sensitivity() -> None:
    """Two tables that differ in one row, asked with hardly any noise."""
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 4, 60) for name in "xy"}
    with_, without = pa.table(columns), pa.table(columns).slice(1)
    codings = tuple(Coding(4, lambda rows, n=name: rows[n].to_numpy()) for name in "xy")
    expected = [rng.random((4, 4)) * 8]
    free = sv.Budget(1000.0, 0.09)

    def answers(table: pa.Table) -> list[np.ndarray]:
        spend = Spend("look", 1.0, 0.05)
        private = [asked(table, free) for _ in range(3)]
        return [
            private[0].histogram(codings[0], spend),
            private[1].margins([codings], spend)[0],
            private[2].distances([codings], expected, spend),
        ]

    for one, other in zip(answers(with_), answers(without), strict=True):
        assert np.linalg.norm(one - other) <= 1.0 + 1e-9


def test_a_failure_while_looking_tells_nothing() -> None:
    def quotes(rows: pa.Table) -> np.ndarray:
        raise ValueError(f"strange value {rows['x'][0]}")

    with pytest.raises(BudgetError) as told:
        asked(pa.table({"x": ["secret"]})).histogram(Coding(1, quotes), Spend("look", 1.0, 1.0))
    assert "secret" not in str(told.value)
    assert told.value.__context__ is None


def test_no_warning_while_looking_either() -> None:
    def loud() -> float:
        warnings.warn("row 2 holds secret", UserWarning, stacklevel=1)
        return float((np.float64(1e308) * np.array([10.0]))[0])

    assert unsaid(loud) == math.inf


def test_rows_under_a_budget_are_reached_in_one_file() -> None:
    """Nobody but ``private_table.py`` takes rows out of a PrivateTable, and one function puts them in."""
    reaching = [path.name for path in ROOT.rglob("*.py") if "_secret" in path.read_text()]
    assert reaching == ["private_table.py"]
    fitting = ast.parse((ROOT / "private_fitting.py").read_text())
    holding = [n.name for n in ast.walk(fitting) if isinstance(n, ast.FunctionDef) and "tables.read" in ast.unparse(n)]
    assert holding == ["fit"]
    assert not [path for path in (ROOT / "surrogate").glob("*.py") if "tables.read" in path.read_text()]
