"""Renders the chart and finds one's way in what comes out."""

import functools
import os
import subprocess
import tomllib
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parent.parent
CHART = DEPLOY / "helm" / "campus"
PROFILES = ("trial", "district", "city")
SERVICES = ("roster", "sampling", "safety-inspection", "notification", "gateway")
NAMESPACE = "campus"
KUSTOMIZE = DEPLOY / "kustomize"
OVERLAYS = ("district", "city")


class Refused(Exception):
    """Helm did not render; the text says why."""


@functools.cache
def render(*arguments):
    """The objects that `helm template` makes with `arguments`, of which files are named from the chart."""
    helm = os.environ.get("HELM", "helm")
    command = [helm, "template", "campus", ".", "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, cwd=CHART, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr)
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def profile(name, *arguments):
    """The objects of a profile."""
    return render("-f", f"profiles/{name}.yaml", *arguments)


@functools.cache
def overlay(name):
    """The objects of an overlay of Kustomize."""
    subprocess.run([KUSTOMIZE / "render", name], check=True)
    kubectl = os.environ.get("KUBECTL", "kubectl")
    done = subprocess.run([kubectl, "kustomize", KUSTOMIZE / name], check=True, capture_output=True, text=True)
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of_kind(objects, kind):
    """The objects of one kind, by name."""
    found = [one for one in objects if one["kind"] == kind]
    return {one["metadata"]["name"]: one for one in found}


def service_of(one):
    """The service that an object belongs to."""
    return one["metadata"]["labels"]["app.kubernetes.io/name"]


def workloads(objects):
    """Everything that has pods: the object, and the template of its pods."""
    return [
        (one, one["spec"]["template"])
        for one in objects
        if one["kind"] in ("Deployment", "Job")
    ]


def deployments(objects):
    """The Deployments, by service."""
    return {service_of(one): one for one in of_kind(objects, "Deployment").values()}


def container(template):
    """The only container of a pod."""
    (only,) = template["spec"]["containers"]
    return only


def ports(template):
    """The ports of a pod, by name."""
    return {port["name"]: port["containerPort"] for port in container(template)["ports"]}


def claims(template):
    """The claims that a pod mounts, by where."""
    named = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in template["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    mounts = container(template)["volumeMounts"]
    return {mount["mountPath"]: named[mount["name"]] for mount in mounts if mount["name"] in named}


def settings(objects):
    """The settings of each service, read from its ConfigMap."""
    files = {}
    for one in of_kind(objects, "ConfigMap").values():
        ((name, text),) = one["data"].items()
        if name.endswith(".toml"):
            files[one["metadata"]["name"]] = (service_of(one), name, tomllib.loads(text))
    return files


def seconds(span):
    """Seconds of a text such as `20s`."""
    assert span.endswith("s") and span[:-1].isdigit(), span
    return int(span[:-1])
