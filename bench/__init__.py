"""Measurements of Charley: how well and how soon it hears, understands, coaches and endures.

Each is a command, such as `python -m bench.timing.barge_in --help`; `bench.figures_table` takes the
figures of the documentation.
"""
