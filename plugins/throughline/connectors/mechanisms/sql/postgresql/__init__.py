"""How a PostgreSQL source is read: one snapshot for the fence and the rows, statements bound by the server."""
