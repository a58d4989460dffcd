"""One table alone, without any model: what is in it, and what in it deserves a look.

    finding.py   Finding and Severity; counts in words, never so small that somebody could be known
    look.py      a column prepared for looking: values, numbers, distinct texts with their rows
    counts.py    nulls, constants, near-unique columns, rare levels
    numbers.py   outliers, placeholders such as 999 and 1900-01-01, NaN beside null
    texts.py     placeholder words, blanks, variants, mixed and mistaken formats, broken encodings
    rows.py      copies of rows, patterns of nulls
    pairs.py     columns that give each other away
    result.py    Profile: the table's facts, findings and files
    inspect.py   ``profile``: puts it together
    page.py      a Profile as one HTML file, in the style of the evaluation's report

To add a finding: a generator ``(Look) -> Iterator[Finding]`` listed in ``inspect.FINDERS``, and a test that plants it.
"""

from synthvae.evaluation.profile.finding import Finding, Severity
from synthvae.evaluation.profile.inspect import profile
from synthvae.evaluation.profile.result import Profile

__all__ = ["Finding", "Profile", "Severity", "profile"]
