"""The training loop: it learns, it stops, it keeps the best weights, it resumes where it was killed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthvae.backend import arrays
from synthvae.errors import TrainingError
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.training import schedules
from synthvae.training.effort import EFFORTS, effort
from synthvae.training.estimate import estimate, token_type
from synthvae.training.feed import Whole
from synthvae.training.split import split
from synthvae.training.trainer import Outcome, Progress, Trainer, start_frequencies
from tests.test_networks import layout

CONFIG = NetworkConfig(latent_dim=2, encoder_width=16, decoder_width=16, decoder_depth=1, free_nats=0.5)


def tokens(rows: int = 400) -> np.ndarray:
    """Three blocks that say the same: the best loss is the entropy of one of them, log 3."""
    first = np.random.default_rng(0).integers(0, 3, rows)
    return np.stack([first, first, first], axis=1).astype("uint8")


def fit(epochs: int = 6, path: Path | None = None, report: object = None, seed: int = 0) -> tuple[VAE, Outcome]:
    vae = VAE(layout(), CONFIG, np.random.default_rng(0))
    trainer = Trainer(vae, schedules.plan(360, epochs, 32), seed, path)
    return vae, trainer.fit(tokens()[:360], tokens()[360:], report)  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_learns_what_there_is_to_learn() -> None:
    _, outcome = fit(60)
    assert outcome.history.losses[0] > 2.5
    assert outcome.history.losses[-1] < np.log(3) + 1.0


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights() -> None:
    (a, _), (b, _), (c, _) = fit(), fit(), fit(seed=1)
    for x, y in zip(arrays(a.trainable_variables), arrays(b.trainable_variables), strict=True):
        np.testing.assert_array_equal(x, y)
    both = zip(arrays(a.trainable_variables), arrays(c.trainable_variables), strict=True)
    assert any((x != y).any() for x, y in both)


def test_the_best_weights_are_kept() -> None:
    _, outcome = fit(10)
    assert outcome.best == outcome.history.epoch[int(np.argmin(outcome.history.losses))]


def test_a_killed_fit_resumes_to_the_same_end(tmp_path: Path) -> None:
    whole, _ = fit(6)

    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.epoch == 3:
            raise KilledError

    with pytest.raises(KilledError):
        fit(6, tmp_path / "c.npz", kill)
    resumed, outcome = fit(6, tmp_path / "c.npz")
    assert outcome.history.epoch == list(range(6))
    for x, y in zip(arrays(whole.trainable_variables), arrays(resumed.trainable_variables), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.usefixtures("eagerly")
def test_a_checkpoint_of_another_fit_is_refused(tmp_path: Path) -> None:
    fit(2, tmp_path / "c.npz")
    with pytest.raises(TrainingError, match="another fit"):
        fit(2, tmp_path / "c.npz", seed=5)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.npz").write_bytes(b"PK nonsense")
    with pytest.raises(TrainingError, match="no checkpoint"):
        fit(2, tmp_path / "c.npz")


def test_an_interrupt_keeps_the_best_weights_so_far() -> None:
    def interrupt(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    _, outcome = fit(6, report=interrupt)
    assert outcome.ended == "interrupted"
    assert outcome.history.epoch == [0, 1]


def test_an_interrupt_before_anything_is_learned_goes_through() -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(6, report=interrupt)


def test_it_stops_when_nothing_is_gained() -> None:
    rng = np.random.default_rng(0)
    noise = np.stack([rng.integers(0, v, 60) for v in layout().sizes], axis=1).astype("uint8")
    vae = VAE(layout(), NetworkConfig(2, 64, 64, 2, dropout=0.0), np.random.default_rng(0))
    outcome = Trainer(vae, schedules.plan(30, 200, 10), 0).fit(noise[:30], noise[30:])
    assert outcome.ended == "held-out loss stopped improving"
    assert outcome.history.epoch[-1] < 199


def test_the_head_starts_at_the_log_frequencies() -> None:
    vae = VAE(layout(), CONFIG, np.random.default_rng(0))
    start_frequencies(
        vae, Whole(np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]], "uint8")).margins(vae.layout.sizes, None)
    )
    bias = arrays([vae.decoder.trunks[0].head.bias])[0][:3]
    np.testing.assert_allclose(bias, np.log([3.5, 1.5, 0.5]) - np.log(3.5), rtol=1e-6)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    plan = schedules.plan(1000, 100, 100)
    whole = np.concatenate([schedules.rates(plan, epoch, plan.anneal_from) for epoch in range(100)])
    assert whole.argmax() == pytest.approx(50, abs=2)  # the warm-up is a twentieth of 1000 steps
    assert (whole[60:590] == whole.max()).all()
    assert whole[-1] < 0.01 * whole.max()
    sooner = schedules.rates(plan, 31, 30)
    assert sooner[0] < whole.max()
    assert plan.end(30) == 50
    assert np.isfinite(schedules.rates(schedules.plan(100, 1, 100), 0, 1)).all()


@pytest.mark.parametrize("rows", [9, 50, 1_000, 30_000, 1_000_000, 50_000_000])
def test_a_plan_suits_the_table(rows: int) -> None:
    plan = schedules.plan(rows)
    assert 1 <= plan.batch_size <= min(rows, 512)
    assert 2 <= plan.epochs <= schedules.MAX_EPOCHS
    weights = schedules.kl_weights(plan, plan.epochs - 1)
    assert weights.shape == (plan.steps,)
    assert weights[-1] == 1.0


def test_a_small_table_of_many_blocks_is_learned_longer() -> None:
    narrow, wide, widest = (schedules.plan(3000, blocks=blocks).total_steps for blocks in (24, 72, 10_000))
    assert narrow == pytest.approx(2000, rel=0.03)
    assert wide == pytest.approx(6000, rel=0.03)
    assert widest == pytest.approx(8000, rel=0.03)


def test_more_effort_is_a_longer_fit_of_wider_networks() -> None:
    plans = [schedules.plan(30_000, times=effort(name).visits) for name in ("fast", "default", "high")]
    assert [plan.epochs for plan in plans] == [18, 91, 142]
    widths = [NetworkConfig.suited(30_000, 16, 16, effort(name).width).decoder_width for name in EFFORTS]
    assert widths == [288, 288, 480]


def test_an_estimate_grows_with_the_table() -> None:
    vae = VAE(layout(), CONFIG, np.random.default_rng(0))
    small, large = (estimate(vae, schedules.plan(rows, 10, 32)) for rows in (1_000, 100_000))
    assert large.seconds > 10 * small.seconds
    assert large.bytes > small.bytes
    assert token_type(layout()) == np.uint8


@pytest.mark.parametrize(("rows", "held"), [(10, 1), (50, 5), (1_000, 100), (10_000, 500), (200_000, 4096)])
def test_the_split(rows: int, held: int) -> None:
    learn, judge = split(pa.table({"i": range(rows)}), None, 0)
    assert judge.num_rows == held
    assert sorted(learn["i"].to_pylist() + judge["i"].to_pylist()) == list(range(rows))


def test_groups_are_not_torn_apart() -> None:
    table = pa.table({"who": [f"p{i // 7}" for i in range(700)], "i": range(700)})
    learn, judge = split(table, "who", 0)
    assert judge.num_rows
    assert not set(learn["who"].to_pylist()) & set(judge["who"].to_pylist())
