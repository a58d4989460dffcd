"""What the data means: the only thing generation and evaluation share.

columns.py holds the kinds of column, schema.py the Schema, wellformed.py what may be wrong with one, serial.py its
JSON, check.py judges a table by it. infer.py guesses one, with measures.py (bounds and grids), templates.py (the shapes
of keys) and support.py (the promise behind every number written down); widened.py goes on from an earlier one.
instants.py counts time. Imports errors and tables only. To add a kind: its dataclass and its line in ``KINDS`` in
columns.py, a line in wellformed.py, a rule in infer.py.
"""

from synthvae.schema.columns import KINDS, Boolean, Categorical, Column, Datetime, Identifier, Numeric, Scale, Text
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema

__all__ = [
    "KINDS",
    "Boolean",
    "Categorical",
    "Column",
    "Datetime",
    "Identifier",
    "Numeric",
    "Scale",
    "Schema",
    "Text",
    "infer_schema",
]
