"""How fast each stage is on a million rows of 20 mixed columns, beside a floor that no encoder can be under.

    python benchmarks/speed.py --data DIR [--rows 1000000]

DIR holds a folder per table with train.parquet, as for quality.py. Ten columns of Adult and ten of Default are repeated
to --rows rows, whole numbers with noise of a hundredth of themselves. The floor is one Arrow dictionary-encode of every
column and one NumPy copy of all its bytes, in the same run on the same table; that of a network is its multiplications
at the rate of a 512 x 512 product, NumPy's or the backend's. Times are seconds of the processor, all threads together,
so that other work on the machine does not count. Stages: infer (the schema), learn (the codecs), encode and decode
(values <-> tokens), train (rows seen by a network of the default size, without what a fit does once), sample (rows of
it: its speed does not depend on how well it learned), write (the same, to Parquet, from this process), load (a saved
model), first (the first 1,000 rows of a saved model by the command line, start of the program included) and help (of
the program). Figures go to benchmarks/results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import synthvae as sv
from synthvae.codecs.table import TableCodec
from synthvae.generation.noise import TILE
from synthvae.networks.vae import VAE
from synthvae.training.estimate import embeddings

HERE = Path(__file__).resolve().parent
COLUMNS = 10  # of each table
FIT_ROWS = 20_000  # of the model that samples
SAMPLE_TILES = 100


def main() -> None:
    options = _options()
    table = mixed(options.data, options.rows)
    found = stages(table) | model_stages(table.slice(0, FIT_ROWS))
    told = {"machine": f"{os.cpu_count()} cores, {platform.machine()}", "rows": table.num_rows, "bytes": table.nbytes}
    print(json.dumps(told | found, indent=1))
    options.json.write_text(json.dumps(told | found, indent=1) + "\n")


def mixed(folder: Path, rows: int) -> pa.Table:
    """Columns of two real tables, repeated with noise."""
    rng = np.random.default_rng(0)
    parts = [pq.read_table(folder / name / "train.parquet") for name in ("adult", "default")]
    columns: dict[str, pa.Array] = {}
    for part in parts:
        own = _spread(part.column_names)
        drawn = part.select(own).take(pa.array(rng.integers(0, part.num_rows, rows)))
        columns |= {name: _noisy(drawn[name].combine_chunks(), rng) for name in own}
    return pa.table(columns)


def _spread(names: list[str]) -> list[str]:
    """COLUMNS names, from all over the table."""
    return [names[i] for i in np.unique(np.linspace(0, len(names) - 1, COLUMNS).round().astype(int))]


def _noisy(values: pa.Array, rng: np.random.Generator) -> pa.Array:
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)) or len(values.unique()) < 100:
        return values
    number = values.to_numpy(zero_copy_only=False).astype(np.float64)
    noisy = np.rint(number * (1 + 0.01 * rng.standard_normal(len(number))))
    return pa.array(noisy, from_pandas=True).cast(pa.int64()) if pa.types.is_integer(values.type) else pa.array(noisy)


def floor(table: pa.Table) -> None:
    """What any encoder has to do at least: tell values apart, and touch every byte once."""
    for column in table.columns:
        column.dictionary_encode()
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None:
                    np.frombuffer(buffer, np.uint8).copy()


def stages(table: pa.Table) -> dict[str, Any]:
    """Seconds, rows per second and times the floor, of what happens to a table."""
    schema = sv.infer_schema(table)
    lawful = schema.check(table)
    codec = TableCodec.fit(schema, lawful)
    tokens, rows = codec.encode(lawful), np.arange(table.num_rows)
    calls: dict[str, Callable[[], object]] = {
        "floor": lambda: floor(table),
        "encode": lambda: codec.encode(lawful),
        "decode": lambda: codec.decode(tokens, rows, seed=0),
        "check": lambda: schema.check(table),
        "infer": lambda: sv.infer_schema(table),
        "learn": lambda: TableCodec.fit(schema, lawful),
    }
    often = ("floor", "encode", "decode")
    seconds = {name: best(call, 3 if name in often else 1) for name, call in calls.items()}
    facts = {"columns": table.num_columns, "blocks": len(codec.blocks), "constraints": len(schema.constraints)}
    return facts | {name: rated(spent, table.num_rows, seconds["floor"]) for name, spent in seconds.items()}


def model_stages(table: pa.Table) -> dict[str, Any]:
    """The same of what a fitted model does."""
    rows = SAMPLE_TILES * TILE
    model, trained = taught(table)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "m.synthvae", Path(folder) / "rows.parquet"
        model.save(path)
        model.sample(TILE, random_state=0)  # compiled once
        seconds = {
            "sample": best(lambda: model.sample(rows, random_state=1), 2),
            "write": best(lambda: model.write(out, rows, random_state=1), 2),
        }
        command = [sys.executable, "-m", "synthvae.cli"]
        first = [*command, "sample", str(path), "1000", "-o", str(out)]
        starts = {
            "load": best(lambda: sv.load(path), 2),
            "first": best(lambda: subprocess.run(first, check=True, capture_output=True), 2),
            "help": best(lambda: subprocess.run([*command, "--help"], check=True, capture_output=True), 3),
        }
    work, rate = multiplications(model.vae_), product_rate()
    of_sample, of_step = (2 * part * rows / rate for part in work)
    return (
        {"product": {"GFLOP/s": round(rate / 1e9, 1)}, "train": rated(trained, rows, 3 * of_step)}
        | {name: rated(spent, rows, of_sample) for name, spent in seconds.items()}
        | {name: {"seconds": round(spent, 2)} for name, spent in starts.items()}
    )


def taught(table: pa.Table) -> tuple[sv.Synthesizer, float]:
    """A model, and the seconds that as many rows as are sampled take in training.

    It has steps enough to be compiled as a default fit is, and several runs an epoch.
    """
    marks: list[float] = []  # the clock after each run of training steps
    fresh = sv.Synthesizer(epochs=8, batch_size=128, random_state=0)
    model = fresh.fit(table, progress=lambda _: marks.append(_clock()))
    seen = model.card_["steps"] * model.card_["batch_size"] / len(marks)  # in each run: all are of one length
    return model, float(np.min(np.diff(marks))) * SAMPLE_TILES * TILE / seen  # what judges between runs is left out


def multiplications(vae: VAE) -> tuple[int, int]:
    """Of a sampled row, block by block, and of a row that goes through encoder and decoder once."""
    decoder, layout, sampled = vae.decoder, vae.layout, 0
    widths = [trunk.first.kernel.shape[1] for trunk in decoder.trunks]
    for j, size in enumerate(layout.sizes):
        place = -1 if j in layout.refined else 0
        sampled += 2 * len(decoder.trunks[place].blocks) * widths[place] ** 2 + widths[place] * size
        sampled += sum(last - first for first, last in decoder.vectors.spans(j)) * sum(widths)
    once = sum(int(np.prod(v.shape)) for v in vae.trainable_variables if len(v.shape) == 2) - embeddings(vae)
    return sampled, once


def product_rate() -> float:
    """Floating-point operations of a 512 x 512 product per second of the processor: the better of NumPy and backend."""
    from keras import ops  # by now synthvae has imported it, and kept TensorFlow from greeting

    a, times = np.ones((512, 512), "float32"), 100
    b = ops.convert_to_tensor(a)
    numpys = best(lambda: [a @ a for _ in range(times)], 3)
    backends = best(lambda: np.asarray([ops.matmul(b, b) for _ in range(times)][-1]), 3)
    return times * 2 * 512**3 / min(numpys, backends)


def best(call: Callable[[], object], times: int) -> float:
    """Processor seconds of the cheapest of several calls, programs they start included."""
    spent = []
    for _ in range(times):
        began = _clock()
        call()
        spent.append(_clock() - began)
    return min(spent)


def _clock() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def rated(seconds: float, rows: int, floor: float | None = None) -> dict[str, float]:
    """Seconds, rows per second, and how many times the floor."""
    beside = {} if floor is None else {"times the floor": round(seconds / floor, 2)}
    return {"seconds": round(seconds, 3), "rows per second": round(rows / seconds)} | beside


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, default=HERE / "results" / "speed.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
