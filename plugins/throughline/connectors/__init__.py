"""The only rooms that speak an outside dialect: `mechanisms` move bytes, `products/<product>` say how one product talks."""
