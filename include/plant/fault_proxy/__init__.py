"""A bad line between the hub and a system, on real sockets: seeded, switchable, and it writes down what it did."""

from include.plant.fault_proxy.fault_plan import HTTP_FAULTS, RAW_FAULTS, Deed, FaultPlan, read_rates
from include.plant.fault_proxy.proxy import FaultProxy, Line, running_proxy, serve_proxies

__all__ = [
    "HTTP_FAULTS", "RAW_FAULTS", "Deed", "FaultPlan", "FaultProxy", "Line", "read_rates", "running_proxy",
    "serve_proxies",
]  # fmt: skip
