"""The shipped table (``adult.parquet``, see NOTICE) and the demonstration that runs the whole main job on it."""
