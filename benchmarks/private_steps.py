"""How much dearer a noisy step on clipped gradients is than a plain one, per row, on TensorFlow and on JAX.

    python benchmarks/private_steps.py --data DIR [--tables adult] [--repeats 5]

DIR holds a folder per table with train.parquet. Of the network that a budget is spent on (``NetworkConfig.noisy``),
fitted or not is all the same, the same rows go through plain steps (``backend.loop``, as an ordinary fit has them,
without dropout) and through one noisy step: sums of gradients of which each was clipped by itself
(``backend.clipped_sum``), part by part, noise and the optimizer's step. Times are seconds of the processor, all threads
together; plain and noisy steps take turns, and the ratio is of their medians. Every backend runs in a process of its
own. Figures go to benchmarks/results/private_steps.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import synthvae as sv

HERE = Path(__file__).resolve().parent
BACKENDS = ("tensorflow", "jax")
PARTS = 16  # plain steps, or parts of a noisy one, of a repeat


def main() -> None:
    options = _options()
    if options.one:
        print(json.dumps({name: measured(options.data / name, options.repeats) for name in options.tables}))
        return
    found: dict[str, Any] = {"parts": PARTS, "repeats": options.repeats, "backends": {}}
    for backend in BACKENDS:
        command = [sys.executable, __file__, *sys.argv[1:], "--one"]
        environment = os.environ | {"KERAS_BACKEND": backend}
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        found["backends"][backend] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(found, indent=1))
    options.json.write_text(json.dumps(found, indent=1) + "\n")


def measured(folder: Path, repeats: int) -> dict[str, float]:
    """Microseconds of the processor per row, plain and noisy, and their ratio."""
    from synthvae.training.private import SLOTS

    plain, noisy = calls(folder, SLOTS)
    plain()
    noisy()  # compiled
    taken = [(_spent(plain), _spent(noisy)) for _ in range(repeats)]
    each = [1e6 * statistics.median(part) / (PARTS * SLOTS) for part in zip(*taken, strict=True)]
    ratios = sorted(b / a for a, b in taken)
    return {
        "plain": round(each[0], 1),
        "noisy": round(each[1], 1),
        "times": round(each[1] / each[0], 2),
        "least": round(ratios[0], 2),
        "most": round(ratios[-1], 2),
    }


def calls(folder: Path, size: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """PARTS plain steps of ``size`` rows each, and a noisy step of as many rows."""
    import keras

    from synthvae import backend
    from synthvae.codecs.table import TableCodec
    from synthvae.networks.taps import Taps, square_norms
    from synthvae.networks.vae import VAE, NetworkConfig
    from synthvae.saved import layout_of
    from synthvae.training.trainer import noise

    table, rng = pq.read_table(folder / "train.parquet"), np.random.default_rng(0)
    schema = sv.infer_schema(table)
    codec = TableCodec.fit(schema, schema.check(table))
    vae = VAE(layout_of(codec), NetworkConfig.noisy(16), rng)
    tokens = codec.encode(schema.check(table)).astype("int32")
    rows = rng.integers(0, len(tokens), (PARTS, size), dtype="int32")
    asked = noise(vae, rng, PARTS, size, 0)
    loop = backend.loop(vae, keras.optimizers.Adam(), tokens)
    ones = np.ones(PARTS, "float32")

    def plain() -> None:
        loop.train(rows, asked, ones * 1e-4, ones)

    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(vae.trainable_variables)
    summed = backend.clipped_sum(vae, vae.row_losses, Taps, square_norms)
    mask, place = np.ones(size, "float32"), rng.random((size, 1), dtype=np.float32)

    def noisy() -> None:
        totals = [np.zeros(v.shape, "float32") for v in vae.trainable_variables]
        for i in range(PARTS):
            sums, _ = summed(1.0, mask, tokens[rows[i]], asked[0][i], asked[1][i], place)
            totals = [total + part for total, part in zip(totals, sums, strict=True)]
        moved = [((part + rng.standard_normal(part.shape)) / (PARTS * size)).astype("float32") for part in totals]
        optimizer.apply([keras.ops.convert_to_tensor(part) for part in moved], vae.trainable_variables)

    return plain, noisy


def _spent(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=["adult"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, default=HERE / "results" / "private_steps.json")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
