"""Where a runbook is rehearsed: a folder for a moment, processes that end with it, and the steps that are told."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# How long anything is waited for, in seconds, and the pause between two looks.
PATIENCE = 60
PAUSE = 0.1
# On a machine that does much else, all waiting is this much longer: `rehearse --patience`.
slower = 1
# How many rehearsals go on at once, and which of them this is.
LANES = 2
LANE = "CAMPUS_REHEARSAL_LANE"
# How long a process may take to end after SIGTERM before it is killed.
FAREWELL = 30


class Failed(Exception):
    """A step did not show what it must; the text says what."""


def must(holds, text):
    """Ends the rehearsal where something does not hold."""
    if not holds:
        raise Failed(text)


def until(what, ask, patience=PATIENCE):
    """Asks again until there is an answer, but not for ever."""
    patience *= slower
    end = time.monotonic() + patience
    while True:
        answer = ask()
        if answer:
            return answer
        must(time.monotonic() < end, f"waited {patience} s in vain: {what}")
        time.sleep(PAUSE)


def free_port():
    """A port below those that the kernel gives to whoever asks for any, so that a process which is down keeps it. Of two
    rehearsals that go on at once each has ports of its own."""
    for _ in range(1000):
        port = random.randrange(10000, 32000, LANES) + int(os.environ.get(LANE, "0"))
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", port))
                    return port
    raise Failed("no free port")


class Stage(contextlib.ExitStack):
    """A folder for a moment, and everything that has to end with it."""

    def __init__(self, binaries, name):
        super().__init__()
        self.binaries = pathlib.Path(binaries).resolve()
        self.name = name
        memory = pathlib.Path("/dev/shm")
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
        parent = os.environ.get("TMPDIR") or (memory if roomy else None)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"campus-{name}-", dir=parent))
        # The server of PostgreSQL runs as somebody else.
        self.folder.chmod(0o755)
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def binary(self, name):
        path = self.binaries / name
        must(os.access(path, os.X_OK), f"{self.binaries} has no {name}")
        return path

    @contextlib.contextmanager
    def step(self, text):
        """A step of the runbook, told when it has shown what it must."""
        began = time.monotonic()
        try:
            yield
        except BaseException:
            print(f"  ✘ {text}", flush=True)
            raise
        print(f"  ✔ {text:<92} {time.monotonic() - began:5.1f} s", flush=True)

    def run(self, *command, check=True, timeout=300, **options):
        """Runs a command to its end; what it said is told when it fails."""
        command = [str(part) for part in command]
        options["timeout"] = timeout * slower
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        if check and done.returncode:
            raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def campus(self, *arguments, **options):
        """The command `campus`."""
        return self.run(self.binary("campus"), *arguments, **options)

    def mount_memory(self, folder, megabytes):
        """A disk of its own that can be filled. Needs to be root."""
        folder.mkdir()
        self.run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "campus-rehearsal", folder)
        self.callback(subprocess.run, ["umount", "--lazy", str(folder)], capture_output=True, check=False, timeout=60)
        return folder


class Process:
    """A process that can be stopped, killed and started again; its output is in a file."""

    def __init__(self, stage, name, command, environment=None):
        self.stage = stage
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = {**os.environ, **(environment or {})}
        self.log = stage.folder / f"{name}.log"
        self.child = None
        stage.callback(self.kill)

    def start(self):
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def runs(self):
        return self.child is not None and self.child.poll() is None

    def stop(self):
        """Ends it in order."""
        if not self.runs():
            return
        self.child.terminate()
        try:
            code = self.child.wait(FAREWELL * slower)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.name} did not end within {FAREWELL} s after SIGTERM") from None
        must(code == 0, f"{self.name} ended with {code}: {self.said()}")

    def kill(self):
        """Ends it at once: nothing is flushed, nobody is told."""
        if self.runs():
            # One that is stopped would not end before it goes on.
            self.child.send_signal(signal.SIGCONT)
            self.child.kill()
            self.child.wait(FAREWELL)

    def said(self, lines=5):
        """The last lines of its output."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def refuse(text, code=64):
    """Ends the command for wrong usage."""
    print(text, file=sys.stderr)
    sys.exit(code)
