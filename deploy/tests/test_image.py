"""An image of each binary is built without a daemon and runs as a pod of the trial does. Needs binaries (CAMPUS_BINARIES),
buildah, podman, runc and root; CAMPUS_REQUIRE_IMAGES makes that a failure where it would be a skip."""

import json
import os
import re
import time
from pathlib import Path

import pytest

import images
from chart import DEPLOY, SERVICES, seconds, settings, profile
from images import Pod, Storage

BINARIES = os.environ.get("CAMPUS_BINARIES")
WHY = images.missing() or ("" if BINARIES else "CAMPUS_BINARIES names no folder")
NAMES = (*SERVICES, "campus")
# Nobody, and the only user that an image has.
USER = "65532"


def test_where_images_are_asked_for_they_can_be_built():
    assert not (WHY and os.environ.get("CAMPUS_REQUIRE_IMAGES")), WHY


@pytest.fixture(scope="module")
def storage():
    """Images of all binaries."""
    if WHY:
        pytest.skip(f"NO IMAGE WAS BUILT: {WHY}")
    storage = Storage()
    try:
        storage.told = storage.run(DEPLOY / "image", BINARIES, timeout=900).stdout
        yield storage
    finally:
        storage.close()


@pytest.fixture(params=SERVICES)
def pod(storage, request, tmp_path):
    """Each service, started."""
    tmp_path.chmod(0o755)
    pod = Pod(storage, request.param, tmp_path)
    pod.service = request.param
    yield pod
    storage.podman("rm", "--force", "--time", "0", pod.id, check=False)


def test_there_is_an_image_of_every_binary(storage):
    assert [line.split("  ")[0] for line in storage.told.splitlines()] == [f"campus/{one}:{images.VERSION}" for one in NAMES]


def test_the_same_binary_gives_the_same_digest(storage):
    told = []
    for number in range(2):
        storage.run(DEPLOY / "image", "--digests", storage.folder / f"digests-{number}", BINARIES, "gateway", timeout=300)
        told.append((storage.folder / f"digests-{number}").read_text(encoding="utf-8"))
    assert re.fullmatch(rf"sha256:[0-9a-f]{{64}}  campus/gateway:{images.VERSION}\n", told[0]) and told[0] == told[1]


def test_an_image_has_one_user_one_program_its_libraries_and_its_bill(storage):
    for name in NAMES:
        (told,) = json.loads(storage.podman("image", "inspect", f"campus/{name}:{images.VERSION}").stdout)
        config = told["Config"]
        assert (config["User"], config["Entrypoint"]) == (f"{USER}:{USER}", ["/service"])
        assert config["StopSignal"] in ("SIGTERM", "15")
        mounted = Path(storage.podman("image", "mount", f"campus/{name}:{images.VERSION}").stdout.strip())
        files = {str(file.relative_to(mounted)) for file in mounted.rglob("*") if not file.is_dir()}
        libraries = {file for file in files if file.startswith(("lib/", "lib64/", "usr/lib/"))}
        bill = f"usr/share/sbom/{name}.cdx.json"
        # What a container engine puts there for names of hosts is none of ours.
        left = files - libraries - {"service", bill, "etc/passwd", "etc/group", "etc/nsswitch.conf"}
        assert left <= {"etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/mtab", "run/.containerenv"}
        assert (mounted / "etc/passwd").read_text() == f"campus:x:{USER}:{USER}::/:/nologin\n"
        told = json.loads((mounted / bill).read_text(encoding="utf-8"))
        beside = [file for one in told["components"] for file in one.get("components", [one]) if file["type"] == "file"]
        assert {file["name"].lstrip("/") for file in beside} == libraries
        storage.podman("image", "unmount", f"campus/{name}:{images.VERSION}")


def test_a_service_of_the_trial_lives_tells_of_itself_and_ends_in_time(pod):
    status, text = pod.until("it lives", lambda: (told := pod.ask("/livez"))[0] == 200 and told)
    status, text = pod.ask("/metrics")
    assert status == 200 and "campus_build_info" in text
    if pod.service == "roster":
        pod.until("it is ready", lambda: pod.ask("/readyz")[0] == 200)
    else:
        # Its neighbours are not there, and it says so instead of ending.
        assert pod.ask("/readyz")[0] in (200, 503)
    number, told = pod.process()
    assert told["Uid"].split() == told["Gid"].split() == [USER] * 4
    assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0 and told["NoNewPrivs"] == "1"
    root = next(line for line in Path(f"/proc/{number}/mountinfo").read_text().splitlines() if line.split()[4] == "/")
    assert "ro" in root.split()[5].split(",")

    drain = next(seconds(one["server"]["drain"]) for name, _, one in settings(profile("trial")).values() if name == pod.service)
    began = time.monotonic()
    pod.storage.podman("kill", "--signal", "TERM", pod.id)
    code = pod.storage.podman("wait", pod.id, timeout=2 * drain + 30).stdout.strip()
    assert code == "0", pod.said()
    assert time.monotonic() - began < 2 * drain


def test_an_image_writes_where_it_was_given_a_place_and_nowhere_else(storage, tmp_path):
    place = tmp_path / "data"
    place.mkdir()
    os.chown(place, int(USER), int(USER))
    tmp_path.chmod(0o755)
    command = ("city", "generate", "--students", "800", "--out")
    refused = storage.start("campus", *command, "/city", options=["--rm"], check=False)
    assert refused.returncode != 0 and "ead-only" in refused.stdout + refused.stderr
    storage.start("campus", *command, "/data/city", options=["--rm", "--volume", f"{place}:/data"])
    assert (place / "city/oneroster/users.csv").stat().st_uid == int(USER)
    # What an operator runs it for: 2 says that there is something to apply.
    planned = storage.start(
        "campus", "migrate", "--data", "/data", "--plan", options=["--rm", "--volume", f"{place}:/data"], check=False
    )
    assert planned.returncode == 2 and "roster" in planned.stdout
