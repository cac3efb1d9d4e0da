"""A slow database of one service: its calls take longer and end in time, those of others are as fast as before, and
what was sent again has one effect."""

import json
import statistics
import time

import house as houses
import town
from calls import reason_of
from proxy import Proxy
from stage import must, until

# How much longer each step of the conversation with the database takes, in seconds.
SLOW = 0.2
# A call with a deadline ends no later than this after it, in seconds.
GRACE = 5
# How long the impatient caller waits, in seconds.
DEADLINE = 3


def rehearse(stage):
    with stage.step("a house runs whose sampling reaches its database by a way that can be slowed down"):
        house = houses.House(stage)
        proxy = Proxy(stage, house.cluster.port)
        house.database_ports["sampling"] = proxy.port
        house.open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        names = town.morning(house, school)
        usual = median(house, school)
    door = house.door
    with stage.step("the database of sampling is slow: a check takes longer, and is stored"):
        proxy.flow(SLOW)
        began = time.monotonic()
        status, answer = door.ask(*other.check())
        took = time.monotonic() - began
        must(status == 200, f"{status} {answer}")
        must(took > SLOW, f"it was not slow: {took:.2f} s")
        names.append(answer["check"]["name"])
    with stage.step("the gate is as fast as before"):
        # Both are measured on a machine that does other things as well.
        now = median(house, school)
        must(now < usual * 3 + 0.2, f"{now:.3f} s in place of {usual:.3f} s")
    token, path, body = other.check(slot="SLOT_NOON")
    with stage.step("the database says nothing at all: whoever waits is told in time, and not for ever"):
        proxy.stall()
        began = time.monotonic()
        status, answer = impatient(house, token, path, body)
        took = time.monotonic() - began
        must(status in (429, 503, 504), f"{status} {answer}")
        must(took < DEADLINE + GRACE, f"it took {took:.1f} s")
        must(reason_of(answer) != "INTERNAL", f"{answer}")
    with stage.step("it answers again: the same check is taken, once, however often it was sent"):
        proxy.flow()
        first = until("the check is stored", lambda: stored(door.ask(token, path, body)))
        again = door.call(token, path, body)
        must(again["verdict"] == "VERDICT_REPEATED" and again["check"]["name"] == first["check"]["name"], f"{again}")
        names.append(first["check"]["name"])
    with stage.step("sampling became ready again by itself, and everything that was acknowledged is there"):
        until("sampling is ready", lambda: house.ready("sampling"))
        must(house.processes["sampling"].runs(), "sampling ended")
        town.remembered(house, names, school, other)


def impatient(house, token, path, body):
    """A call that says how long it waits."""
    connection = house.door.connect()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json",
               "x-request-timeout": str(DEADLINE)}
    connection.request("POST", path, json.dumps(body).encode(), headers)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text)


def median(house, school, count=15):
    """How long the gate takes to decide, in seconds."""
    token, path, body = school.enter()
    spans = []
    for _ in range(count):
        began = time.monotonic()
        house.door.call(token, path, body)
        spans.append(time.monotonic() - began)
    return statistics.median(spans)


def stored(answer):
    status, told = answer
    return told if status == 200 else None
