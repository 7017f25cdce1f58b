"""What the triggerer watches without occupying a worker: sources, the ledger, documents, stock. They only read."""
