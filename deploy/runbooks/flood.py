"""A flood on a returning morning: more comes than the house can take. What is taken is kept, the rest is refused soon
and with a time to come back; one caller cannot take the place of all. A second replica, or more room, takes more."""

import threading
import time

import house as houses
import replicas
import town
from calls import reason_of
from scrapes import Scrape
from stage import must, until

# How many gates ask at once, and for how long, in seconds.
GATES = 32
SPAN = 8
# How many calls safety-inspection has under way at once: few, so that this machine can flood it.
ROOM = 4
# How soon a refusal comes, in seconds, on a machine whose cores the flood keeps busy as well.
SOON = 5


def rehearse(stage):
    with stage.step("a house runs whose callers have a limit"):
        house = houses.House(stage)
        house.settings["gateway"]["limits"] = houses.limits(40, 60)
        house.open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        town.settled(house, other)
    with stage.step("one gate asks without end: it is told when to come back, and the others do not notice"):
        alone = Flood(house, school, gates=4, subject=lambda gate: "guard-1")
        alone.begin()
        until("the gate is told to come back", lambda: alone.refused)
        quiet = [house.door.ask(*other.enter())[0] for _ in range(10)]
        alone.end()
        must(quiet == [200] * 10, f"another gate: {quiet}")
        alone.judge()
    print(f"      {alone}")
    with stage.step("limits of callers are raised; safety-inspection gets a small room, so that this machine can fill it"):
        house.settings["gateway"]["limits"] = houses.limits(5000, 20000)
        house.settings["safety-inspection"]["server"]["max_in_flight"] = ROOM
        house.write_settings()
        house.restart("safety-inspection", "gateway")
    with stage.step(f"{GATES} gates ask at once for {SPAN} s: what is taken is kept, what is refused is refused soon"):
        many = Flood(house, school, GATES, subject=lambda gate: f"guard-{gate + 10}")
        many.begin()
        time.sleep(SPAN)
        many.end()
        many.judge()
    print(f"      {many}")
    with stage.step("when it is over the next call is taken as before"):
        until("the gate decides", lambda: house.door.ask(*other.enter())[0] == 200, patience=10)
        must(all(process.runs() for process in house.processes.values()), "a service ended")
    with stage.step("the operator starts a second replica of safety-inspection: both decide, and more is taken"):
        twin = replicas.Twin(house, "safety-inspection").start(stage.binary("safety-inspection"))
        twin.told_to_gateway()
        house.restart("gateway")
        until("the gateway calls both", lambda: called(house) == 2)
        two = Flood(house, school, GATES, subject=lambda gate: f"guard-{gate + 90}")
        before = [replicas.answered(one) for one in (house.settings["safety-inspection"], twin.settings)]
        two.begin()
        time.sleep(SPAN)
        two.end()
        two.judge()
        after = [replicas.answered(one) for one in (house.settings["safety-inspection"], twin.settings)]
        rises = [now - then for now, then in zip(after, before)]
        must(min(rises) > 0.2 * sum(rises), f"one of them did nearly everything: {rises}")
        must(two.share() > many.share(), f"{two.share():.2f} is not more than {many.share():.2f}")
    print(f"      {two}")
    with stage.step("the operator makes room in place of it, and restarts one by one: more is taken"):
        house.settings["safety-inspection"]["server"]["max_in_flight"] = 4096
        twin.forgotten_by_gateway()
        house.write_settings()
        house.restart("safety-inspection", "gateway")
        twin.stop()
        wide = Flood(house, school, GATES, subject=lambda gate: f"guard-{gate + 50}")
        wide.begin()
        time.sleep(SPAN)
        wide.end()
        wide.judge()
        must(wide.share() > many.share(), f"{wide.share():.2f} is not more than {many.share():.2f}")
    print(f"      {wide}")
    with stage.step("each decision that was acknowledged is there, and no name came twice"):
        names = alone.taken + many.taken + two.taken + wide.taken
        must(len(set(names)) == len(names), "a name came twice")
        town.remembered(house, names[:: max(1, len(names) // 200)], school)


def called(house):
    """How many replicas of safety-inspection the gateway calls."""
    return Scrape(house).value("campus_upstream_replicas", upstream="safety-inspection", state="called")


class Flood:
    """Gates of one school that ask as fast as they can."""

    def __init__(self, house, school, gates, subject):
        self.house = house
        self.school = school
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.taken, self.refused, self.slowest = [], {}, 0.0
        tokens = [house.token("guard", school.path, subject=subject(gate)) for gate in range(gates)]
        self.threads = [threading.Thread(target=self.ask, args=(token,), daemon=True) for token in tokens]

    def __str__(self):
        refused = ", ".join(f"{count} {reason}" for reason, count in sorted(self.refused.items()))
        return f"{len(self.taken)} taken; refused: {refused or 'none'}; the slowest refusal {self.slowest:.2f} s"

    def asked(self):
        return len(self.taken) + sum(self.refused.values())

    def share(self):
        """Of what was asked, how much was taken."""
        return len(self.taken) / max(1, self.asked())

    def begin(self):
        for thread in self.threads:
            thread.start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def ask(self, token):
        _, path, body = self.school.enter(token=token)
        while not self.over.is_set():
            began = time.monotonic()
            status, answer = self.house.door.ask(token, path, body)
            took = time.monotonic() - began
            with self.lock:
                if status == 200:
                    self.taken.append(answer["name"])
                else:
                    reason = reason_of(answer) or f"status {status} {answer.get('message', '')}"
                    self.refused[reason] = self.refused.get(reason, 0) + 1
                    self.slowest = max(self.slowest, took)

    def judge(self):
        must(self.taken, f"nothing was taken: {self}")
        must(set(self.refused) <= {"OVERLOADED", "RATE_LIMITED"}, f"refused otherwise: {self}")
        must(self.slowest < SOON, f"a refusal came late: {self}")
