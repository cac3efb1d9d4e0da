"""What would not work is refused before anything reaches the cluster."""

import pytest

from chart import Refused, profile


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("district", "encryption=none", "encryption: mesh or tls"),
        ("district", "auth.development=true", "auth.development: not where"),
        ("district", "database.kind=sqlite", "sqlite is for trials"),
        ("district", "database.kind=external", "database.cidrs: needed"),
        ("district", "auth.jwks_url=", "whose tokens count"),
        ("district", "networkPolicy.issuer.cidrs=null", "networkPolicy.issuer.cidrs: needed"),
        ("district", "database.maxConnections=40", "services.roster.databaseConnections"),
        ("district", "database.cloudnativepg.synchronousReplicas=2", "below instances"),
        ("district", "database.cloudnativepg.parameters.fsync=off", "parameters.fsync: stays on"),
        ("district", "database.cloudnativepg.backup.enabled=true", "needs destinationPath"),
        ("district", "certManager.issuerRef.name=", "certManager.issuerRef.name: needed"),
        ("district", "externalSecrets.enabled=true", "externalSecrets.store.name: needed"),
        ("district", "services.gateway.partnersCaSecret=ca", "gatewayKeys: needed"),
        ("trial", "services.roster.replicas=2", "services.roster.replicas: 1"),
        ("trial", "services.roster.autoscaling.enabled=true", "services.roster.replicas: 1"),
        ("trial", "defaults.enabled=false", "services: none is enabled"),
        ("trial", "services.rooster.replicas=1", "'rooster' not allowed"),
        ("trial", "services.roster.resources.limts.memory=1Gi", "'limts' not allowed"),
        ("trial", "services.roster.replicas=0", "minimum"),
        ("trial", "services.roster.partnersCaSecret=ca", "'partnersCaSecret' not allowed"),
        ("trial", "database.sslmode=disable", "/database/sslmode"),
        ("trial", "auth.gateway_keys=x", "/auth"),
        ("trial", "services.roster.image.digest=latest", "/services/roster/image/digest"),
        ("trial", "exposure.grpcRoute.enabled=true", "/exposure/grpcRoute"),
        ("trial", "prefix=Campus", "/prefix"),
    ],
)
def test_a_value_that_would_not_work_is_refused_and_named(name, value, said):
    flag = "--set-string" if value.endswith(("=off", "=latest")) else "--set"
    with pytest.raises(Refused) as refused:
        profile(name, flag, value)
    assert said in str(refused.value)
