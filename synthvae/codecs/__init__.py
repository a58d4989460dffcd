"""Columns <-> tokens.

What lives here: ``base`` (what a codec, a block and a draw are), one file per kind of column (``numeric``,
``datetime``, ``categorical`` (booleans too), ``identifier``, ``text``, ``personal``), what they share (``arrow``:
habits with Arrow; ``line``: bins, ranks and scaling of one axis; ``calendar`` and ``clock``: days and times of day;
``level_blocks``: tokens of levels; ``minted``: what is made up, not learned; ``people``: invented names; ``grid``:
values as numbers on an axis; ``bins`` and ``binning``: tokens on that axis and how they are learned; ``step_law``: the
numbers inside a step, by ``grains`` (round ones) and ``spikes`` (known ones); ``gridded``: the codec of every axis;
``features`` and ``bin_blocks``: what the network sees of a number; ``noise``: counter-based uniforms and permutations;
``template``: the language of identifiers), and ``table``, which puts the codecs of a whole
table side by side; ``keeping``: what an earlier table's codecs are still good for; ``within``: the part of an axis that
a wish allows; ``asked``: what can be asked of a table's columns. Before all that ``constraints`` rewrites the table so
that rules between columns cannot be broken, in ``steps``: ``chained`` (orders), ``computed`` (sums and formulas),
``combined`` (combinations), ``nulled`` (nulls that follow from a rule).

May import: errors, tables, schema. Never Keras.

To add one: write the codec of the new kind and list it in ``CODECS``; the contract tests then run over it.
"""

from synthvae.codecs.base import Codec
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.datetime import DatetimeCodec
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.numeric import NumericCodec
from synthvae.codecs.personal import PersonalCodec
from synthvae.codecs.text import TextCodec

CODECS: dict[str, type[Codec]] = {
    "numeric": NumericCodec,
    "categorical": CategoricalCodec,
    "boolean": CategoricalCodec,
    "datetime": DatetimeCodec,
    "identifier": IdentifierCodec,
    "text": TextCodec,
    "personal": PersonalCodec,
}
