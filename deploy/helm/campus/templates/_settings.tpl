{{/* The settings of a service as its file has them, before TOML: what follows from the values, and `settings` over it. */}}
{{- define "campus.settings" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
{{- $settings := include "campus.settings.derived" . | fromYaml -}}
{{- $auth := deepCopy $values.auth -}}
{{- $_ := include "campus.overlay" (dict "onto" $auth "with" (default dict $settings.auth)) -}}
{{- $_ := set $settings "auth" $auth -}}
{{- $_ := include "campus.overlay" (dict "onto" $settings "with" $service.settings) -}}
{{- toJson $settings -}}
{{- end }}

{{- define "campus.settings.derived" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $service := .service -}}
{{- $name := $service.name -}}
{{- if $service.gateway }}
{{- if $service.partnersCaSecret }}
internal_token_key_file: /run/secrets/campus/gateway.pem
{{- end }}
upstreams:
  {{- range $service.calls }}
  {{ . | replace "-" "_" }}: {{ include "campus.address" (dict "root" $root "name" .) | quote }}
  {{- end }}
{{- else }}
{{- range $service.calls }}
{{ . | replace "-" "_" }}: {{ include "campus.address" (dict "root" $root "name" .) | quote }}
{{- end }}
{{- end }}
server:
  listen: {{ printf "%s:%d" $values.listenAddress (int $service.port) | quote }}
  drain: {{ printf "%ds" (int $service.drainSeconds) }}
  reflection: {{ $service.reflection }}
  {{- if $service.encrypted }}
  tls:
    certificate: /etc/campus/tls/tls.crt
    key: /etc/campus/tls/tls.key
    {{- if $service.partnersCaSecret }}
    client_ca: /etc/campus/partners/ca.crt
    {{- end }}
  {{- end }}
auth:
  {{- if eq $values.encryption "mesh" }}
  plaintext_inside: true
  {{- end }}
  {{- if and (eq $values.encryption "tls") $service.calls }}
  client_tls:
    ca: /etc/campus/authority/ca.crt
  {{- end }}
  {{- if $service.token }}
  service_token_file: /run/secrets/campus-token/token
  {{- end }}
  {{- if $values.policies.configMap }}
  policies: /etc/campus/policies
  {{- end }}
  {{- if $values.revoked.secret }}
  revoked_file: /etc/campus/revoked/revoked
  {{- end }}
  {{- if $service.partnersConfigMap }}
  partners_file: /etc/campus/agreements/partners.toml
  {{- end }}
  {{- if and $values.gatewayKeys (not $service.gateway) }}
  gateway_keys: {{ toJson $values.gatewayKeys }}
  {{- end }}
  {{- if and $values.gatewayKeysConfigMap (not $service.gateway) }}
  gateway_keys_file: /etc/campus/vouching/gateway-keys
  {{- end }}
telemetry:
  format: {{ $values.telemetry.format }}
  filter: {{ $values.telemetry.filter | quote }}
  listen: {{ printf "%s:%d" $values.listenAddress (int $values.telemetry.port) | quote }}
  {{- with $values.telemetry.otlpEndpoint }}
  otlp_endpoint: {{ . | quote }}
  {{- end }}
  {{- if lt (float64 $values.telemetry.traceShare) 1.0 }}
  trace_share: {{ $values.telemetry.traceShare }}
  {{- end }}
{{- if $service.database }}
database:
  max_connections: {{ int $service.databaseConnections }}
  {{- if $service.migrated }}
  migrate: by-command
  # As long as the startup probe lets it.
  await_schema: {{ printf "%ds" (int (mul 5 $service.probes.startupFailures)) }}
  {{- end }}
  {{- if $service.sqlite }}
  url: sqlite:/var/lib/campus/{{ $name }}.sqlite
  {{- end }}
{{- end }}
{{- if and $service.keys (has $name (list "roster" "safety-inspection" "notification")) }}
crypto:
  master_key_file: /run/secrets/campus/master-key
  {{- if $service.formerMasterKey }}
  former_master_key_file: /run/secrets/campus/former-master-key
  {{- end }}
{{- end }}
{{- if and $service.keys (eq $name "sampling") }}
signing_key_file: /run/secrets/campus/draw-key
{{- end }}
{{- if and $service.keys (eq $name "safety-inspection") }}
gate:
  signing_key_file: /run/secrets/campus/gate-key
{{- end }}
{{- $signed := and $service.keys (not $service.gateway) }}
{{- if or $signed $service.checkpointsClaim }}
audit:
  {{- if $signed }}
  signing_key_file: /run/secrets/campus/audit-key
  {{- end }}
  {{- if $service.checkpointsClaim }}
  checkpoint_file: /var/lib/campus-checkpoints/{{ $name }}.checkpoints
  {{- end }}
{{- end }}
{{- if $service.emergenciesClaim }}
emergencies:
  secret_folder: /var/lib/campus-emergencies
{{- end }}
{{- end }}

{{/* A table as TOML. JSON's texts, numbers, booleans and lists of them are TOML's as well; what is null is left out. */}}
{{- define "campus.toml" -}}
{{- $path := .path -}}
{{- $table := .table -}}
{{- range $key := keys $table | sortAlpha -}}
{{- $value := index $table $key -}}
{{- $nested := or (kindIs "map" $value) (include "campus.toml.tables" $value) -}}
{{- if not (or $nested (kindIs "invalid" $value)) }}
{{ include "campus.toml.key" $key }} = {{ toJson $value }}
{{- end -}}
{{- end -}}
{{- range $key := keys $table | sortAlpha -}}
{{- $value := index $table $key -}}
{{- $below := append $path (include "campus.toml.key" $key) -}}
{{- if kindIs "map" $value }}

[{{ join "." $below }}]
{{- include "campus.toml" (dict "path" $below "table" $value) -}}
{{- else if include "campus.toml.tables" $value -}}
{{- range $value }}

[[{{ join "." $below }}]]
{{- include "campus.toml" (dict "path" $below "table" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "campus.toml.tables" -}}
{{- if and (kindIs "slice" .) . -}}
{{- if kindIs "map" (first .) -}}tables{{- end -}}
{{- end -}}
{{- end }}

{{- define "campus.toml.key" -}}
{{- if regexMatch "^[A-Za-z0-9_-]+$" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end }}

{{/* The file of a service. */}}
{{- define "campus.file" -}}
# Settings of {{ .service.name }}, made by the chart from its values.
{{ include "campus.toml" (dict "path" list "table" (include "campus.settings" . | fromJson)) | trim }}
{{- end }}
