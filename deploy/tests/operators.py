"""What operators take: their kinds by the schemas of their own, since those of Kubernetes do not know them."""

import functools
import json
import os
import subprocess
from pathlib import Path

import jsonschema

from chart import DEPLOY

CRDS = DEPLOY / "tests" / "crds"
# Where deploy/check puts the packages with the schemas of those that npm has.
PACKAGES = Path(os.environ.get("CAMPUS_OPERATORS", DEPLOY.parent / "target" / "deploy" / "operators"))
PACKAGED = {
    "cert-manager.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "keda.sh",
    "monitoring.coreos.com",
}
# The others have a file in crds/.
WRITTEN = {"barmancloud.cnpg.io", "postgresql.cnpg.io"}
ADDED = PACKAGED | WRITTEN


def group(one):
    """The group of an object's kind."""
    return one["apiVersion"].partition("/")[0]


def of_operators(objects):
    """Those that Kubernetes itself does not know."""
    return [one for one in objects if group(one) in ADDED]


def judge(objects):
    """What is wrong with each object: a list of texts each."""
    packaged = [one for one in objects if group(one) in PACKAGED]
    told = iter(asked(packaged))
    return [next(told) if group(one) in PACKAGED else compared(one) for one in objects]


def asked(objects):
    """What the packages say."""
    command = ["node", CRDS / "judge.mjs", PACKAGES]
    done = subprocess.run(command, input=json.dumps(objects), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@functools.cache
def written(name):
    return json.loads((CRDS / f"{name}.json").read_text(encoding="utf-8"))


def compared(one):
    """What the files in crds/ say: of the fields of an object beside its metadata, there is `spec` alone."""
    whole = written(group(one))
    schema = {"$defs": whole["$defs"], **whole[one["kind"]]}
    faults = [f"/{key} is not known" for key in one if key not in ("apiVersion", "kind", "metadata", "spec")]
    return faults + [fault.message for fault in jsonschema.Draft7Validator(schema).iter_errors(one.get("spec", {}))]
