"""What people read: an evaluation, or a profile, as one HTML file that needs nothing else, and as Markdown.

    page.py       an Evaluation -> the HTML report; ``render`` fills any template of this package
    view.py       an Evaluation -> what its template prints
    verdict.py    the four questions and the tables of scores behind them; scores.py: one score as the row of a table
    cards.py      the columns, one by one
    figures.py    what is drawn with its caption and its table of numbers: columns, nulls, associations, pairs
    charts.py     the charts, Altair specifications of neutral fields
    svg.py        a specification -> slim inline SVG in the colours of the page
    words.py      names, numbers and kinds as text that is safe to show; bins.py: bins and levels
    markdown.py   an Evaluation -> a summary for a pull request
    templates/    layout.html.j2 (the skeleton every page extends), macros.html.j2, style.css, one template per page

A page runs no script and asks for nothing from outside: its own content security policy forbids both. Names of columns
and levels are hostile input: they reach HTML through autoescape, charts as data, and both through ``words.shown``.
To add a chart: a function in ``charts.py``, a figure around it in ``figures.py``, a line in the template.
"""
