"""Rows under a condition, in the order of the table: what lies before the condition is drawn in the light of it.

A pool knows the conditioned cells first, an order the decoder has seen less of: what it says of the other cells then is
a little too near to what it says of any row. So a row has several candidates, each with the blocks up to the last
conditioned one drawn given the condition, and one is chosen by p(these blocks in the table's order) over p(as they were
drawn) (sampling importance resampling: Rubin 1988). From there on both orders know the same. On held-back rows this
takes the error of margins under a condition to that of free rows which happen to meet it; each candidate costs two
passes through the leading blocks, so there are as many as keep a row near four free ones.

Tried and dropped: drawing until a row meets the condition (ten free rows at a share of 10 %), more conditions among the
questions of training (free rows lose).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from keras import ops

from synthvae import backend
from synthvae.generation.complete import block_table, inverse_cdf
from synthvae.generation.noise import PICK, TILE, generator
from synthvae.generation.pool import Pool
from synthvae.generation.start import Complete, Picked, Start
from synthvae.generation.walk import Walk
from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE

FEWEST, MOST = 2, 8  # candidates for a row
EFFORT = 1.2  # candidates times the share of blocks that lead: half of what they cost, in free rows


class Leads(Protocol):
    """What knows the compiled ``leading``: a Completer."""

    vae: VAE

    def leading(self, blocks: int) -> Callable[..., Array]: ...


def started(leads: Leads, pools: Sequence[Pool], shares: Array) -> Start:
    """Rows that pick one of ``pools`` by ``shares`` (p,), and start from one of its members."""
    picked = Picked(tuple(pools), shares)
    blocks = 1 + max(max(pool.blocks, default=-1) for pool in pools)
    return picked if picked.known[:, :blocks].all() else Led(picked, leads, blocks)


class Led(Start):
    """Rows that choose among candidates by their chance in the table's order. blocks: how many lead."""

    def __init__(self, picked: Picked, leads: Leads, blocks: int) -> None:
        self.picked, self.b = picked, leads.vae.layout.b
        self.candidates = c = min(max(int(EFFORT * self.b / blocks), FEWEST), MOST)
        self.blocks = self.b if 2 * c * (self.b - blocks) < self.b else blocks  # whole rows, where that costs less
        self._leading = leads.leading(self.blocks)

    def tile(self, seed: int, tile: int, normals: Array, attempt: int) -> tuple[Array, ...]:
        """Tokens (TILE, c, b), known (TILE, b), z (TILE, c, k), the known tokens' log p given z (TILE, c), uniforms
        for the candidates' blocks (TILE, c, blocks) and for the choice (TILE,)."""
        rng = generator(seed, PICK, tile, attempt)
        begun = self.picked.picked(rng.random(TILE), rng.random((TILE, self.candidates)))
        cells = rng.random((TILE, self.candidates, self.blocks), dtype=np.float32)
        return *begun, cells, rng.random(TILE)

    def completing(self, complete: Complete) -> Complete:
        def led(
            tokens: Array, known: Array, z: Array, logs: Array, cells: Array, choice: Array, uniforms: Array
        ) -> Array:
            c = self.candidates
            tokens, z, cells = (np.moveaxis(x, 1, 0) for x in (tokens, z, cells))  # candidate after candidate
            flat = (x.reshape(-1, x.shape[2]) for x in (tokens, np.stack([known] * c), z, cells))
            made = self._leading(*flat).reshape(c, len(known), -1)
            gains = made[:, :, -1] - logs.T
            tokens = np.zeros_like(tokens[0])
            tokens[:, : self.blocks] = chosen(made[:, :, :-1], gains, choice)
            if self.blocks == self.b:
                return tokens
            told = np.tile(np.arange(self.b) < self.blocks, (len(known), 1))
            return complete(tokens, told, chosen(z, gains, choice), uniforms)

        return led


def leading(vae: VAE, blocks: int, shifts: Sequence[Array]) -> Callable[..., Array]:
    """A compiled call: tokens (n, b), known (n, b), z (n, k), uniforms (n, blocks) -> (n, blocks + 1) float32.

    Out come the first ``blocks`` tokens, unknown ones drawn given known ones; and log p of all of them in the table's
    order less log p of those drawn as they were drawn, in nats.
    """
    tables = [block_table(vae.layout, j, shifts[j]) for j in range(blocks)]

    def run(tokens: Tensor, known: Tensor, z: Tensor, uniforms: Tensor) -> Tensor:
        n = ops.shape(z)[0]
        none = ops.zeros_like
        both = (ops.concatenate(pair, axis=0) for pair in ((tokens, none(tokens)), (known, none(known)), (z, z)))
        walk = Walk(vae, *both)  # the rows given what is known, then the same rows with nothing known
        gain = ops.zeros_like(z[:, 0])
        for j, table in enumerate(tables):
            logits = walk.logits(j) + walk.line(j, table)
            token = ops.where(known[:, j], tokens[:, j], inverse_cdf(logits[:n], uniforms[:, j]))
            token = ops.concatenate([token, token], axis=0)
            logs = ops.take_along_axis(ops.log_softmax(logits, axis=1), token[:, None], axis=1)[:, 0]
            gain = gain + logs[n:] - ops.where(known[:, j], 0.0, logs[:n])
            walk.reveal(j, token)
        made = ops.cast(walk.row_tokens()[:n, :blocks], "float32")
        return ops.concatenate([made, gain[:, None]], axis=1)

    return backend.compiled(vae, run)


def chosen(z: Array, logs: Array, uniforms: Array) -> Array:
    """One of the candidates (c, n, k) for each row, by its weight: (n, k)."""
    weights = np.exp(logs - logs.max(axis=0))
    sums = np.cumsum(weights, axis=0)
    place = np.minimum((sums <= uniforms * sums[-1]).sum(axis=0), len(z) - 1)
    return z[place, np.arange(z.shape[1])]
