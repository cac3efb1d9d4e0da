"""What a trial, a district and a city need, by what was measured: pure arithmetic, and the table that tells it."""

import math

from acts import ACTS

# How many students each profile of the chart is for, and how many replicas it has at least.
PROFILES = {"trial": (2_000, 1), "district": (100_000, 2), "city": (1_500_000, 3)}
SERVICES = ("roster", "sampling", "safety-inspection", "notification", "gateway")
# How busy the processors that are requested may be in the densest second, with one replica lost.
BUSY = 0.7
# Processors that one replica can use: workerThreads of the chart.
THREADS = 2
# School days of a year.
DAYS = 200
# In what steps requests and limits are told: thousandths of a processor, MiB.
CPU_STEP, MEMORY_STEP = 50, 64
# Room above what was seen: of memory that is kept, of memory at most.
KEPT, MOST = 1.2, 1.5
# By how many MiB two processes differ that have the same to keep.
ALIKE = 5


def up(value, step):
    """The next multiple."""
    return max(step, math.ceil(value / step - 1e-9) * step)


def processors(measured, service, students):
    """Processors that a service needs in the densest second of so many students, all replicas together."""
    work = sum(
        dense * students * measured["acts"][kind]["processor"][service] / 1000 for kind, (_, dense) in ACTS.items()
    )
    return measured["idle"]["processor"][service] + work


def memory(measured, service, students):
    """MiB that a process keeps with so many students, and the most at work: what grows with the register goes on so. The
    gateway keeps nothing of it."""
    small, large = measured["registers"]
    grown = large["memory"][service] - small["memory"][service]
    if service == "gateway" or grown < ALIKE:
        grown = 0.0
    for_each = grown / max(1, large["students"] - small["students"])
    kept = large["memory"][service] + for_each * max(0, students - large["students"])
    most = max(one["peak"][service] for one in measured["acts"].values())
    return kept, kept + max(0.0, most - large["memory"][service])


def connections(measured, service):
    """Connections that a replica opens at most; the gateway has none."""
    seen = [one["connections"].get(service, 0) for one in measured["acts"].values()]
    return 0 if service == "gateway" else up(max(seen), 4)


def disk(measured, service, students):
    """Bytes of a database after a year of so many students, and what it grows by on a school day."""
    if service == "gateway":
        return 0, 0
    day = sum(often * students * max(0.0, measured["acts"][kind]["bytes"][service]) for kind, (often, _) in ACTS.items())
    register = measured["register_bytes"][service] / measured["registers"][1]["students"] * students
    return register + DAYS * day, day


def need(measured, service, students, fewest):
    """What a service needs for so many students, with so many replicas at least."""
    used = processors(measured, service, students)
    replicas = fewest
    # With one replica lost the others must bear the densest second.
    while used > BUSY * THREADS * max(1, replicas - 1):
        replicas += 1
    kept, most = memory(measured, service, students)
    # A trial has its files, and no server.
    open_ = connections(measured, service) if fewest > 1 else 0
    year, _ = disk(measured, service, students)
    return {
        "replicas": replicas,
        "cpu": up(1000 * used / BUSY / max(1, replicas - 1), CPU_STEP),
        "memory": up(KEPT * kept, MEMORY_STEP),
        "memory_limit": up(MOST * most, MEMORY_STEP),
        "connections": open_,
        # One more comes up before another goes down.
        "connections_of_all": open_ * (replicas + 1),
        "disk": math.ceil(year / (1 << 30)),
    }


def sizes(measured):
    """Each profile with what each service needs."""
    return {
        name: {
            "students": students,
            "services": {service: need(measured, service, students, fewest) for service in SERVICES},
        }
        for name, (students, fewest) in PROFILES.items()
    }


def told(one):
    """What a service needs, in a cell."""
    text = f"{one['replicas']} × {one['cpu']}m, {one['memory']} / {one['memory_limit']} Mi"
    if one["connections"]:
        text += f"; {one['connections_of_all']} connections"
    return text + (f"; {one['disk']} Gi" if one["disk"] else "")


def render(profiles):
    """The table, in Markdown: replicas × CPU and memory requested / memory at most; connections of all replicas with one
    more during an upgrade; the database after a year."""
    head = " | ".join(f"{name}, {one['students']:,} students" for name, one in profiles.items())
    rows = [f"| | {head} |", "|---" * (len(profiles) + 1) + "|"]
    for service in SERVICES:
        cells = " | ".join(told(one["services"][service]) for one in profiles.values())
        rows.append(f"| {service} | {cells} |")
    return "\n".join(rows) + "\n"


def costs(measured):
    """What an act costs, in Markdown: ms of processors by service and of the databases, bytes that stay, bytes of log."""
    rows = [f"| one act, ms of a processor | {' | '.join(SERVICES)} | PostgreSQL | bytes kept | bytes of log |",
            "|---" * (len(SERVICES) + 4) + "|"]
    for kind, one in measured["acts"].items():
        by_service = " | ".join(f"{one['processor'][service]:.2f}" for service in SERVICES)
        kept = sum(max(0.0, grown) for grown in one["bytes"].values())
        rows.append(f"| {kind} | {by_service} | {one['database']:.2f} | {kept:,.0f} | {one['log']:,.0f} |")
    return "\n".join(rows) + "\n"


def processes(measured):
    """What processes use while nobody asks anything and at work, alone and as one of two, in Markdown."""
    rows = ["| MiB of a process | fresh, idle | at most | one of two, idle | one of two, at most | CPU idle |", "|---" * 6 + "|"]
    for service in SERVICES:
        most = max(one["peak"][service] for one in measured["acts"].values())
        shared = max(one["peak"][service] for one in measured["two"]["acts"].values())
        idle, two = measured["idle"], measured["two"]["idle"]
        rows.append(
            f"| {service} | {idle['memory'][service]:.0f} | {most:.0f} | {two['memory'][service]:.0f} | {shared:.0f} | "
            f"{1000 * idle['processor'][service]:.0f}m |"
        )
    return "\n".join(rows) + "\n"
