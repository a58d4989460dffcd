"""How long to train and how fast: what follows from the size of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import keras
import numpy as np

from synthvae.networks.layout import Array

WARM_UP = 0.05  # share of all steps in which learning rate and KL weight rise
ANNEAL = (
    0.4  # share of a fit in which the learning rate falls to nothing; it begins sooner if nothing is gained any more
)
PEAK_RATE = 2e-3  # for batches of 512 rows; grows with the square root of the batch
VISITS = 1_700_000  # rows seen, but for effort, in a fit of a table of 30,000 rows and 16 blocks
REFERENCE_ROWS, REFERENCE_BLOCKS = 30_000, 16
MOST_FOR_BLOCKS = 1.75  # times as many visits for a table of many blocks
FEWEST_STEPS, FEW_BLOCKS = 2_000, 24  # of a table of few rows and no more blocks than these
MOST_FOR_FEW_ROWS = 4.0  # times as many steps for a table of few rows and many blocks
# Of a fit that goes on from fitted weights: share of the epochs and of the learning rate of a first fit.
CONTINUED_EPOCHS, CONTINUED_RATE = 0.25, 0.3
MAX_EPOCHS = 300
# Of a table that does not fit in memory: an epoch is a window of so many rows (and bytes of tokens) ...
WINDOW_ROWS, WINDOW_BYTES = 1 << 20, 256 << 20
MOST_VISITS = 200_000_000  # ... and rows seen are no more than these, what a thousand million rows ask for


@dataclass(frozen=True)
class Plan:
    """A fit as decided beforehand: ``epochs`` passes in batches of ``batch_size`` rows, ``steps`` batches a pass.

    continued: the weights have been fitted before.
    """

    rows: int
    epochs: int
    batch_size: int
    continued: bool = False

    @property
    def steps(self) -> int:
        return max(1, self.rows // self.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps * self.epochs

    @property
    def anneal_from(self) -> int:
        """The epoch in which the learning rate begins to fall if the held-out loss improves until then."""
        return self.epochs - round(ANNEAL * self.epochs)

    def end(self, anneal_from: int) -> int:
        """The number of epochs of a fit that begins to anneal with epoch ``anneal_from``."""
        if anneal_from >= self.anneal_from:
            return self.epochs
        return anneal_from + max(1, round(anneal_from * ANNEAL / (1 - ANNEAL)))


def plan(
    rows: int,
    epochs: int | None = None,
    batch_size: int | None = None,
    blocks: int = REFERENCE_BLOCKS,
    times: float = 1.0,
) -> Plan:
    """Epochs and batch size for a table of so many training rows.

    Up to the reference size a row more bears more passes before the fit turns to memory; beyond it, visits grow with
    rows ** 0.4 only. More blocks are more conditionals to learn: visits grow with blocks ** 0.75. A small table
    still gets its FEWEST_STEPS, a small and wide one more (3,500 rows of 90 columns: boosted detection .18 with 2,000
    steps, .71 with 5,900); held-out rows may end a fit sooner. times: as many visits as that.
    """
    batch = _batch(rows, batch_size)
    visits = times * _visits(rows, batch, blocks)
    return Plan(rows, epochs or int(np.clip(round(visits / rows), 2, MAX_EPOCHS)), batch)


def windowed(
    rows: int, window: int, epochs: int | None, batch_size: int | None, blocks: int, times: float = 1.0
) -> Plan:
    """The plan for a table of so many rows of which an epoch sees a window.

    epochs: of the user, passes over the whole table. times: as many visits as by default.
    """
    batch = _batch(window, batch_size)
    visits = epochs * rows if epochs else min(times * _visits(rows, batch, blocks), MOST_VISITS)
    return Plan(window, max(1 if epochs else 2, round(visits / window)), batch)


def _batch(rows: int, batch_size: int | None) -> int:
    return min(batch_size or int(np.clip(2 ** round(np.log2(max(rows, 1) / 40)), 32, 512)), rows)


def _visits(rows: int, batch: int, blocks: int) -> float:
    """Rows seen in a fit."""
    size = max(rows, 1) / REFERENCE_ROWS
    wide = min(max(blocks / REFERENCE_BLOCKS, 1.0) ** 0.75, MOST_FOR_BLOCKS)
    fewest = FEWEST_STEPS * min(max(blocks / FEW_BLOCKS, 1.0), MOST_FOR_FEW_ROWS)
    return float(max(VISITS * wide * size ** (1.75 if size < 1 else 0.4), fewest * batch))


def continued(plan: Plan, epochs: int | None) -> Plan:
    """The plan of a fit that goes on from fitted weights: fewer epochs unless told, at a lower rate."""
    return replace(plan, epochs=epochs or max(2, round(CONTINUED_EPOCHS * plan.epochs)), continued=True)


def optimizer(plan: Plan) -> keras.optimizers.Optimizer:
    """AdamW with clipping and a moving average of the weights; its learning rate is set step by step."""
    return keras.optimizers.AdamW(
        PEAK_RATE,
        weight_decay=1e-4,
        beta_2=0.99,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=min(0.998, 1.0 - 10.0 / max(plan.total_steps, 20)),
    )


def rates(plan: Plan, epoch: int, anneal_from: int) -> Array:
    """Learning rate of each step of an epoch: up in the warm-up, flat, then linearly down. (steps,) float32"""
    peak = PEAK_RATE * (plan.batch_size / 512) ** 0.5 * (CONTINUED_RATE if plan.continued else 1.0)
    steps = epoch * plan.steps + np.arange(plan.steps)
    end = plan.end(anneal_from)
    left = (end * plan.steps - steps) / (max(1, end - anneal_from) * plan.steps)
    return (peak * np.minimum(_warm(plan, steps), np.clip(left, 0.0, 1.0))).astype("float32")


def kl_weights(plan: Plan, epoch: int) -> Array:
    """Weight of the KL term for each step of an epoch: rises linearly to 1 in the warm-up of a first fit. (steps,)
    float32"""
    if plan.continued:
        return np.ones(plan.steps, "float32")
    return _warm(plan, epoch * plan.steps + np.arange(plan.steps)).astype("float32")


def _warm(plan: Plan, steps: Array) -> Array:
    return np.minimum(1.0, (steps + 1) / max(1.0, WARM_UP * plan.total_steps))
