"""A fit that goes on from an earlier model, on a table of the same columns or nearly so."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from synthvae import fitting, tables
from synthvae.codecs.keeping import agreement, kept_codecs
from synthvae.codecs.table import TableCodec
from synthvae.errors import SchemaError
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.saved import Learned, layout_of
from synthvae.schema.widened import widened
from synthvae.training import schedules
from synthvae.training.transfer import Match, transfer


def finetune(
    old: Learned,
    table: Any,
    validation: Any,
    epochs: int | None,
    run: fitting.Run,
) -> Learned:
    """Continue on ``table``; see ``Synthesizer.finetune``."""
    arrow, container = tables.read(table)
    if not set(arrow.column_names) & set(old.codec.schema.names):
        raise SchemaError(
            "A model is fine-tuned on a table that shares columns with its own "
            f"({', '.join(map(repr, old.codec.schema.names))}). Received none of them; fit a new model."
        )
    schema = widened(old.codec.schema, arrow, container)
    arrow = schema.check(arrow)
    kept = kept_codecs(old.codec, schema, arrow)
    codec = TableCodec.fit(schema, arrow, kept)
    layout = layout_of(codec)
    rows, held_out = fitting.parts(arrow, codec, validation, None, run.seed)
    plan = schedules.continued(schedules.plan(len(rows.tokens), None, None, layout.b), epochs)
    before = old.vae.settings
    dropout = NetworkConfig.suited(len(rows.tokens), layout.b, before.latent_dim).dropout
    vae = VAE(layout, dataclasses.replace(before, dropout=dropout), np.random.default_rng([run.seed, 0]))
    found = agreement(old.codec, codec, kept)
    counts = [np.bincount(c, minlength=v) for c, v in zip(rows.tokens.T, layout.sizes, strict=True)]
    transfer(old.vae, vae, Match(found.blocks, found.echoes, counts))
    return fitting.trained(arrow, codec, vae, plan, (rows, held_out), run)
