"""The explorer: a local page on which a person turns a saved model over.

    serve.py    a socket of this machine only, an address nobody can guess, the browser
    app.py      the page put together: panels, callbacks one at a time, who may ask (``guard.py``)
    latent.py   panel 1: the map of rows, a slider for each active dimension, the row that the latent tells
    plane.py    what the map shows, as plain numbers, and its figure
    asking.py   panel 2: rows under conditions, how likely they are
    strange.py  panel 3: the strangest rows of a table and which of their cells are strange
    cells.py    values as text, tables and messages as page elements

    answers.py  callbacks, one at a time

It asks the model nothing that ``Synthesizer`` does not offer, and holds no training row: what it shows is drawn from
the model, or of the table that its user hands in. Names and values are hostile input: they are children of elements,
which are never parsed as HTML, or escaped where a figure would parse them. Imports anything of ours but ``cli``; Dash,
an extra, is not imported before ``explore`` is called. To add a panel: a module with ``layout`` and ``connect``, listed
in ``app.py``.
"""
