"""The training loop's decisions: what to feed, when to evaluate, when to stop, which weights to keep."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from synthvae import backend
from synthvae.errors import TrainingError
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE
from synthvae.training import checkpoint, schedules
from synthvae.training.feed import Feed, Whole

RUN_STEPS = 64  # steps the device makes between two returns to Python: seconds on a CPU, noise of some 10 MB
EVALUATIONS = 60  # at most so many in a fit: each costs a forward pass over the held-out rows
TURN = 0.0075  # share by which the held-out loss has risen from its best when the learning rate begins to fall
TOLERANCE = 0.05  # share by which it may have risen where the weights are still kept: see ``_judge``
HELD_OUT_ROWS = 4096  # of the held-out rows judge at most
GATE = -2.0  # of a copy at first, beside the most frequent token's 0: no share of rows repeats before it is learned
ACTIVE_NATS = 0.02  # a latent dimension that carries less is idle


@dataclass(frozen=True)
class Progress:
    """Where a fit stands. Losses are nats per row; ``held_out`` is NaN before the first evaluation."""

    epoch: int
    epochs: int
    done: float  # share of all steps, 0..1
    loss: float
    held_out: float
    seconds: float


@dataclass
class History:
    """What each evaluated epoch came to: nats per block (b,) on training and held-out rows, KL per dimension (k,)."""

    epoch: list[int] = field(default_factory=list)
    train: list[Array] = field(default_factory=list)
    held_out: list[Array] = field(default_factory=list)
    kl: list[Array] = field(default_factory=list)

    def add(self, epoch: int, train: Array, held_out: Array, kl: Array) -> None:
        self.epoch.append(epoch)
        self.train.append(train)
        self.held_out.append(held_out)
        self.kl.append(kl)

    @property
    def losses(self) -> list[float]:
        """Negative held-out ELBO per evaluated epoch, in nats per row of tokens."""
        return [float(n.sum() + k.sum()) for n, k in zip(self.held_out, self.kl, strict=True)]


@dataclass(frozen=True)
class Outcome:
    """How a fit ended. ``best`` is the epoch whose weights were kept; ``ended`` says why it stopped."""

    history: History
    best: int
    ended: str
    seconds: float


class Trainer:
    """Fits a VAE to a token matrix: weights are averaged, and held-out rows say which are kept and when to end."""

    def __init__(self, vae: VAE, plan: schedules.Plan, seed: int, checkpoint_path: Path | None = None) -> None:
        self.vae, self.plan, self.seed, self.checkpoint_path = vae, plan, seed, checkpoint_path
        self.every = max(1, plan.epochs // EVALUATIONS)
        self.runs = -(-plan.steps // RUN_STEPS)  # of an epoch

    def fit(
        self,
        tokens: Array | Feed,
        held_out: Array,
        report: Callable[[Progress], None] | None = None,
        weights: Array | None = None,
    ) -> Outcome:
        """Train on ``tokens`` (n, b) to the end of the plan, or a shorter one once ``held_out`` (m, b) stops improving.

        A feed hands out the tokens of each epoch.

        ``report`` hears after each run where the fit stands. weights: (n,) with mean 1, how often a row is seen in an
        epoch. KeyboardInterrupt ends the fit with the weights kept so far, and goes through where there are none yet.
        TrainingError where the loss is not a number.
        """
        self.weights = weights
        feed = tokens if isinstance(tokens, Feed) else Whole(tokens)
        if not self.plan.continued:
            start_frequencies(self.vae, feed.margins(self.vae.layout.sizes, weights))
        loop = backend.loop(self.vae, schedules.optimizer(self.plan), feed.tokens(0), self.plan.total_steps)
        judge = _Judge(self.vae, backend.judge(self.vae, held_out), held_out, self.seed)
        state = checkpoint.State(History(), 0, [], 0, self.plan.anneal_from)
        if self.checkpoint_path:
            state = checkpoint.resume(self.checkpoint_path, loop, self._print(feed), state)
        began, interrupted = time.monotonic(), False
        try:
            while state.epoch < self.plan.end(state.anneal_from):
                if not feed.same(state.epoch):
                    loop.load(feed.tokens(state.epoch))
                train = self._epoch(loop, state, began, report)
                state.epoch += 1
                if state.epoch % self.every == 0 or state.epoch == self.plan.end(state.anneal_from):
                    self._judge(loop, judge, train, state)
                    self._save(loop, state, feed)
        except KeyboardInterrupt:
            if not state.weights:
                raise
            interrupted = True
        backend.assign(self.vae.trainable_variables, state.weights)
        return Outcome(state.history, state.best, self._ended(state, interrupted), time.monotonic() - began)

    def _epoch(
        self, loop: backend.Loop, state: checkpoint.State, began: float, report: Callable[[Progress], None] | None
    ) -> Array:
        """One pass over the rows; returns mean nats per block (b,)."""
        sums = np.zeros(self.vae.layout.b)
        for part, run in enumerate(self._runs(state.epoch, state.anneal_from), 1):
            nats, _ = loop.train(*run)
            if not np.isfinite(nats).all():
                raise TrainingError(
                    f"The loss is not a number in epoch {state.epoch + 1}: the fit diverged. Try a smaller batch_size "
                    "or another random_state; if it stays, the table holds values of too different magnitude."
                )
            sums += nats
            if report:
                report(self._progress(state, part / self.runs, float(nats.sum()), time.monotonic() - began))
        return sums / self.runs

    def _progress(self, state: checkpoint.State, part: float, loss: float, seconds: float) -> Progress:
        epochs = self.plan.end(state.anneal_from)
        held_out = state.history.losses[-1] if state.history.epoch else float("nan")
        return Progress(state.epoch, epochs, (state.epoch + part) / epochs, loss, held_out, seconds)

    def _runs(self, epoch: int, anneal_from: int) -> Iterator[tuple[Array, backend.Noise, Array, Array]]:
        """Row numbers, noise, rates and KL weights of an epoch's runs, all of one length: nothing is compiled twice."""
        rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([self.seed, 1, epoch])))
        steps, size = self.plan.steps // self.runs, self.plan.batch_size
        order = seen(rng, self.plan.rows, self.weights)[: self.runs * steps * size].astype("int32")
        order = order.reshape(self.runs, steps, size)
        rates = schedules.rates(self.plan, epoch, anneal_from)
        weights = schedules.kl_weights(self.plan, epoch)
        for part in range(self.runs):
            now = slice(part * steps, (part + 1) * steps)
            yield order[part], noise(self.vae, rng, steps, size, self.vae.dropped), rates[now], weights[now]

    def _judge(self, loop: backend.Loop, judge: _Judge, train: Array, state: checkpoint.State) -> None:
        """Score the averaged weights on the held-out rows, keep them if they are good, anneal if nothing is gained.

        The log-likelihood of single held-out rows punishes confidence long before samples suffer, and annealing gains
        more in the samples than it costs in likelihood: the newest weights within TOLERANCE of the best are kept.
        """
        averages, epoch = loop.averages(), state.epoch - 1
        backend.assign(self.vae.trainable_variables, averages)
        state.history.add(epoch, train, *judge())
        losses = state.history.losses
        rise = (losses[-1] - min(losses)) / max(abs(min(losses)), 1.0)
        if rise <= TOLERANCE:
            state.weights, state.best = averages, epoch
        if rise > TURN and state.epoch < state.anneal_from:
            state.anneal_from = state.epoch

    def _ended(self, state: checkpoint.State, interrupted: bool) -> str:
        if interrupted:
            return "interrupted"
        return "all epochs done" if state.epoch == self.plan.epochs else "held-out loss stopped improving"

    def _save(self, loop: backend.Loop, state: checkpoint.State, feed: Feed) -> None:
        if self.checkpoint_path:
            checkpoint.write(self.checkpoint_path, loop, self._print(feed), state)

    def _print(self, feed: Feed) -> str:
        return checkpoint.fingerprint(feed, repr((self.plan, self.seed, self.vae.settings)))


def seen(rng: np.random.Generator, rows: int, weights: Array | None) -> Array:
    """The rows (n,) of an epoch in random order; each as often as its weight says, rounded at random (systematic)."""
    if weights is None:
        return rng.permutation(rows)
    ends = np.floor(np.cumsum(weights) * (rows / weights.sum()) + rng.random() - 1e-9)
    counts = np.diff(ends, prepend=0.0).astype(np.int64)
    return rng.permutation(np.resize(np.repeat(np.arange(rows), counts), rows))


class _Judge:
    """The held-out loss, always with the same noise: (b,) nats per block and (k,) KL."""

    def __init__(self, vae: VAE, judge: backend.Judge, held_out: Array, seed: int) -> None:
        rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, 2])))
        size = min(len(held_out), 256)
        steps = min(len(held_out), HELD_OUT_ROWS) // size
        self.judge = judge
        self.run = np.arange(steps * size, dtype="int32").reshape(steps, size), noise(vae, rng, steps, size, 0)
        self.run[1][0][..., vae.layout.b] *= 0.5  # the encoder sees whole rows here: one fixed question

    def __call__(self) -> tuple[Array, Array]:
        return self.judge.evaluate(*self.run)


def noise(vae: VAE, rng: np.random.Generator, steps: int, size: int, dropped: int) -> backend.Noise:
    """Uniforms (steps, size, 2 b + 2), normals (steps, size, k) float32 and bytes (steps, size, dropped)."""
    uniforms = rng.random((steps, size, 2 * vae.layout.b + 2), dtype=np.float32)
    normals = rng.standard_normal((steps, size, vae.settings.latent_dim), dtype=np.float32)
    drops = np.frombuffer(rng.bytes(steps * size * dropped), np.uint8).reshape(steps, size, dropped)
    return uniforms, normals, drops


def start_frequencies(vae: VAE, margins: list[Array]) -> None:
    """Start the head at the log frequencies of the training tokens, per block (v,): nothing is left to learn of the
    margins."""
    bias = [np.log(counts + 0.5) for counts in margins]
    vae.decoder.start_at([b - b.max() for b in bias], GATE)
