"""The services themselves take the settings that the chart writes. Needs their binaries: CAMPUS_BINARIES."""

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chart import DEPLOY, SERVICES, container, deployments, of_kind, profile, service_of

BINARIES = os.environ.get("CAMPUS_BINARIES")
pytestmark = pytest.mark.skipif(not BINARIES, reason="CAMPUS_BINARIES names no folder")

EVERYTHING = (
    "services.gateway.partnersCaSecret=partners,services.gateway.partnersConfigMap=agreements,"
    "policies.configMap=cedar,revoked.secret=revoked,gatewayKeysConfigMap=vouching"
)
CASES = {
    "trial": ("trial",),
    "district": ("district",),
    "city": ("city",),
    "everything": ("district", "--set", EVERYTHING),
}
# What stands in a file that is no certificate, no PEM and no list.
HEXADECIMAL = "00112233445566778899aabbccddeeff" * 2


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A certificate, its key, and an Ed25519 key with a file of its public half."""
    folder = tmp_path_factory.mktemp("files")

    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=campus.example", "-keyout", "tls.key", "-out", "tls.crt")
    openssl("genpkey", "-algorithm", "ed25519", "-out", "gateway.pem")
    public = openssl("pkey", "-in", "gateway.pem", "-pubout", "-outform", "DER")[-32:]
    shutil.copy(folder / "tls.crt", folder / "ca.crt")
    shutil.copy(DEPLOY / "config" / "partners.toml", folder)
    (folder / "token").write_text("token")
    (folder / "revoked").write_text("")
    (folder / "gateway-keys").write_bytes(base64.b64encode(public))
    return folder


def lay_out(text, target, files):
    """The file's text with every path below `target`, where what it names is put."""
    text = text.replace('"/etc/', f'"{target}/etc/').replace('"/run/', f'"{target}/run/')
    for word in text.split('"'):
        path = Path(word)
        if word.startswith(str(target)):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name == "policies":
                shutil.copytree(DEPLOY / "policies", path)
            elif (files / path.name).exists():
                shutil.copy(files / path.name, path)
            else:
                path.write_text(HEXADECIMAL)
    return text


def check(service, objects, tmp_path, files, change=lambda text: text):
    """What the service says of its file."""
    (text,) = next(
        one["data"].values() for one in of_kind(objects, "ConfigMap").values() if service_of(one) == service
    )
    file = tmp_path / f"{service}.toml"
    file.write_text(change(lay_out(text, tmp_path, files)), encoding="utf-8")
    environment = {}
    for variable in container(deployments(objects)[service]["spec"]["template"])["env"]:
        environment[variable["name"]] = variable.get("value", "postgres://user:word@database.example/db")
    command = [Path(BINARIES).resolve() / service, "--config", file, "check-config"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("case", CASES)
def test_each_service_would_start_with_its_settings(case, service, tmp_path, files):
    told = check(service, profile(*CASES[case]), tmp_path, files)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_a_misspelt_key_is_refused_and_named(service, tmp_path, files):
    told = check(service, profile("trial"), tmp_path, files, lambda text: text.replace("drain =", "drian ="))
    assert told.returncode == 64
    assert "drian" in told.stderr
