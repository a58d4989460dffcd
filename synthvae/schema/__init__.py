"""What the data means: the only thing generation and evaluation share.

columns.py holds the kinds of column, schema.py the Schema, wellformed.py what may be wrong with one, serial.py its
JSON, check.py judges a table by it. infer.py guesses one by the rules of rules.py, which look at an Evidence
(evidence.py) with measures.py (bounds and grids), formats.py (how numbers and moments are written as text),
personal.py (whose data it is), templates.py (the shapes of keys) and support.py (the promise behind every number
written down); widened.py goes on from an earlier one, whole.py from the sample of a table larger than memory.
written.py goes between such text and what it means, instants.py counts time, checkdigits.py computes check digits.
sdv.py reads and writes SDV's metadata, adopt.py makes a schema of them. conditions.py holds what may be asked of
cells in one call, where.py reads it as text. Imports errors and tables only. To add a kind: its dataclass and its
line in ``KINDS`` in columns.py, a line in wellformed.py, a rule in rules.py.

constraints.py holds the kinds of rule between columns (how to add one stands there), coherent.py what may be wrong with
them, obeyed.py which rows break them, with measure.py (columns in one unit), formulas.py and arithmetic.py (what
follows from others). solving.py says which columns each rule decides, and in which order. propose.py looks for rules
in a table: look.py is what it looks at, seek_*.py the searches.
"""

from synthvae.schema.columns import (
    KINDS,
    Boolean,
    Categorical,
    Column,
    Datetime,
    Identifier,
    Numeric,
    Personal,
    Scale,
    Text,
)
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
    "Personal",
    "Scale",
    "Schema",
    "Text",
    "infer_schema",
]
