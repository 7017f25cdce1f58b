"""The HTTP mechanism: one engine for every product that speaks JSON or forms over HTTP, driven by its profile.yaml.

profile.py, declared_*.py   what a profile may declare; anything else is refused with file and line
shapes.py, paths.py         requests and answers as plain structures with whole-leaf references
verdicts.py, failures.py    what an answer, or the lack of one, means
credentials.py, logins.py   who is calling
wire.py, talk.py            one request; one request as somebody
paging.py, cursors.py, polling.py, child_records.py   what changed
operations.py, verbs.py     carrying out a write
compiled.py, connector.py   all of it together
"""
