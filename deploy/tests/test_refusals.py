"""What would not work is refused before anything reaches the cluster."""

import json

import pytest

import keys
from chart import CHART, SERVICES, Refused, profile

# What the chart writes itself into [auth], from values of other names or from Secrets that it mounts.
WRITTEN = {
    "client_tls",
    "gateway_keys",
    "gateway_keys_file",
    "partners",
    "partners_file",
    "plaintext_inside",
    "policies",
    "revoked_file",
    "service_token_file",
}
TYPES = {bool: "boolean", str: "string", list: "array"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("district", "encryption=none", "encryption: mesh or tls"),
        ("district", "auth.development=true", "auth.development: not where"),
        ("district", "auth.trial=true", "auth.trial: not where"),
        ("trial", "auth.trial=false", "auth.trial: needed"),
        ("district", "database.kind=sqlite", "sqlite is for trials"),
        ("district", "database.kind=external", "database.cidrs: needed"),
        ("district", "auth.jwks_url=", "whose tokens count"),
        ("district", "networkPolicy.issuer.cidrs=null", "networkPolicy.issuer.cidrs: needed"),
        ("district", "networkPolicy.apiServer.cidrs=null", "networkPolicy.apiServer.cidrs: needed"),
        ("district", "networkPolicy.apiServer.cidrs={everywhere}", "/networkPolicy/apiServer/cidrs"),
        ("district", "networkPolicy.apiServer.ports={}", "/networkPolicy/apiServer/ports"),
        ("district", "database.maxConnections=40", "services.roster.databaseConnections"),
        ("district", "database.cloudnativepg.synchronousReplicas=2", "below instances"),
        ("district", "database.cloudnativepg.parameters.fsync=off", "parameters.fsync: stays on"),
        ("district", "database.cloudnativepg.backup.kind=", "backup.kind: store or none"),
        ("district", "database.cloudnativepg.backup.kind=tape", "/database/cloudnativepg/backup/kind"),
        ("district", "database.cloudnativepg.backup.destinationPath=", "needs destinationPath"),
        ("district", "database.cloudnativepg.backup.cidrs=null", "backup.cidrs: needed"),
        ("district", "database.cloudnativepg.topologyKey=", "/database/cloudnativepg/topologyKey"),
        ("district", "certManager.issuerRef.name=", "certManager.issuerRef.name: needed"),
        ("district", "externalSecrets.enabled=true", "externalSecrets.store.name: needed"),
        ("district", "services.gateway.partnersCaSecret=ca", "gatewayKeys: needed"),
        ("district", "gatewayKeys={AAAA},gatewayKeysConfigMap=vouching", "gatewayKeysConfigMap: not where"),
        ("district", "services.gateway.partnersConfigMap=agreements", "services.gateway.partnersCaSecret: needed"),
        ("district", "emergencies.volume.kind=", "emergencies.volume.kind: new, claim or none"),
        ("district", "audit.checkpoints.kind=", "audit.checkpoints.kind: new, claim or none"),
        ("district", "emergencies.volume.kind=claim", "emergencies.volume.claim: needed"),
        ("district", "audit.checkpoints.kind=claim", "audit.checkpoints.claim: needed"),
        (
            "district",
            "database.cloudnativepg.backup.kind=none,database.cloudnativepg.recovery.from=db-1",
            "recovery: needs backup",
        ),
        ("city", "database.cloudnativepg.recovery.from=db", "another one than name"),
        ("city", "database.cloudnativepg.recovery.serve=true", "recovery.from: needed"),
        ("city", "database.cloudnativepg.recovery.targetTime=yesterday", "/recovery/targetTime"),
        ("city", "database.cloudnativepg.recovery.targetTime=2026-11-27T08:00:00", "/recovery/targetTime"),
        ("trial", "database.cloudnativepg.recovery.from=db", "needs database.kind cloudnativepg"),
        ("city", "prefix=a23456789-123456789-1234567890", "prefix: too long"),
        ("city", "services.sampling.migration.databaseSecret=owner", "only for an external database"),
        ("trial", "services.sampling.migration.databaseSecret=owner", "only for an external database"),
        ("city", "database.kind=external,database.cidrs={192.0.2.64/30},services.roster.migration.databaseSecret=o", "not for roster"),
        ("city", "defaults.migration.mode=never", "/defaults/migration/mode"),
        ("city", "defaults.probes.kind=exec", "/defaults/probes/kind"),
        ("city", "defaults.autoscaling.kind=keda", "keda.prometheus: needed"),
        ("city", "monitoring.serviceMonitor.enabled=true", "podMonitor or serviceMonitor"),
        ("trial", "services.roster.replicas=2", "services.roster.replicas: 1"),
        ("trial", "services.roster.autoscaling.enabled=true", "services.roster.replicas: 1"),
        ("trial", "defaults.enabled=false", "services: none is enabled"),
        ("trial", "services.rooster.replicas=1", "'rooster' not allowed"),
        ("trial", "services.roster.resources.limts.memory=1Gi", "'limts' not allowed"),
        ("trial", "services.roster.replicas=0", "minimum"),
        ("trial", "services.roster.partnersCaSecret=ca", "'partnersCaSecret' not allowed"),
        ("trial", "auth.partners_file=x", "'partners_file' not allowed"),
        ("trial", "database.sslmode=disable", "/database/sslmode"),
        ("trial", "auth.gateway_keys=x", "'gateway_keys' not allowed"),
        ("trial", "auth.isuer=x", "'isuer' not allowed"),
        ("trial", "auth.claims.rolls=x", "'rolls' not allowed"),
        ("trial", "auth.production=maybe", "/auth/production"),
        ("trial", "services.roster.extraContainers[0].name=beside", "/services/roster/extraContainers/0"),
        ("trial", "auth.gateway_keys_file=x", "'gateway_keys_file' not allowed"),
        ("trial", "services.roster.image.digest=latest", "/services/roster/image/digest"),
        ("trial", "exposure.grpcRoute.enabled=true", "/exposure/grpcRoute"),
        ("trial", "exposure.backendTLSPolicy.enabled=true", "/exposure/backendTLSPolicy"),
        ("trial", "prefix=Campus", "/prefix"),
        ("trial", "telemetry.otlpEndpoint=collector:4317", "/telemetry/otlpEndpoint"),
        ("trial", "telemetry.otlpEndpoint=http://collector:4318/v1/traces", "/telemetry/otlpEndpoint"),
    ],
)
def test_a_value_that_would_not_work_is_refused_and_named(name, value, said):
    flag = "--set-string" if value.endswith(("=off", "=latest")) else "--set"
    with pytest.raises(Refused) as refused:
        profile(name, flag, value)
    assert said in str(refused.value)


def test_the_schema_knows_the_keys_of_auth_that_services_have_and_the_chart_does_not_write():
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]["auth"]
    found = {path: one for service in SERVICES for path, one in keys.known(service).items()}
    known = {path.removeprefix("auth."): one for path, one in found.items() if path.startswith("auth.")}
    assert set(schema["properties"]) == {path.partition(".")[0] for path in known} - WRITTEN
    claims = schema["properties"]["claims"]
    assert set(claims["properties"]) == {path.removeprefix("claims.") for path in known if path.startswith("claims.")}
    assert schema["additionalProperties"] is False and claims["additionalProperties"] is False
    for key, value in schema["properties"].items():
        assert value["type"] == ("object" if key in ("claims", "keys") else TYPES[type(known[key])]), key


@pytest.mark.parametrize("key", sorted(WRITTEN))
def test_what_the_chart_writes_into_auth_is_no_value(key):
    with pytest.raises(Refused) as refused:
        profile("trial", "--set", f"auth.{key}=x")
    assert f"'{key}' not allowed" in str(refused.value)


def test_a_key_of_settings_is_judged_by_its_service_and_not_by_the_chart():
    assert profile("trial", "--set", "services.roster.settings.server.drian=1s")
