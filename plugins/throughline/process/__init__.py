"""The process engine: flows as data, documents carried through them step by step, every effect once.

`definition` and `flow_files` read flows, `advance` decides what follows from what (purely), `intake` turns captured
records into processes that go on, `delivery` writes into systems, `sweep.Engine` is what the rest of the hub uses.
"""
