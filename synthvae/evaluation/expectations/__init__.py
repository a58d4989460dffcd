"""Is a table lawful: a schema as rules, a Great Expectations suite of them, and a table judged by it.

    rule.py      Rule, one promise; between.py: those between columns
    rules.py     a Schema (and perhaps a real table's null rates) -> Rules, facts of our own
    chance.py    what chance adds to a share in a table of some size
    types.py     the type names by which Great Expectations knows a column's dtypes
    patterns.py  an identifier's template -> a regular expression, or the range of its whole numbers
    suite.py     Rules -> an ExpectationSuite; the only file that loads Great Expectations
    layout.py    a column -> the pandas layout in which it is judged fastest and exactly
    outcome.py   Outcome and Check: what came of it, without any value of the table
    judge.py     ``check``: a table against a schema

To add a rule: a line in ``rules.RULES`` for its kind of column, and a test that plants the fault it should catch.
"""

from synthvae.evaluation.expectations.judge import check
from synthvae.evaluation.expectations.outcome import Check, Outcome, Verdict
from synthvae.evaluation.expectations.suite import expectation_suite

__all__ = ["Check", "Outcome", "Verdict", "check", "expectation_suite"]
