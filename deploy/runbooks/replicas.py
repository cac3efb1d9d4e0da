"""More than one replica of a service, and what each replica tells of itself."""

import copy
import urllib.error
import urllib.request

from house import CALLS, toml
from stage import Process, free_port, must, until

# How long a page of operators may take, in seconds.
DEADLINE = 10


def give_page(settings):
    """Gives a service, by its settings, a page for operators at a port of its own."""
    settings["telemetry"]["listen"] = f"127.0.0.1:{free_port()}"


def page(settings, path):
    """The status and the text of a page; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{settings['telemetry']['listen']}{path}", timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        return err.code, err.read().decode()
    except OSError as err:
        return 0, str(err)


def answered(settings):
    """How many calls of contracts, streams left out, a process with these settings has answered."""
    status, text = page(settings, "/metrics")
    must(status == 200, f"/metrics: {status} {text[:200]}")
    return count(text)


def count(text):
    """The same, from what Prometheus reads."""
    found = 0.0
    for line in text.splitlines():
        if line.startswith("campus_rpc_calls_total{") and 'contract="campus.' in line and 'kind="stream"' not in line:
            found += float(line.rpartition(" ")[2])
    return found


class Twin:
    """A second replica of a service: the same settings and database, ports of its own."""

    def __init__(self, house, service):
        self.house = house
        self.service = service
        self.port = free_port()
        self.settings = copy.deepcopy(house.settings[service])
        self.settings["server"]["listen"] = f"127.0.0.1:{self.port}"
        give_page(self.settings)
        self.file = house.folder / f"{service}-twin.toml"
        self.process = None

    def start(self, binary):
        """Starts it, and waits until it is ready."""
        self.file.write_text(toml(self.settings), encoding="utf-8")
        if CALLS.get(self.service):
            self.house.refresh_token(self.service)
        command = [binary, "--config", self.file]
        environment = self.house.environment(self.service)
        self.process = Process(self.house.stage, f"{self.service}-twin", command, environment).start()

        def ready():
            must(self.process.runs(), f"{self.process.name} ended: {self.process.said()}")
            return page(self.settings, "/readyz")[0] == 200

        until(f"{self.process.name} is ready", ready)
        return self

    def stop(self):
        self.process.stop()

    def told_to_gateway(self):
        """Writes into the settings of the gateway that there are two; it reads them when it starts."""
        both = f"{self.house.address(self.service)},http://127.0.0.1:{self.port}"
        self.house.settings["gateway"]["upstreams"][self.service.replace("-", "_")] = both
        self.house.write_settings("gateway")

    def forgotten_by_gateway(self):
        """Takes it out of the settings of the gateway."""
        self.house.settings["gateway"]["upstreams"][self.service.replace("-", "_")] = self.house.address(self.service)
        self.house.write_settings("gateway")
