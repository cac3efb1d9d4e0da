"""Every object is one that Kubernetes takes, from the oldest version that the chart allows to the newest known."""

import kubernetes_validate
import pytest
import yaml

from chart import CHART, OVERLAYS, PROFILES, overlay, profile
from operators import ADDED, group

VERSIONS = ("1.30", "1.33", "1.35", "1.37")
INGRESS = "exposure.ingress.enabled=true,exposure.ingress.host=i.example,exposure.ingress.tlsSecret=i"
MONITORED = "monitoring.podMonitor.enabled=false,monitoring.serviceMonitor.enabled=true"
RECOVERED = "database.cloudnativepg.name=db-2,database.cloudnativepg.recovery.from=db"
CLAIMS = "emergencies.volume.kind=claim,emergencies.volume.claim=a,audit.checkpoints.kind=claim,audit.checkpoints.claim=b"
EXTRAS = ",".join(
    f"defaults.{value}"
    for value in (
        "extraInitContainers[0].name=fetch,defaults.extraInitContainers[0].image=fetch:1",
        "extraContainers[0].name=beside,defaults.extraContainers[0].image=beside:1",
        "extraEnvFrom[0].secretRef.name=more",
        "hostAliases[0].ip=192.0.2.7,defaults.hostAliases[0].hostnames={id.example}",
        "dnsConfig.searches={campus.example}",
    )
)


def everything():
    """All that profiles, options and overlays make."""
    for name in PROFILES:
        yield from profile(name, "--set", INGRESS)
    for option in (MONITORED, RECOVERED, CLAIMS, EXTRAS):
        yield from profile("city", "--set", option)
    for name in OVERLAYS:
        yield from overlay(name)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_its_schema_to_the_letter(version):
    seen = set()
    for one in everything():
        if group(one) not in ADDED:
            kubernetes_validate.validate(one, version, strict=True)
            seen.add(one["kind"])
    assert seen == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }


def test_a_misspelt_field_would_be_found():
    (one,) = [one for one in profile("trial") if one["metadata"]["name"] == "campus-roster" and one["kind"] == "Deployment"]
    wrong = yaml.safe_load(yaml.safe_dump(one).replace("readinessProbe", "redinessProbe"))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_the_oldest_version_that_is_checked_is_the_oldest_that_is_allowed():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["kubeVersion"] == f">={VERSIONS[0]}.0-0"
