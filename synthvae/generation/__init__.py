"""Rows with holes: everything the model is asked is "complete these rows".

``noise.py`` randomness that belongs to a row number, ``complete.py`` one tile of rows completed column by column,
``stream.py`` tiles to Arrow batches. Imports codecs, training, networks, tables, errors, backend.
"""
