"""Images in a storage of their own, and containers that run as pods of the chart do."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from chart import DEPLOY, container, deployments, of_kind, profile, service_of

TOOLS = ("buildah", "podman", "runc", "nsenter", "curl")
VERSION = re.search(r'^version = "(.+)"$', (DEPLOY.parent / "Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
# How long anything is waited for, in seconds, and the pause between two looks.
PATIENCE = 60
PAUSE = 0.1


def missing():
    """Why no image can be built and run here; nothing where one can."""
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return f"{', '.join(absent)} not installed"
    return "" if os.geteuid() == 0 else "only root looks into a network of its own"


class Storage:
    """Where images and containers of a test are, apart from those of the machine."""

    def __init__(self):
        memory = Path("/dev/shm")
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > 6 << 30
        self.folder = Path(tempfile.mkdtemp(prefix="campus-images-", dir=memory if roomy else None))
        conf = self.folder / "storage.conf"
        conf.write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.folder}/graph"\nrunroot = "{self.folder}/run"\n',
            encoding="utf-8",
        )
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(conf)}

    def run(self, *command, check=True, timeout=300):
        command = [str(part) for part in command]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done

    def podman(self, *arguments, **options):
        return self.run("podman", "--cgroup-manager", "cgroupfs", *arguments, **options)

    def start(self, name, *arguments, options=(), check=True):
        """Starts a container as the cluster does: no rights, no network, nothing that can be written to."""
        return self.podman(
            "run", "--runtime", "runc", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
            "--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            *options, f"campus/{name}:{VERSION}", *arguments, check=check,
        )

    def close(self):
        self.podman("rm", "--all", "--force", "--time", "0", check=False)
        self.podman("rmi", "--all", "--force", check=False)
        subprocess.run(["umount", "--lazy", self.folder / "graph/overlay"], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Pod:
    """A service of the trial in its image, with the settings, arguments and volumes that the chart gives it."""

    def __init__(self, storage, service, folder):
        self.storage = storage
        objects = profile("trial")
        deployment = deployments(objects)[service]["spec"]["template"]
        only = container(deployment)
        (files,) = [one["data"] for one in of_kind(objects, "ConfigMap").values() if service_of(one) == service]
        settings = folder / "settings"
        settings.mkdir()
        for name, text in files.items():
            (settings / name).write_text(text, encoding="utf-8")
        options = ["--detach"]
        for mount in only["volumeMounts"]:
            if mount["name"] == "settings":
                options += ["--volume", f"{settings}:{mount['mountPath']}:ro"]
            else:
                place = folder / mount["name"]
                place.mkdir()
                # As fsGroup gives volumes to the group of the pod.
                os.chown(place, 0, deployment["spec"]["securityContext"]["fsGroup"])
                place.chmod(0o2770)
                options += ["--volume", f"{place}:{mount['mountPath']}"]
        for variable in only["env"]:
            options += ["--env", f"{variable['name']}={variable.get('value', service)}"]
        self.id = storage.start(service, *only["args"], options=options).stdout.strip()
        self.port = next(port["containerPort"] for port in only["ports"] if port["name"] == "telemetry")

    def state(self):
        told = json.loads(self.storage.podman("inspect", self.id).stdout)
        return told[0]["State"]

    def process(self):
        """What the kernel says of its first process."""
        number = self.state()["Pid"]
        lines = Path(f"/proc/{number}/status").read_text(encoding="utf-8").splitlines()
        return number, dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def said(self):
        told = self.storage.podman("logs", self.id)
        return (told.stdout + told.stderr)[-2000:]

    def ask(self, path):
        """The status and the text of its page; 0 where nobody answers."""
        number = self.state()["Pid"]
        command = ["nsenter", "--net", "--target", number, "curl", "--silent", "--max-time", "5"]
        done = self.storage.run(*command, "--write-out", "\n%{http_code}", f"http://127.0.0.1:{self.port}{path}", check=False)
        text, _, status = done.stdout.rpartition("\n")
        return int(status or 0), text

    def until(self, what, ask):
        """Asks again until there is an answer, but not for ever."""
        end = time.monotonic() + PATIENCE
        while not (answer := ask()):
            assert self.state()["Running"], f"it ended: {self.said()}"
            assert time.monotonic() < end, f"waited in vain: {what}: {self.said()}"
            time.sleep(PAUSE)
        return answer
