"""What each dimension of the latent is about, told from rows that the model makes itself.

Rows are drawn with their latents: z ~ p(z), x ~ p(x | z). For a dimension and a column, ``information`` is the mutual
information between z_d, cut into BINS bins of equal mass, and the column's values, cut into groups of like mass where
there are many, in nats. The plug-in estimate is corrected for its bias (bins - 1)(values - 1) / 2n (Miller 1955). It is
what the column alone tells of the dimension, whatever the shape of the dependence. No training row is asked or kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import mutual_info_score

from synthvae.generation.greedy import middle
from synthvae.generation.latent import Latents, names
from synthvae.generation.latent_report import LatentReport
from synthvae.generation.plane import Plane
from synthvae.networks.layout import Array
from synthvae.tables import plain

ROWS = 8192  # drawn: the bias that remains is far below the least information worth a word
BINS = 16  # of a dimension, and at most so many groups of a column's values
END = 1 / 8  # of the rows make up an end of a dimension
MAPPED = 1500  # rows on the map
LONGEST = 40  # characters of a value that are shown


def reported(latents: Latents, nats: Array, least: float, seed: int) -> LatentReport:
    """The report. nats: (k,) what each dimension carries; those below ``least`` are idle and left out."""
    z = latents.vae.prior.sample(np.random.default_rng([seed, 5]).standard_normal((ROWS, latents.k)))
    tokens = latents.tokens(z, seed)
    active = [int(d) for d in np.argsort(-nats, kind="stable") if nats[d] >= least]
    columns = {
        name: latents.codec.block_columns.index(name)
        for name in dict.fromkeys(latents.codec.block_columns)
        if name in latents.codec.codecs
    }
    values = {name: _groups(tokens[:, j], latents.codec.blocks[j].ranks) for name, j in columns.items()}
    ends = {d: _ends(latents, z[:, d], tokens) for d in active}
    lines = [
        (names(latents.k)[d], nats[d], name, _information(z[:, d], values[name]), *ends[d][name])
        for d in active
        for name in columns
    ]
    frame = pd.DataFrame(lines, columns=["dimension", "nats", "column", "information", "low", "high"])
    return LatentReport(frame, latents.k - len(active), _map(latents, tokens[:MAPPED], seed))


def _groups(tokens: Array, ranks: Array | None) -> Array:
    """Tokens (n,) as at most BINS groups and null: neighbours in order together, the rarest names together."""
    found, place, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    if len(found) <= BINS:
        return np.asarray(place)
    if ranks is None:
        rare = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
        return np.asarray(np.minimum(rare, BINS - 1)[place])
    order = np.argsort(ranks[found], kind="stable")
    shares = np.cumsum(counts[order]) / counts.sum()
    group = np.empty(len(found), np.int64)
    group[order] = np.minimum((shares * BINS).astype(np.int64), BINS - 1)
    group[found == 0] = BINS
    return np.asarray(group[place])


def _information(z: Array, groups: Array) -> float:
    """Mutual information of (n,) and (n,) in nats, 0 or more."""
    bins = np.argsort(np.argsort(z)) * BINS // len(z)
    bias = (BINS - 1) * (len(np.unique(groups)) - 1) / (2 * len(z))
    return max(0.0, float(mutual_info_score(bins, groups)) - bias)


def _ends(latents: Latents, z: Array, tokens: Array) -> dict[str, tuple[str, str]]:
    """By column the typical value where the dimension is lowest and where it is highest."""
    order, count = np.argsort(z), int(END * len(z))
    codec, rows = latents.codec, np.zeros(2, np.int64)
    typical = np.stack([_typical(latents, tokens[part]) for part in (order[:count], order[-count:])])
    made = codec.decode(typical, rows, 0, middle=True)
    return {name: (_text(made[name][0]), _text(made[name][1])) for name in made.column_names}


def _typical(latents: Latents, tokens: Array) -> Array:
    """The middle of each block of rows (n, b), a child's among the rows of its parent's: (b,)."""
    layout, found = latents.vae.layout, np.zeros(tokens.shape[1], np.int32)
    for j in range(layout.b):
        parent = layout.parents[j]
        own = tokens[:, j] if parent < 0 else tokens[tokens[:, parent] == found[parent], j]
        counts = np.bincount(own, minlength=layout.sizes[j])
        logs = np.log(np.maximum(counts, 1e-9))[None]
        found[j] = int(np.asarray(middle(logs, latents.codec.blocks[j].ranks))[0])
    return found


def _text(cell: pa.Scalar) -> str:
    value = cell.as_py()
    if value is None:
        return "null"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _map(latents: Latents, tokens: Array, seed: int) -> pd.DataFrame:
    """Rows of the model on the plane where their latent means spread most: columns ("map", "x" and "y") and
    ("row", name).
    """
    mean, _ = latents.moments(tokens, np.ones(tokens.shape, bool))
    plane = Plane.through(mean).project(mean)
    rows = np.arange(len(tokens), dtype=np.int64) % (latents.codec.room or len(tokens))  # keys are not shown
    made = latents.codec.decode(tokens, rows, seed)
    learned = [name for name, codec in latents.codec.codecs.items() if codec.blocks]
    shown = {name: plain(made[name]).to_pandas() for name in learned}
    return pd.DataFrame(
        {("map", "x"): plane[:, 0], ("map", "y"): plane[:, 1]} | {("row", n): v for n, v in shown.items()}
    )
