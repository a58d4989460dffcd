"""Judging: what two tables have to say about each other under a schema.

    base.py      Score, the one result every metric gives, and the mean of several
    fidelity.py  does it look alike: shapes of columns, trends between pairs, null rates

Imports nothing of ours but errors, tables and schema; never the generator, so it can judge anybody's tables.
To add a metric: a function ``(real, synthetic, schema) -> tuple[Score, ...]`` in the file of its family; values lie in
[0, 1] with 1 best where that is possible, and a metric that cannot say anything returns a score without a value and
with the reason, never a NaN.
"""
