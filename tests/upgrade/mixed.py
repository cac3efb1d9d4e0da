"""A house of two releases on the schema of the newer: called by tests/upgrade/previous with the binaries of both.

Four services below a gateway are of before or of now in sixteen ways. Each is one that a rolling upgrade or a roll back
can pass through: services change in any order, the gateway comes up last and goes down first."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "deploy" / "runbooks"))

import house as houses  # noqa: E402
import replicas  # noqa: E402
import town  # noqa: E402
from postgres import STORES  # noqa: E402
from stage import Failed, Stage, must  # noqa: E402

# How many of what was acknowledged last are looked for after each change; at the end all are.
LAST = 40
# How many mornings two replicas share at most until both have answered.
SHARED = 20


def combinations(services):
    """Which services are of now, in every way, beginning with none; from one to the next a single service changes."""
    for number in range(1 << len(services)):
        bits = number ^ (number >> 1)
        yield frozenset(service for place, service in enumerate(services) if bits >> place & 1)


def told(now):
    """A combination as it is shown."""
    return ", ".join(f"{service} {'now' if service in now else 'before'}" for service in STORES)


class Mixed:
    """A house of which each service is of one of two releases."""

    def __init__(self, stage, previous):
        self.stage = stage
        self.previous = previous
        self.house = houses.House(stage)
        for service in STORES:
            replicas.give_page(self.house.settings[service])
        self.now = frozenset(houses.SERVICES)
        self.names = []
        self.schools = []

    def binary(self, service, now):
        return self.stage.binary(service) if now else self.previous / service

    def change(self, service, now):
        """Replaces a service by the one of now, or of before."""
        self.house.stop(service)
        self.house.start(service, binaries=lambda name: self.binary(name, now))
        self.now = self.now | {service} if now else self.now - {service}

    def begin(self):
        self.house.open()
        town.settle(self.house)
        self.schools = town.schools(self.house, town.FIRST[0], count=2)
        self.morning()

    def morning(self):
        """A morning of each school; what was acknowledged last is there, and every service answers."""
        for school in self.schools:
            town.settled(self.house, school)
            self.names += town.morning(self.house, school)
            self.house.door.call(school.token("principal"), f"/v1/{school.name}")
            self.house.door.call(school.token("principal"), f"/v1/{school.name}/alerts")
        town.remembered(self.house, self.names[-LAST:], *self.schools)

    def both_at_once(self, service):
        """A replica of now joins the one of before, and calls come to both."""
        twin = replicas.Twin(self.house, service).start(self.binary(service, now=True))
        twin.told_to_gateway()
        self.change("gateway", now=False)
        both = (self.house.settings[service], twin.settings)
        began = [replicas.answered(settings) for settings in both]
        for _ in range(SHARED):
            self.morning()
            counts = [replicas.answered(settings) for settings in both]
            if all(count > before for count, before in zip(counts, began)):
                break
        else:
            raise Failed(f"in {SHARED} mornings one replica of {service} answered nothing: {began}, {counts}")
        twin.stop()
        # The gateway goes on with the one that is left, before it forgets the other.
        self.morning()
        twin.forgotten_by_gateway()
        self.change("gateway", now=False)


def mixed(stage, previous):
    """All that two releases meet in, in the order of an upgrade."""
    with stage.step("the schema is of now, and a house of now has a morning"):
        one = Mixed(stage, previous)
        one.begin()
    with stage.step("down again: the gateway goes first, then the services, the last that others call"):
        for service in reversed(houses.SERVICES):
            one.change(service, now=False)
        one.morning()
    for service in STORES:
        with stage.step(f"{service}: a replica of now beside one of before"):
            one.both_at_once(service)
    for wanted in combinations(STORES):
        with stage.step(f"{told(wanted)}; gateway before"):
            for service in wanted ^ (one.now - {"gateway"}):
                one.change(service, service in wanted)
            one.morning()
    with stage.step("up: the services, and the gateway as the last"):
        for service in houses.SERVICES:
            if service not in one.now:
                one.change(service, now=True)
        one.morning()
    for service in STORES:
        with stage.step(f"{service} alone is rolled back, below a gateway of now"):
            one.change(service, now=False)
            one.morning()
            one.change(service, now=True)
    with stage.step("everything that was acknowledged is there, once, and the audit of all services verifies"):
        decisions = [name for name in one.names if "/gateDecisions/" in name]
        must(len(decisions) == len(set(decisions)), "a name came twice")
        town.remembered(one.house, sorted(set(one.names)), *one.schools)
        answer = one.house.door.call(one.house.token("audit-admin", ""), "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")


def main(binaries, previous):
    with Stage(binaries, "mixed") as stage:
        try:
            mixed(stage, Path(previous))
        except Failed as err:
            print(f"    {err}")
            for log in sorted(stage.folder.glob("*.log")):
                print(f"    {log.stem}: " + "\n    ".join(log.read_text(errors="replace").splitlines()[-3:]))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
