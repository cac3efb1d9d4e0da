"""A lost service: what goes on without it, what is refused and how soon, and how it comes back."""

import time

import house as houses
import town
from calls import reason_of
from stage import must, until


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
        began = time.monotonic()
        status, answer = door.ask(*other.check(findings=3))
        must(status == 503 and reason_of(answer) == "UNAVAILABLE", f"{status} {answer}")
        must(time.monotonic() - began < 10, f"it took {time.monotonic() - began:.0f} s")
    with stage.step("roster is killed as well: the gate still decides, and the overview says what it does not know"):
        house.processes["roster"].kill()
        names.append(admitted(door.call(*other.enter())))
        overview = door.call(house.token("city-officer", town.CITY), f"/v1/organizations/{town.CITY}/overview")
        must(overview, "no overview")
    with stage.step("they are started again, upstream first, on what they had"):
        house.start("roster", "sampling")
        town.remembered(house, names, school, other)
    with stage.step("what was refused is sent again: it is stored once, and reaches the gate"):
        token, path, body = other.check(findings=3)
        first = until("the check is stored", lambda: stored(door.ask(token, path, body)))
        again = door.call(token, path, body)
        must(again["verdict"] == "VERDICT_REPEATED" and again["check"]["name"] == first["check"]["name"], f"{again}")
        until("the gate keeps the ill out", lambda: denied(door.ask(*other.enter(0))))
    with stage.step("the gateway is killed: it starts again within seconds and remembers nothing that matters"):
        house.processes["gateway"].kill()
        status, _ = door.ask(*school.enter())
        must(status == 0, "somebody else answers")
        house.start("gateway")
        names.append(admitted(door.call(*school.enter(1))))
    with stage.step("everything that was acknowledged is there, once"):
        must(len(set(names)) == len(names), "a name came twice")
        town.remembered(house, names, school, other)


def admitted(decision):
    must(decision.get("effectiveResult") == "RESULT_ADMIT", f"{decision}")
    return decision["name"]


def stored(answer):
    status, told = answer
    return told if status == 200 else None


def denied(answer):
    status, told = answer
    return status == 200 and told["effectiveResult"] == "RESULT_DENY"
