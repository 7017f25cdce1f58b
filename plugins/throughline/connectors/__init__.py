"""The only rooms that speak an outside dialect: `mechanisms` move bytes, `products` say how each product talks."""
