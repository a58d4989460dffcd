"""Where a killed fit resumes: weights, optimizer state and history in one file of arrays, replaced whole.

The noise of an epoch follows from the seed and its number, so a resumed fit ends where an uninterrupted one would.
The file holds no row of the table, only a hash of them that tells whether it belongs to this fit.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthvae import backend
from synthvae.errors import TrainingError
from synthvae.files import complete, told
from synthvae.networks.layout import Array
from synthvae.training.feed import Feed


@dataclass
class State:
    """What the loop remembers: ``epoch`` is the next one, ``weights`` the best so far, found in epoch ``best``."""

    history: Any
    epoch: int
    weights: list[Array]
    best: int
    anneal_from: int


def fingerprint(feed: Feed, settings: str) -> str:
    """Tells one fit from another: all tokens and the settings, hashed."""
    digest, shape = hashlib.sha256(), (0, 0)
    for part in feed.parts():
        digest.update(np.ascontiguousarray(part).tobytes())
        shape = (shape[0] + len(part), part.shape[-1])
    digest.update(repr((shape, settings)).encode())
    return digest.hexdigest()


def write(path: Path, loop: backend.Loop, print_: str, state: State) -> None:
    """Write beside, then rename."""
    arrays: dict[str, Any] = {f"variable{i}": value for i, value in enumerate(backend.arrays(loop.variables))}
    arrays |= {f"kept{i}": value for i, value in enumerate(state.weights)}
    history = state.history
    arrays |= {"history_epoch": np.array(history.epoch), "history_train": np.array(history.train)}
    arrays |= {"history_held_out": np.array(history.held_out), "history_kl": np.array(history.kl)}
    arrays |= {"epoch": np.array(state.epoch), "best": np.array(state.best), "print": np.array(print_)}
    arrays["anneal_from"] = np.array(state.anneal_from)
    with complete(path) as beside, told(path), beside.open("wb") as file:
        np.savez(file, **arrays)


def resume(path: Path, loop: backend.Loop, print_: str, fresh: State) -> State:
    """The state in ``path``, its variables put back into the loop; ``fresh`` where there is no file yet."""
    if not path.exists():
        return fresh
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        stored = str(arrays["print"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{str(path)!r} is no checkpoint, or a damaged one ({error}). Delete it to start anew."
        ) from error
    if stored != print_:
        raise TrainingError(
            f"The checkpoint {str(path)!r} belongs to another fit (another table, seed or setting). Use the same "
            "ones to resume, or delete it to begin anew."
        )
    backend.assign(loop.variables, [arrays[f"variable{i}"] for i in range(len(loop.variables))])
    history = fresh.history
    for row in zip(*(arrays[f"history_{part}"] for part in ("epoch", "train", "held_out", "kl")), strict=True):
        history.add(int(row[0]), *row[1:])
    kept = [arrays[f"kept{i}"] for i in range(sum(name.startswith("kept") for name in arrays))]
    return State(history, int(arrays["epoch"]), kept, int(arrays["best"]), int(arrays["anneal_from"]))
