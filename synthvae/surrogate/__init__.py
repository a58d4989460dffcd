"""Rows made from noisy counts: what a private fit learns its codecs and first weights from, at no further cost.

``public`` is what a column is taken for before anything is paid, ``spelling`` what it is where nothing declares its
type, ``allotment`` how the budget is shared out; ``domains`` what one column holds (``axis``: numbers and moments,
``levels``: categories, ``presence``: what is never learned), each with its paid one-way counts; ``coarse`` folds these
into few cells; ``margins`` chooses and measures pairs of columns, ``denoise`` makes their counts consistent, ``draw``
draws rows that have these margins, and ``make`` puts it together. Select, measure, generate: as MST does (McKenna,
Miklau, Sheldon 2021).

May import: errors, tables, schema, privacy, codecs. Rows are seen by ``PrivateTable`` alone; to add a kind of column:
a ``Domain`` and a line in ``domains.LEARN``.
"""
