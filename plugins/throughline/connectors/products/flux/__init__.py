"""FLUX (富勒), a WMS: one address for every message, each signed; it tells us by itself what arrived and what left."""
