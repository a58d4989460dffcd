"""What the data means: the only thing generation and evaluation share.

columns.py holds the kinds of column, schema.py the Schema, infer.py the guesses (with support.py, the promise behind
every number guessed, and templates.py, the shapes of keys), check.py judges a table, serial.py reads and writes JSON,
instants.py counts time. Imports errors and tables only. To add a kind: its dataclass in columns.py and its line in
``KINDS``, what may be wrong with it in serial.py and check.py, when it is guessed in infer.py.
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
