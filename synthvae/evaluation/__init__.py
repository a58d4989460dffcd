"""Judging: what two tables have to say about each other under a schema. Is it faithful, useful, safe, lawful?

    base.py          Metric and Score: a value, its 95 % interval, its reference, or the reason why there is none
    sides.py         Sides: real rows, rows to judge, hold-out, lawful under one schema; all a metric is given
    evaluate.py      every family on two tables, and result.py what comes back; catalogue.py lists the metrics
    fidelity         shapes.py nulls.py pairs.py margins.py coverage.py, gathered by fidelity.py: counted on all rows
                     (cells.py: columns as codes; correlations.py, information.py: of pairs; answers.py: from answers
                     to scores with intervals)
    detection.py     can a classifier tell the two apart; utility.py: does one learn as much from it
                     (encoding.py, subsample.py, learners.py, ranking.py, tasks.py: what both need)
    disclosure/      copies, distances, attacks: does it give away the people in the real table
    validity.py      does it keep the rules of the schema; expectations/ has the rules, as Great Expectations knows them
    pictures.py      what a report draws, as plain numbers, counted by draw.py
    report/          the HTML report and the Markdown summary; profile/: a report on one table alone

Imports nothing of ours but errors, tables and schema; never the generator, so it can judge anybody's tables. A hold-out
is real rows that nobody trained on: the same question asked of it is the reference of every score.
To add a metric: a ``Metric`` and a function ``(sides) -> Iterable[Score]`` in one file, listed in the ``scores`` of its
family; the contract in tests/test_evaluation_contract.py then runs over it. Values lie in [0, 1] with 1 best where
that is possible; what cannot be asked is a score without a value and with the reason, never a NaN.
"""
