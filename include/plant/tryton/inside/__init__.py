"""What runs inside Tryton's own environment: scripts that set a database up, started by `include.plant.tryton`."""
