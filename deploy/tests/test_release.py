"""A release is what was signed, and nothing else is taken for one. The key is thrown away, the binaries only say their name."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from chart import CHART, DEPLOY, NAMESPACE, PROFILES, SERVICES, profile

ROOT = DEPLOY.parent
NAMES = (*SERVICES, "campus")
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.M)[1]


# What a version has to say of itself.
CHANGES = "# Changelog\n\n## Unreleased\n\n### Added\n\n- What comes.\n\n## {version}\n\n### Added\n\n- What came.\n"


def run(script, *arguments, of=ROOT):
    command = [of / "deploy" / script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def git(folder, *arguments):
    named = ["-c", "user.name=trial", "-c", "user.email=trial@campus.example", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *named, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def ed25519(file):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """What stands here as a repository of its own, with a change log that has this version; nothing is tagged."""
    folder = tmp_path_factory.mktemp("tree")
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / "CHANGELOG.md").write_text(CHANGES.format(version=VERSION), encoding="utf-8")
    (folder / "tests/upgrade/released" / f"v{VERSION}.binpb").unlink(missing_ok=True)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")
    return folder


@pytest.fixture(scope="module")
def stand(tree, tmp_path_factory):
    """Binaries, a key, and what is made of them without a tag."""
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
    done = run("release", "--unreleased", binaries, key, folder / "out", of=tree)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def released(tree, stand):
    """The release of this version: recorded, committed, tagged and signed. Before each of that it is refused."""
    folder = stand[0]
    digests = folder / "digests"
    digests.write_text("".join(f"sha256:{number:064x}  campus/{name}:{VERSION}\n" for number, name in enumerate(NAMES)))
    arguments = ("--images", digests, folder / "binaries", folder / "key.pem", folder / "released")

    def refused(why):
        done = run("release", *arguments, of=tree)
        assert done.returncode == 1 and why in done.stderr and not (folder / "released").exists(), done.stderr

    refused(f"not tagged v{VERSION}")
    git(tree, "tag", f"v{VERSION}")
    refused("tests/upgrade/record")
    git(tree, "tag", "--delete", f"v{VERSION}")
    subprocess.run([tree / "tests/upgrade/record"], check=True, capture_output=True, timeout=300)
    refused("not committed")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "What is released")
    git(tree, "tag", f"v{VERSION}")
    done = run("release", *arguments, of=tree)
    assert done.returncode == 0, done.stderr
    return folder / "released"


@pytest.fixture
def copy(stand, tmp_path):
    """A copy of the release, to be spoilt."""
    return shutil.copytree(stand[0] / "out", tmp_path / "out")


def test_a_release_has_everything_and_verifies_by_file_and_by_text(stand):
    folder, said = stand
    found = {file.name for file in (folder / "out").iterdir()}
    bills = {f"{name}.cdx.json" for name in NAMES}
    chart = f"campus-{VERSION}.tgz"
    assert found == {*NAMES, *bills, chart, "NOTES.md", "contracts.tar", "SHA256SUMS", "SHA256SUMS.sig"}
    notes = (folder / "out" / "NOTES.md").read_text(encoding="utf-8")
    assert "- What comes." in notes and "campus: 1 of 1 migrations to apply" in notes and "## Unreleased" not in notes
    text = re.search(r"elsewhere: (\S+)", said)[1]
    for key in (folder / "public.pem", text):
        done = run("verify-release", folder / "out", key)
        assert done.returncode == 0 and "as signed: Campus " in done.stdout, done.stderr


def test_a_release_that_is_tagged_has_its_contracts_and_images_and_says_what_came(tree, stand, released):
    extra = {file.name for file in released.iterdir()} - {file.name for file in (stand[0] / "out").iterdir()}
    assert extra == {"IMAGES", "contracts.binpb"}
    assert (released / "IMAGES").read_bytes() == (stand[0] / "digests").read_bytes()
    recorded = tree / "tests/upgrade/released" / f"v{VERSION}.binpb"
    assert (released / "contracts.binpb").read_bytes() == recorded.read_bytes()
    notes = (released / "NOTES.md").read_text(encoding="utf-8")
    assert "- What came." in notes and "- What comes." not in notes
    assert git(tree, "rev-parse", "HEAD").strip() in notes
    done = run("verify-release", released, stand[0] / "public.pem")
    assert done.returncode == 0 and f"as signed: Campus {VERSION}," in done.stdout, done.stderr


@pytest.mark.parametrize("name", PROFILES)
def test_the_chart_of_a_release_makes_what_the_folder_makes(stand, name):
    command = [os.environ.get("HELM", "helm"), "template", "campus", stand[0] / "out" / f"campus-{VERSION}.tgz"]
    command += ["--namespace", NAMESPACE, "--values", CHART / "profiles" / f"{name}.yaml"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert [one for one in yaml.safe_load_all(done.stdout) if one] == profile(name)


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


def test_the_same_sources_make_the_same_notes_bills_contracts_and_chart(tree, stand, released, tmp_path):
    folder = stand[0]
    arguments = ("--images", folder / "digests", folder / "binaries", folder / "key.pem", tmp_path / "out")
    done = run("release", *arguments, of=tree)
    assert done.returncode == 0, done.stderr
    # Ed25519 signs the same bytes in the same way.
    for file in sorted(released.iterdir()):
        assert file.read_bytes() == (tmp_path / "out" / file.name).read_bytes(), file.name


def test_what_is_no_release_is_not_signed(tree, stand, tmp_path):
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
        done = run("release", "--unreleased", binaries, key, out, of=tree)
        assert done.returncode == 1 and why in done.stderr
    digests = tmp_path / "digests"
    digests.write_text(f"sha256:{0:064x}  campus/roster:{VERSION}\n", encoding="utf-8")
    done = run(
        "release", "--unreleased", "--images", digests, folder / "binaries", folder / "key.pem", tmp_path / "c", of=tree
    )
    assert done.returncode == 1 and "no digest of campus/sampling" in done.stderr and not (tmp_path / "c").exists()


def test_wrong_usage_says_how_it_is_meant():
    for script in ("release", "verify-release", "build", "reproduce"):
        told = run(script, "--help")
        assert told.returncode == 0 and f"deploy/{script} " in told.stdout
        assert run(script, "--no-such-option").returncode == 64


def cargo_that_tells(folder):
    """A Cargo that writes down what it is asked for and makes one binary; a Rust of the pinned version."""
    pinned = re.search(r'^channel = "(.+)"$', (DEPLOY / "rust-toolchain.toml").read_text(encoding="utf-8"), re.M)[1]
    made = {"reason": "compiler-artifact", "manifest_path": f"{ROOT}/services/roster/Cargo.toml",
            "executable": str(folder / "roster"), "target": {"kind": ["bin"]}, "filenames": [str(folder / "roster")]}
    (folder / "roster").write_text("made", encoding="utf-8")
    for name, text in {
        "rustc": f'[ "$1" = --version ] && echo "rustc {pinned} (now)" || echo /nowhere/rust\n',
        "cargo": f"echo \"$*\" >{folder}/asked\nenv >{folder}/environment\necho '{json.dumps(made)}'\n",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CARGO_TARGET_DIR": str(folder / "target")}


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ([], "--workspace --bins"),
        # With what the whole workspace asks of its crates, or the binary of an image would be another one.
        (["--bin", "roster"], "--workspace --bin roster"),
        (["kit", "proto"], "--package kit --package proto"),
    ],
)
def test_a_build_names_no_place_and_asks_for_what_is_wanted(tmp_path, more, asked):
    environment = cargo_that_tells(tmp_path) | {"SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run(
        [DEPLOY / "build", tmp_path / "out", *more], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "roster\n"), done.stderr
    assert f"--locked --profile dist {asked} " in (tmp_path / "asked").read_text(encoding="utf-8")
    told = (tmp_path / "environment").read_text(encoding="utf-8")
    assert "SOURCE_DATE_EPOCH=1700000000" in told and f"--remap-path-prefix={ROOT}=/campus" in told
    assert (tmp_path / "out" / "roster").read_text(encoding="utf-8") == "made"


def test_images_are_built_as_releases_are():
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r'SOURCE_DATE_EPOCH="\$\{SOURCE_DATE_EPOCH\}" deploy/build /binaries --bin "\$\{SERVICE\}"', dockerfile)
    assert "cargo build" not in dockerfile
    assert re.search(r"^ARG RUST_IMAGE=\S+@sha256:[0-9a-f]{64}$", dockerfile, re.M)


def test_images_are_built_with_the_rust_of_releases():
    pinned = re.search(r'^channel = "(.+)"$', (DEPLOY / "rust-toolchain.toml").read_text(encoding="utf-8"), re.M)[1]
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"rust:{pinned}-bookworm" in dockerfile
    oldest = re.search(r'^rust-version = "(.+)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
    assert [int(part) for part in oldest.split(".")] <= [int(part) for part in pinned.split(".")]
