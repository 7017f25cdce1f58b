"""How bytes travel: one folder or file per kind of road, none of which knows any product."""
