"""A full disk: writes are refused with a reason, and so are reads of personal data, which cannot be recorded; other reads
go on, nothing restarts, and it goes on by itself once there is room. The log stands on a disk of its own, as it should: a
full one stops the server."""

import os

import house as houses
import town
from calls import reason_of
from postgres import Cluster
from stage import Failed, must, until

# How large the small disk is, in megabytes: several times what the cluster of a small city takes.
DISK = 256
# How many decisions are written at most before the disk must be full, and be room again.
WRITES = 3000


def rehearse(stage):
    if os.geteuid() != 0:
        raise Failed("only root can make the small disk")
    with stage.step("PostgreSQL keeps its tables on a small disk, and its log elsewhere"):
        disk = stage.mount_memory(stage.folder / "disk", DISK)
        cluster = Cluster(stage, folder=disk, max_wal_size="64MB", log_min_messages="fatal").create(
            log_folder=stage.folder / "wal")
        cluster.start()
    with stage.step("a house runs on it, and a school has had its morning"):
        house = houses.House(stage, cluster).open()
        town.settle(house)
        (school,) = town.schools(house, town.FIRST[0])
        town.settled(house, school)
        names = town.morning(house, school)
    door = house.door
    token, path, body = school.enter()
    ballast = disk / "ballast"
    with stage.step("the disk fills up: the gate refuses what it cannot keep, and says why"):
        fill(ballast)
        for _ in range(WRITES):
            status, answer = door.ask(token, path, body)
            if status != 200:
                break
            names.append(answer["name"])
        must(reason_of(answer) == "STORAGE_FULL", f"{status} {answer}")
    with stage.step("reads go on but those of personal data, which cannot be recorded; no service ends"):
        officer = house.token("city-officer", town.CITY)
        for _ in range(3):
            door.call(officer, f"/v1/{school.name}")
        door.refused(school.token("guard"), f"/v1/{names[-1]}", "UNAVAILABLE")
        for process in house.processes.values():
            must(process.runs(), f"{process.name} ended: {process.said()}")
    with stage.step("room is made: it goes on within seconds, and nothing was restarted"):
        before = {name: process.child.pid for name, process in house.processes.items()}
        ballast.unlink()
        written = until("the gate decides again", lambda: stored(door.ask(token, path, body)), patience=30)
        names.append(written["name"])
        must(before == {name: process.child.pid for name, process in house.processes.items()}, "a service was restarted")
    with stage.step("everything that was acknowledged is there, once, and the audit verifies"):
        must(len(set(names)) == len(names), "a name came twice")
        town.remembered(house, names[-200:], school)
        answer = door.call(house.token("audit-admin", ""), "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")


def fill(ballast):
    """Takes all the room that there is."""
    # What were buffered would fail once more when the file is closed.
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def stored(answer):
    status, told = answer
    return told if status == 200 else None
