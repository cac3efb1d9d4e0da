"""Measures a house of five processes on PostgreSQL: each alone and with a second replica, idle and at work."""

import concurrent.futures
import itertools
import time

import house as houses
import replicas
import town
from acts import ACTS, Town, declare
from calls import Door
from meter import Server, Watch, processor, resident
from stage import must, until

# What the chart sets: connections of each replica, and threads of each process (TOKIO_WORKER_THREADS).
CONNECTIONS = 16
THREADS = 2
# How long nothing is asked, to see what a process uses for itself, in seconds.
IDLE = 10
# All processes together use less than this of a processor when nothing is left to do.
QUIET = 0.15
# How long it may take until nothing is left to do, in seconds.
AFTERWARDS = 120
# Which acts are done again and again until the time is over; others are done once.
AGAIN = {"gate", "desk", "list"}
# What both replicas are asked.
SHARED = ("gate", "list")
# A part of the calls may be refused: a school that is closed, a pupil who is away.
REFUSED = 0.05


class Sizing:
    """A house that is measured."""

    def __init__(self, stage, options):
        self.stage = stage
        self.options = options
        self.house = houses.House(stage, max_connections=CONNECTIONS)
        for service in houses.SERVICES:
            replicas.give_page(self.house.settings[service])
        # A few callers stand for many.
        self.house.settings["gateway"]["limits"] = houses.limits(20_000, 40_000)
        self.doors = [self.house.door]
        self.twins = []

    def processes(self):
        """The processes of each service, all its replicas."""
        found = {service: [self.house.processes[service]] for service in houses.SERVICES}
        for twin in self.twins:
            found[twin.service].append(twin.process)
        return found

    def quiet(self):
        """Waits until nothing is left to do."""
        numbers = [one.child.pid for all_ in self.processes().values() for one in all_]

        def still():
            before = sum(processor(number) for number in numbers)
            time.sleep(1)
            return sum(processor(number) for number in numbers) - before < QUIET

        until("the house is quiet", still, AFTERWARDS)

    def students(self):
        return int(self.house.cluster.sql("SELECT count(*) FROM students", "campus_roster"))

    def fresh(self):
        """Memory of processes that have just started on the register as it is, and how many students it has."""
        self.house.restart()
        town.settled(self.house, *town.schools(self.house, town.FIRST[0]))
        self.quiet()
        return {"students": self.students(), "memory": self.memory()}

    def memory(self):
        """Of each service, the largest of its replicas."""
        return {
            service: round(max(resident(one.child.pid)[0] for one in all_), 1)
            for service, all_ in self.processes().items()
        }

    def idle(self, server):
        """What is used while nobody asks anything."""
        with Watch(self.processes(), server) as watch:
            time.sleep(IDLE)
        return {
            "processor": {service: round(used / IDLE, 4) for service, used in watch.processor.items()},
            "database": round(watch.database / IDLE, 4),
            "connections": watch.connections,
            "memory": self.memory(),
        }

    def ask(self, number, call):
        door = self.doors[number % len(self.doors)]
        return door.ask(*call)

    def drive(self, calls, again):
        """Makes the calls, by several callers at once, once or again and again, for as long as is wished: how many were
        made, how long it took, and what refusals said."""
        end = time.monotonic() + self.options.seconds
        began = time.monotonic()
        source = enumerate(itertools.cycle(calls) if again else calls)
        made, refused = 0, []
        with concurrent.futures.ThreadPoolExecutor(self.options.callers) as callers:
            while time.monotonic() < end:
                some = list(itertools.islice(source, 8 * self.options.callers))
                if not some:
                    break
                for status, answer in callers.map(lambda one: self.ask(*one), some):
                    made += 1
                    if status != 200:
                        refused.append(f"{status} {str(answer)[:300]}")
        must(made, "there was nothing to do")
        must(len(refused) <= REFUSED * made, f"{len(refused)} of {made} calls were refused: {refused[:1]}")
        return made, time.monotonic() - began

    def act(self, server, kind, calls):
        """What an act of this kind costs each service and the databases."""
        self.quiet()
        before, log = server.bytes(), server.log()
        with Watch(self.processes(), server) as watch:
            made, took = self.drive(calls, kind in AGAIN)
            # What the act causes in others belongs to it.
            self.quiet()
        after = server.bytes()
        return {
            "calls": made,
            "second": round(made / took, 1),
            "processor": {service: round(1000 * used / made, 3) for service, used in watch.processor.items()},
            "database": round(1000 * watch.database / made, 3),
            "bytes": {service: round((after[service] - before[service]) / made, 1) for service in after},
            "log": round((server.log() - log) / made, 1),
            "peak": {service: round(most, 1) for service, most in watch.peak.items()},
            "connections": watch.connections,
        }

    def second_replicas(self):
        """A second replica of each service; callers take both gateways."""
        for service in houses.SERVICES:
            twin = replicas.Twin(self.house, service)
            if service != "gateway":
                twin.told_to_gateway()
            self.twins.append(twin)
        self.twins[-1].settings["upstreams"] = self.house.settings["gateway"]["upstreams"]
        for twin in self.twins:
            twin.start(self.stage.binary(twin.service))
        self.house.restart("gateway")
        self.doors.append(Door(self.twins[-1].port, self.house.authority.certificate))


def measure(stage, options):
    """Everything that is measured, as sizes.json has it."""
    found = {}
    with stage.step("a house runs, with two districts in its register"):
        sizing = Sizing(stage, options)
        source = town.generate(stage, options.students)
        sizing.house.open()
        town.settle(sizing.house)
        declare(sizing.house)
        small = sizing.fresh()
    with stage.step("the whole city comes into the register"):
        town.bring_in(sizing.house, source / "oneroster", town.CITY)
        sizing.quiet()
        large = sizing.fresh()
        found["registers"] = [small, large]
        server = Server(sizing.house.cluster)
        found["register_bytes"] = server.bytes()
    with stage.step("nobody asks anything"):
        found["idle"] = sizing.idle(server)
    found["acts"] = {}
    for kind in ACTS:
        with stage.step(f"{kind}: {options.seconds} s at most, by {options.callers} callers"):
            schools = Town(sizing.house, options.schools)
            found["acts"][kind] = sizing.act(server, kind, schools.calls(kind))
    with stage.step("a second replica of each service"):
        sizing.second_replicas()
        sizing.quiet()
        found["two"] = {"idle": sizing.idle(server), "acts": {}}
    for kind in SHARED:
        with stage.step(f"{kind}: the same by two replicas of each service"):
            schools = Town(sizing.house, options.schools)
            found["two"]["acts"][kind] = sizing.act(server, kind, schools.calls(kind))
    return found
