"""The other half of test_jax.py, run in a process of its own: fit and sample on the backend of KERAS_BACKEND."""

from __future__ import annotations

import sys
from pathlib import Path

import synthvae as sv
from tests.conftest import mixed_table


def main(folder: Path) -> None:
    """Sample from ``here.synthvae``; leave a model of one's own and its sample."""
    sv.load(folder / "here.synthvae").sample(500, random_state=1).to_parquet(folder / "sample_of_here.parquet")
    model = sv.Synthesizer(epochs=2, random_state=0).fit(mixed_table())
    model.save(folder / "there.synthvae")
    model.sample(500, random_state=1).to_parquet(folder / "sample_of_there.parquet")
    print(model.card_["versions"]["backend"], *sorted({"jax", "tensorflow"} & set(sys.modules)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
