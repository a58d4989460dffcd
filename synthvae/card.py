"""What a fit came to, as facts: the history as a table and the model card that travels in the bundle."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from synthvae import backend
from synthvae.codecs.table import TableCodec
from synthvae.privacy.words import protections
from synthvae.training.estimate import Estimate
from synthvae.training.schedules import Plan
from synthvae.training.trainer import ACTIVE_NATS, Outcome


def history(codec: TableCodec, outcome: Outcome) -> pd.DataFrame:
    """One row per evaluated epoch, in nats per row of tokens.

    ``epoch``, ``loss`` (training), ``held_out`` (negative held-out ELBO), ``kept`` (1 in the epoch whose weights were
    kept), then ``nats <column>`` and ``kl <dimension>``, both held-out.
    """
    past = outcome.history
    frame: dict[str, Any] = {"epoch": np.array(past.epoch, dtype=float) + 1}
    frame["loss"] = [float(t.sum() + k.sum()) for t, k in zip(past.train, past.kl, strict=True)]
    frame["held_out"] = past.losses
    frame["kept"] = (np.array(past.epoch) == outcome.best).astype(float)
    nats, kl = np.array(past.held_out), np.array(past.kl)
    for name in dict.fromkeys(codec.block_columns):
        blocks = [j for j, column in enumerate(codec.block_columns) if column == name]
        frame[f"nats {name}"] = nats[:, blocks].sum(axis=1)
    return pd.DataFrame(frame | {f"kl {i}": kl[:, i] for i in range(kl.shape[1])}).astype(float)


def facts(rows: int, codec: TableCodec, plan: Plan, outcome: Outcome, cost: Estimate, seed: int) -> dict[str, Any]:
    """The model card: numbers about the fit of so many rows, nothing about any of them."""
    kept = outcome.history.epoch.index(outcome.best)
    kl = outcome.history.kl[kept]
    return {
        "rows": rows,
        "columns": len(codec.schema.columns),
        "blocks": len(codec.blocks),
        "tokens": sum(block.size for block in codec.blocks),
        "parameters": cost.parameters,
        "epochs": outcome.history.epoch[-1] + 1,
        "steps": (outcome.history.epoch[-1] + 1) * plan.steps,
        "planned_epochs": plan.epochs,
        "kept_epoch": outcome.best + 1,
        "batch_size": plan.batch_size,
        "ended": outcome.ended,
        "held_out_nats": outcome.history.losses[kept],
        "latent_nats": float(kl.sum()),
        "active_dimensions": int((kl > ACTIVE_NATS).sum()),
        "seconds": round(outcome.seconds, 1),
        "seed": seed,
        "folded": {
            name: {"folded_rows": report.folded_rows, "notes": list(report.notes)}
            for name, report in codec.reports.items()
            if report.folded_rows or report.notes
        },
        "privacy": protections(codec.schema.min_count),
        "versions": {"synthvae": version("synthvae"), "backend": backend.name(), "python": platform.python_version()},
    }
