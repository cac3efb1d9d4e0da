"""A lost service: what goes on without it, what is refused and how soon, and how it comes back."""

import datetime
import time

import house as houses
import town
from calls import reason_of, request_id
from stage import must, until

# How soon what a lost service should have answered is refused, in seconds.
SOON = 10


def rehearse(stage):
    with stage.step("a house runs, and a school has had its morning"):
        house = houses.House(stage).open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        town.settled(house, other)
        names = town.morning(house, school)
    door = house.door
    with stage.step("sampling is killed: the gate decides as before"):
        house.processes["sampling"].kill()
        names.append(admitted(door.call(*school.enter())))
    with stage.step("checks are refused at once, with a reason, and nothing hangs"):
        away(door, other.check(findings=3))
    with stage.step("roster is killed as well: the gate still decides, and the overview says what it does not know"):
        house.processes["roster"].kill()
        names.append(admitted(door.call(*other.enter())))
        overview = door.call(house.token("city-officer", town.CITY), f"/v1/organizations/{town.CITY}/overview")
        states = {one["kind"]: one["state"] for one in overview["sections"]}
        must(states["KIND_CHECKS"] == "STATE_UNAVAILABLE" and states["KIND_SAFETY"] == "STATE_CURRENT", f"{states}")
    with stage.step("they are started again, upstream first, on what they had"):
        house.start("roster", "sampling")
        town.remembered(house, names, school, other)
    with stage.step("what was refused is sent again: it is stored once, and reaches the gate"):
        token, path, body = other.check(findings=3)
        first = until("the check is stored", lambda: stored(door.ask(token, path, body)))
        again = door.call(token, path, body)
        must(again["verdict"] == "VERDICT_REPEATED" and again["check"]["name"] == first["check"]["name"], f"{again}")
        until("the gate keeps the ill out", lambda: denied(door.ask(*other.enter(0))))
    with stage.step("notification is killed: the gate and checks go on, a notice is refused at once"):
        house.processes["notification"].kill()
        names.append(admitted(door.call(*school.enter(1))))
        ill = door.call(*school.check(findings=3, slot="SLOT_NOON"))["check"]["name"]
        names.append(ill)
        notice = town.letter(house, school)
        away(door, notice)
    with stage.step("it is started again: the notice is sent again and goes out once, and it hears what it missed"):
        house.start("notification")
        first = until("the notice is taken", lambda: stored(door.ask(*notice)))
        must(door.call(*notice)["name"] == first["name"], "a repeat is another notice")
        until("the ill are an alert", lambda: alerts(house, school))
    with stage.step("safety-inspection is killed: the gate is refused at once, and decides by its list; checks go on"):
        until("the list of the gate has the ill", lambda: school.list().get("blocked"))
        gate = Gate(school)
        house.processes["safety-inspection"].kill()
        away(door, school.enter(5))
        decided = [gate.decide(0), gate.decide(5)]
        must([one["result"] for one in decided] == ["RESULT_DENY", "RESULT_ADMIT"], f"{decided}")
        names.append(door.call(*other.check(slot="SLOT_NOON"))["check"]["name"])
    with stage.step("it is started again: the gate tells what it decided, which is stored once"):
        house.start("safety-inspection")
        verdicts = gate.tell(decided)
        must([one["outcome"] for one in verdicts] == ["OUTCOME_RECORDED"] * 2, f"{verdicts}")
        again = gate.tell(decided)
        must([one["outcome"] for one in again] == ["OUTCOME_REPEATED"] * 2, f"{again}")
        names += [one["gateDecision"] for one in verdicts]
        names.append(admitted(door.call(*school.enter(6))))
    with stage.step("the gateway is killed: it starts again within seconds and remembers nothing that matters"):
        house.processes["gateway"].kill()
        status, _ = door.ask(*school.enter())
        must(status == 0, "somebody else answers")
        house.start("gateway")
        names.append(admitted(door.call(*school.enter(7))))
    with stage.step("everything that was acknowledged is there, once"):
        must(len(set(names)) == len(names), "a name came twice")
        town.remembered(house, names, school, other)


class Gate:
    """A gate that fetched its list while there was somebody to ask."""

    def __init__(self, school):
        self.school = school
        self.list = school.list()

    def decide(self, pupil):
        """What it does by its list with a pupil who looks well."""
        _, _, asked = self.school.enter(pupil)
        person = asked["person"]
        out = person not in self.list["members"] or person in [one["person"] for one in self.list.get("blocked", [])]
        return {
            "clientId": request_id(),
            "person": person,
            "observation": asked["observation"],
            "result": "RESULT_DENY" if out else "RESULT_ADMIT",
            "decideTime": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "snapshotFactsTime": self.list["factsTime"],
        }

    def tell(self, decisions):
        """Hands in what it decided: a verdict for each."""
        body = {"device": "south gate", "decisions": decisions}
        path = f"/v1/{self.school.name}/gateDecisions:recordBatch"
        return self.school.house.door.call(self.school.token("guard"), path, body)["verdicts"]


def away(door, call):
    """A call whose service is gone is refused soon, and for that."""
    began = time.monotonic()
    status, answer = door.ask(*call)
    must(status == 503 and reason_of(answer) == "UNAVAILABLE", f"{status} {answer}")
    must(time.monotonic() - began < SOON, f"it took {time.monotonic() - began:.0f} s")


def alerts(house, school):
    """The alerts of a school."""
    return house.door.pages(house.token("principal", school.path), f"/v1/{school.name}/alerts", "alerts")


def admitted(decision):
    must(decision.get("effectiveResult") == "RESULT_ADMIT", f"{decision}")
    return decision["name"]


def stored(answer):
    status, told = answer
    return told if status == 200 else None


def denied(answer):
    status, told = answer
    return status == 200 and told["effectiveResult"] == "RESULT_DENY"
