"""A real OA for the plant in a box: Roundup with our own schema, in a virtual environment of its own.

from include.plant.roundup import RoundupServer

oa = RoundupServer(home=Path(".plant"), port=8090)
oa.prepare(password=…)     # environment, tracker, people of seed.yaml; nothing is done when it is there
oa.command()               # -> list[str]: the foreground command a supervisor runs
oa.start()                 # -> subprocess.Popen, for tests
oa.ready()                 # -> bool: it answers

# Airflow connection: host=oa.address, login="hub", password=…, extra={"web": oa.web}
"""

from include.plant.roundup.people import RoundupPeople
from include.plant.roundup.server import RoundupServer

__all__ = ["RoundupPeople", "RoundupServer"]
