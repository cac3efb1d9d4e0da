"""What processes and a server of PostgreSQL use: memory, time of processors, connections, bytes."""

import os
import threading
from pathlib import Path

from postgres import STORES, database

TICK = os.sysconf("SC_CLK_TCK")
# Between two looks while something is going on, in seconds.
LOOK = 0.5


def status(number, field):
    """A figure of /proc/N/status in KiB."""
    for line in Path(f"/proc/{number}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


def resident(number):
    """The memory of a process in MiB, and the most since it was last forgotten."""
    return status(number, "VmRSS") / 1024, status(number, "VmHWM") / 1024


def forget_peak(number):
    """The most memory that a process had is what it has now."""
    Path(f"/proc/{number}/clear_refs").write_text("5", encoding="ascii")


def processor(number):
    """How long a process has run on processors, in seconds."""
    fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Server:
    """What the processes of a cluster use, also of those that end meanwhile, as far as they were seen."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.head = int((cluster.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        self.first, self.last = {}, {}
        self.look()

    def look(self):
        """Reads each process once more."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if status(entry.name, "PPid") != self.head and int(entry.name) != self.head:
                        continue
                    used = processor(entry.name)
                except (OSError, ValueError):
                    continue
                self.first.setdefault(entry.name, used if not self.last else 0.0)
                self.last[entry.name] = used

    def used(self):
        """Seconds on processors since the first look."""
        self.look()
        return sum(used - self.first[number] for number, used in self.last.items())

    def connections(self):
        """How many connections each service has."""
        text = self.cluster.sql("SELECT datname, count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1")
        counts = dict(line.split("|") for line in text.splitlines())
        return {service: int(counts.get(database(service), 0)) for service in STORES}

    def bytes(self):
        """How large each database is, after what was written has come to its tables."""
        self.cluster.sql("CHECKPOINT")
        return {service: int(self.cluster.sql(f"SELECT pg_database_size('{database(service)}')")) for service in STORES}

    def log(self):
        """How many bytes of its log it has written so far."""
        return int(self.cluster.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))


class Watch:
    """What is used while something goes on: from `with` to its end."""

    def __init__(self, processes, server):
        # By name, the processes of its replicas.
        self.processes = processes
        self.server = server
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.connections = {}

    def run(self):
        while not self.over.wait(LOOK):
            self.server.look()
            self.count()

    def count(self):
        for service, count in self.server.connections().items():
            self.connections[service] = max(count, self.connections.get(service, 0))

    def time(self):
        return {name: sum(processor(one.child.pid) for one in all_) for name, all_ in self.processes.items()}

    def __enter__(self):
        for replicas in self.processes.values():
            for one in replicas:
                forget_peak(one.child.pid)
        self.began = self.time()
        self.server_began = self.server.used()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(60)
        self.count()
        self.processor = {name: used - self.began[name] for name, used in self.time().items()}
        self.database = self.server.used() - self.server_began
        # The largest of the replicas of each.
        self.peak = {
            name: max(resident(one.child.pid)[1] for one in replicas) for name, replicas in self.processes.items()
        }
