"""A release is what was signed, and nothing else is taken for one. The key is thrown away, the binaries only say their name."""

import re
import shutil
import subprocess

import pytest

from chart import DEPLOY, SERVICES

ROOT = DEPLOY.parent
NAMES = (*SERVICES, "campus")


def run(script, *arguments):
    command = [DEPLOY / script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def ed25519(file):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    """Binaries, a key, and the release that is made of them."""
    folder = tmp_path_factory.mktemp("release")
    binaries = folder / "binaries"
    binaries.mkdir()
    for name in NAMES:
        # `campus migrate --plan` ends with 2 where something is to be applied.
        (binaries / name).write_text(f"#!/bin/sh\necho {name}: 1 of 1 migrations to apply\nexit 2\n", encoding="utf-8")
        (binaries / name).chmod(0o755)
    key = ed25519(folder / "key.pem")
    public = folder / "public.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    done = run("release", "--unreleased", binaries, key, folder / "out")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture
def copy(stand, tmp_path):
    """A copy of the release, to be spoilt."""
    return shutil.copytree(stand[0] / "out", tmp_path / "out")


def test_a_release_has_everything_and_verifies_by_file_and_by_text(stand):
    folder, said = stand
    found = {file.name for file in (folder / "out").iterdir()}
    bills = {f"{name}.cdx.json" for name in NAMES}
    assert found == {*NAMES, *bills, "NOTES.md", "contracts.tar", "SHA256SUMS", "SHA256SUMS.sig"}
    notes = (folder / "out" / "NOTES.md").read_text(encoding="utf-8")
    assert "### Added" in notes and "campus: 1 of 1 migrations to apply" in notes and "## Unreleased" not in notes
    text = re.search(r"elsewhere: (\S+)", said)[1]
    for key in (folder / "public.pem", text):
        done = run("verify-release", folder / "out", key)
        assert done.returncode == 0 and "as signed: Campus " in done.stdout, done.stderr


def spoil_a_binary(folder):
    with (folder / "roster").open("a", encoding="utf-8") as file:
        file.write("echo more\n")


def add_a_file(folder):
    (folder / "installer").write_text("", encoding="utf-8")


def hide_a_file(folder):
    (folder / "deeper").mkdir()
    (folder / "deeper" / "installer").write_text("", encoding="utf-8")


def take_a_file_away(folder):
    (folder / "gateway.cdx.json").unlink()


def leave_a_line_out(folder):
    sums = folder / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines(True)
    (folder / lines[0].split()[1]).unlink()
    sums.write_text("".join(lines[1:]), encoding="utf-8")


def take_the_signature_away(folder):
    (folder / "SHA256SUMS.sig").unlink()


@pytest.mark.parametrize(
    "spoil",
    [spoil_a_binary, add_a_file, hide_a_file, take_a_file_away, leave_a_line_out, take_the_signature_away],
)
def test_what_was_changed_added_or_taken_away_is_found(stand, copy, spoil):
    spoil(copy)
    done = run("verify-release", copy, stand[0] / "public.pem")
    assert done.returncode == 1 and "NOT what was signed" in done.stderr


def test_another_key_verifies_nothing(stand, tmp_path):
    key = ed25519(tmp_path / "other.pem")
    public = tmp_path / "other-public.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    for other in (public, "c29tZXRoaW5nIGVsc2U="):
        done = run("verify-release", stand[0] / "out", other)
        assert done.returncode == 1 and "NOT what was signed" in done.stderr


def test_the_same_sources_make_the_same_notes_bills_and_contracts(stand, tmp_path):
    folder = stand[0]
    done = run("release", "--unreleased", folder / "binaries", folder / "key.pem", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    # Ed25519 signs the same bytes in the same way.
    for file in sorted((folder / "out").iterdir()):
        assert file.read_bytes() == (tmp_path / "out" / file.name).read_bytes(), file.name


def test_what_is_no_release_is_not_signed(stand, tmp_path):
    folder = stand[0]
    elliptic = tmp_path / "elliptic.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", elliptic],
                   check=True, capture_output=True)
    few = shutil.copytree(folder / "binaries", tmp_path / "few")
    (few / "gateway").unlink()
    for binaries, key, out, why in (
        (folder / "binaries", elliptic, tmp_path / "a", "no Ed25519 key"),
        (few, folder / "key.pem", tmp_path / "b", "no gateway"),
        (folder / "binaries", folder / "key.pem", folder / "out", "there already"),
    ):
        done = run("release", "--unreleased", binaries, key, out)
        assert done.returncode == 1 and why in done.stderr
    done = run("release", folder / "binaries", folder / "key.pem", tmp_path / "c")
    assert done.returncode == 1 and not (tmp_path / "c").exists()


def test_wrong_usage_says_how_it_is_meant():
    for script in ("release", "verify-release", "build", "reproduce"):
        told = run(script, "--help")
        assert told.returncode == 0 and f"deploy/{script} " in told.stdout
        assert run(script, "--no-such-option").returncode == 64


def test_images_are_built_with_the_rust_of_releases():
    pinned = re.search(r'^channel = "(.+)"$', (DEPLOY / "rust-toolchain.toml").read_text(encoding="utf-8"), re.M)[1]
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"rust:{pinned}-bookworm" in dockerfile
    oldest = re.search(r'^rust-version = "(.+)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
    assert [int(part) for part in oldest.split(".")] <= [int(part) for part in pinned.split(".")]
