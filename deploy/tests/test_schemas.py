"""Every object is one that Kubernetes takes, from the oldest version that the chart allows to the newest known."""

import kubernetes_validate
import pytest
import yaml

from chart import CHART, PROFILES, profile

VERSIONS = ("1.30", "1.33", "1.35", "1.37")
# Kinds that operators add; Kubernetes' own schemas do not know them.
ADDED = {
    "barmancloud.cnpg.io",
    "cert-manager.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "monitoring.coreos.com",
    "postgresql.cnpg.io",
}
ROUTES = ("exposure.ingress.enabled=true,exposure.ingress.host=i.example,exposure.ingress.tlsSecret=i",)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_its_schema_to_the_letter(version):
    seen = set()
    for name in PROFILES:
        for one in profile(name, "--set", *ROUTES):
            if one["apiVersion"].partition("/")[0] not in ADDED:
                kubernetes_validate.validate(one, version, strict=True)
                seen.add(one["kind"])
    assert seen == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
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
