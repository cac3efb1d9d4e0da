{{/* What the pods of a service and of its Jobs have in common; with `job`, what only those who serve need is left out. */}}
{{- define "campus.pod" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
serviceAccountName: {{ $service.full }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $service.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.extraInitContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  {{- include "campus.volumes" . | nindent 2 }}
{{- end }}

{{/* How the kubelet asks for liveness or readiness, as `asked` says. */}}
{{- define "campus.probe" -}}
{{- if eq .service.probes.kind "grpc" -}}
grpc: {port: {{ int .root.Values.telemetry.port }}, service: {{ .asked }}}
{{- else -}}
httpGet: {port: telemetry, path: {{ ternary "/livez" "/readyz" (eq .asked "liveness") }}}
{{- end }}
{{- end }}

{{- define "campus.volumes" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
- name: settings
  configMap:
    name: {{ .settings }}
{{- if $service.keys }}
- name: keys
  secret:
    secretName: {{ $service.keysSecret }}
    defaultMode: 0440
{{- end }}
{{- if $service.token }}
- name: token
  secret:
    secretName: {{ $service.tokenSecret }}
    defaultMode: 0440
{{- end }}
{{- if $service.encrypted }}
- name: tls
  secret:
    secretName: {{ $service.tlsSecret }}
    defaultMode: 0440
{{- end }}
{{- if and (eq $values.encryption "tls") $service.calls }}
- name: authority
  secret:
    secretName: {{ default $service.tlsSecret $values.insideCaSecret }}
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- if $service.partnersCaSecret }}
- name: partners
  secret:
    secretName: {{ $service.partnersCaSecret }}
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- if $service.partnersConfigMap }}
- name: agreements
  configMap:
    name: {{ $service.partnersConfigMap }}
{{- end }}
{{- if and $values.gatewayKeysConfigMap (not $service.gateway) }}
- name: vouching
  configMap:
    name: {{ $values.gatewayKeysConfigMap }}
{{- end }}
{{- if $values.policies.configMap }}
- name: policies
  configMap:
    name: {{ $values.policies.configMap }}
{{- end }}
{{- if $values.revoked.secret }}
- name: revoked
  secret:
    secretName: {{ $values.revoked.secret }}
    defaultMode: 0440
{{- end }}
{{- if include "campus.databaseCa" . }}
- name: database-authority
  secret:
    secretName: {{ include "campus.databaseCa" . }}
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- if $service.sqlite }}
- name: data
  {{- if $values.database.sqlite.storage }}
  persistentVolumeClaim:
    claimName: {{ $service.full }}-data
  {{- else }}
  emptyDir: {}
  {{- end }}
- name: temporary
  emptyDir:
    sizeLimit: 1Gi
{{- end }}
{{- if not .job }}
{{- with $service.emergenciesClaim }}
- name: emergencies
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- with $service.checkpointsClaim }}
- name: checkpoints
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- end }}
{{- with $service.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The Secret with the authority of the database's certificate; nothing where there is none. */}}
{{- define "campus.databaseCa" -}}
{{- if .service.postgres -}}
{{- if eq .root.Values.database.kind "cloudnativepg" -}}
{{ .service.cluster }}-ca
{{- else -}}
{{ .root.Values.database.caSecret }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What the containers of a service and of its Jobs have in common; `owner` names the Secret of another database role. */}}
{{- define "campus.container" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
image: {{ include "campus.image" . }}
imagePullPolicy: {{ $values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: TOKIO_WORKER_THREADS
    value: {{ int $service.workerThreads | quote }}
  {{- if $values.telemetry.otlpEndpoint }}
  - name: OTEL_RESOURCE_ATTRIBUTES
    value: service.instance.id=$(POD_NAME),k8s.pod.name=$(POD_NAME),k8s.namespace.name={{ .root.Release.Namespace }}
  {{- end }}
  {{- if $service.postgres }}
  - name: CAMPUS_{{ $service.name | upper | replace "-" "_" }}__DATABASE__URL
    valueFrom:
      secretKeyRef:
        {{- if .owner }}
        name: {{ .owner }}
        key: url
        {{- else if eq $values.database.kind "cloudnativepg" }}
        name: {{ $service.cluster }}-app
        key: uri
        {{- else }}
        name: {{ $service.databaseSecret }}
        key: url
        {{- end }}
  - name: PGSSLMODE
    value: {{ $values.database.sslmode }}
  {{- if include "campus.databaseCa" . }}
  - name: PGSSLROOTCERT
    value: /etc/campus/database/ca.crt
  {{- end }}
  {{- end }}
  {{- with $service.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $service.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml $service.resources | nindent 2 }}
volumeMounts:
  {{- include "campus.mounts" . | nindent 2 }}
{{- end }}

{{- define "campus.mounts" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
- {name: settings, mountPath: /etc/campus/settings, readOnly: true}
{{- if $service.keys }}
- {name: keys, mountPath: /run/secrets/campus, readOnly: true}
{{- end }}
{{- if $service.token }}
- {name: token, mountPath: /run/secrets/campus-token, readOnly: true}
{{- end }}
{{- if $service.encrypted }}
- {name: tls, mountPath: /etc/campus/tls, readOnly: true}
{{- end }}
{{- if and (eq $values.encryption "tls") $service.calls }}
- {name: authority, mountPath: /etc/campus/authority, readOnly: true}
{{- end }}
{{- if $service.partnersCaSecret }}
- {name: partners, mountPath: /etc/campus/partners, readOnly: true}
{{- end }}
{{- if $service.partnersConfigMap }}
- {name: agreements, mountPath: /etc/campus/agreements, readOnly: true}
{{- end }}
{{- if and $values.gatewayKeysConfigMap (not $service.gateway) }}
- {name: vouching, mountPath: /etc/campus/vouching, readOnly: true}
{{- end }}
{{- if $values.policies.configMap }}
- {name: policies, mountPath: /etc/campus/policies, readOnly: true}
{{- end }}
{{- if $values.revoked.secret }}
- {name: revoked, mountPath: /etc/campus/revoked, readOnly: true}
{{- end }}
{{- if include "campus.databaseCa" . }}
- {name: database-authority, mountPath: /etc/campus/database, readOnly: true}
{{- end }}
{{- if $service.sqlite }}
- {name: data, mountPath: /var/lib/campus}
- {name: temporary, mountPath: /tmp}
{{- end }}
{{- if not .job }}
{{- if $service.emergenciesClaim }}
- {name: emergencies, mountPath: /var/lib/campus-emergencies}
{{- end }}
{{- if $service.checkpointsClaim }}
- name: checkpoints
  mountPath: /var/lib/campus-checkpoints
  {{- if eq $values.audit.checkpoints.kind "claim" }}
  # The claim is there for all services.
  subPath: {{ $service.name }}
  {{- end }}
{{- end }}
{{- end }}
{{- with $service.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
