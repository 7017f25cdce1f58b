"""Tasks that do the hub's work, each a thin shell over the engine: capture, deliver, plan a sweep, run a step."""
