"""Rolling back: the schema stays where a newer version brought it, and this version runs on it. Services change one by
one while work goes on."""

import threading

import house as houses
import town
from calls import reason_of
from postgres import STORES, database
from stage import must, until

# What a newer version added; no release has it.
NEWER = "m29990101_000001_rehearsal"


def rehearse(stage):
    with stage.step("a house runs, and a school has its morning"):
        house = houses.House(stage).open()
        town.settle(house)
        (school,) = town.schools(house, town.FIRST[0])
        town.settled(house, school)
        names = town.morning(house, school)
    with stage.step("a newer version has brought every schema further: columns, a table, an index"):
        for service in STORES:
            of, table = database(service), service.replace("-", "_")
            house.cluster.sql("ALTER TABLE requests ADD COLUMN rehearsal BIGINT NOT NULL DEFAULT 0", of)
            house.cluster.sql("CREATE TABLE rehearsal (id BIGINT PRIMARY KEY)", of)
            house.cluster.sql("CREATE INDEX CONCURRENTLY requests_rehearsal ON requests (rehearsal)", of)
            house.cluster.sql(f"INSERT INTO {table}_migrations VALUES ('{NEWER}', 0)", of)
    with stage.step("campus migrate says so, and changes nothing"):
        house.write_settings()
        done = stage.campus("migrate", "--config", house.settings_folder, env=house.whole_environment())
        must(done.stdout.count(NEWER) == len(STORES), done.stdout)
    work = Work(house, school)
    work.begin()
    with stage.step("each service is brought back to this version, the gateway first, while a gate goes on asking"):
        for service in reversed(houses.SERVICES):
            house.stop(service)
            house.start(service)
        until("the gate is served by all of them", work.served)
        work.end()
    with stage.step("nothing that was acknowledged is lost, and refusals said that one may try again"):
        must(work.taken, "nothing was taken meanwhile")
        must(set(work.refused) <= {"UNAVAILABLE", "OVERLOADED", "DEADLINE_EXCEEDED", None}, f"{work.refused}")
        town.remembered(house, names + work.taken[-100:], school)
    with stage.step("forward again is the same way: what a newer version added is still there"):
        for service in STORES:
            found = house.cluster.sql("SELECT count(*) FROM rehearsal", database(service))
            must(found == "0", f"{service}: {found}")
        town.remembered(house, [house.door.call(*school.enter())["name"]], school)


class Work:
    """A gate that asks again and again."""

    def __init__(self, house, school):
        self.house = house
        self.call = school.enter()
        self.over = threading.Event()
        self.taken, self.refused, self.since = [], [], 0
        self.thread = threading.Thread(target=self.ask, daemon=True)

    def begin(self):
        self.thread.start()

    def end(self):
        self.over.set()
        self.thread.join(60)

    def ask(self):
        while not self.over.wait(0.05):
            status, answer = self.house.door.ask(*self.call)
            if status == 200:
                self.taken.append(answer["name"])
                self.since += 1
            else:
                self.refused.append(reason_of(answer))
                self.since = 0

    def served(self):
        """Whether the last calls were all taken."""
        return self.since > 10
