"""One folder per product, all of one shape: a new product is one folder and no code elsewhere.

1. `__init__.py`: one sentence on what the product is and what is peculiar about it.
2. `profile.yaml`: who is calling (`auth`), what answers mean (`verdict`), and for each kind of document how to ask what
   changed (`poll`, with its fence), how to find it by our reference (`find`), and what can be done to it
   (`operations`, with the tier that says what a repeated write does). A line that is wrong is named when it is read.
3. `tables/<document>.yaml`: which of its fields is which of ours (see the room `mapping`).
4. Only where the product has its own ways: `signer.py` (signatures), `codec.py` (JSON values of its own), `verbs.py`
   (operations a list of calls cannot express), `inbound.py` (messages it sends us).
5. A specimen in `tests/contracts/specimens.py`: the same suite then asks of it what it asks of all.
"""
