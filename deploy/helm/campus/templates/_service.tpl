{{/* What each service is, whatever the values say: its port, whom it calls (the arrows of the house), and what it keeps. */}}
{{- define "campus.facts" -}}
roster: {port: 7401, calls: [], database: true, keys: true}
sampling: {port: 7402, calls: [roster], database: true, keys: true}
safety-inspection: {port: 7403, calls: [roster, sampling], database: true, keys: true, seals: true}
notification: {port: 7404, calls: [roster, sampling, safety-inspection], database: true, keys: true, seals: true}
gateway: {port: 7400, calls: [roster, sampling, safety-inspection, notification], database: false, keys: false}
{{- end }}

{{/* Puts `with` over `onto`, in place: maps are merged, everything else is replaced, false and 0 too. */}}
{{- define "campus.overlay" -}}
{{- $onto := .onto -}}
{{- range $key, $value := .with -}}
{{- $mine := index $onto $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $mine) -}}
{{- include "campus.overlay" (dict "onto" $mine "with" $value) -}}
{{- else -}}
{{- $_ := set $onto $key $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The names of the services of this release, as JSON. */}}
{{- define "campus.names" -}}
{{- $names := list -}}
{{- range $name := list "roster" "sampling" "safety-inspection" "notification" "gateway" -}}
{{- $service := deepCopy $.Values.defaults -}}
{{- $_ := include "campus.overlay" (dict "onto" $service "with" (index $.Values.services $name)) -}}
{{- if and $service.enabled (not $service.address) -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}

{{/* One service: its values over the defaults, with what follows from them and from the facts, as JSON. */}}
{{- define "campus.service" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $values := $root.Values -}}
{{- $facts := index (include "campus.facts" $root | fromYaml) $name -}}
{{- $service := deepCopy $values.defaults -}}
{{- $_ := include "campus.overlay" (dict "onto" $service "with" (index $values.services $name)) -}}
{{- $full := printf "%s-%s" $values.prefix $name -}}
{{- $production := default false $values.auth.production -}}
{{- $gateway := eq $name "gateway" -}}
{{- $partners := default "" $service.partnersCaSecret -}}
{{- $encrypted := or (eq $values.encryption "tls") (and $gateway $production) -}}
{{- $keys := or (and $facts.keys $production) (ne $service.keysSecret "") (ne $partners "") -}}
{{- $postgres := and $facts.database (ne $values.database.kind "sqlite") -}}
{{- $recovery := $values.database.cloudnativepg.recovery -}}
{{- $recovered := and $postgres (eq $values.database.kind "cloudnativepg") (ne $recovery.from "") -}}
{{- $held := and $recovered (not $recovery.serve) -}}
{{- $seals := default false $facts.seals -}}
{{- $secrets := dict "volume" $values.emergencies.volume "new" (printf "%s-emergencies" $full) "wanted" $seals -}}
{{- $checkpoints := dict "volume" $values.audit.checkpoints "new" (printf "%s-checkpoints" $full) "wanted" $facts.database -}}
{{- $derived := dict
  "name" $name
  "full" $full
  "gateway" $gateway
  "production" $production
  "port" $facts.port
  "calls" $facts.calls
  "database" $facts.database
  "seals" $seals
  "sqlite" (and $facts.database (eq $values.database.kind "sqlite"))
  "postgres" $postgres
  "migrated" (and $postgres (ne $service.migration.mode "at-start"))
  "recovered" $recovered
  "held" $held
  "encrypted" $encrypted
  "keys" $keys
  "token" (and $production (not $gateway) (not (empty $facts.calls)))
  "keysSecret" (default (printf "%s-keys" $full) $service.keysSecret)
  "tokenSecret" (default (printf "%s-token" $full) $service.tokenSecret)
  "tlsSecret" (default (printf "%s-tls" $full) $service.tlsSecret)
  "databaseSecret" (default (printf "%s-database" $full) $service.databaseSecret)
  "partnersCaSecret" $partners
  "partnersConfigMap" (default "" $service.partnersConfigMap)
  "cluster" (printf "%s-%s" $full $values.database.cloudnativepg.name)
  "source" (printf "%s-%s" $full $recovery.from)
  "emergenciesClaim" (include "campus.claim" $secrets)
  "checkpointsClaim" (include "campus.claim" $checkpoints)
  "graceSeconds" (add $service.preStopSeconds (mul 2 $service.drainSeconds) 5)
-}}
{{- $_ := include "campus.overlay" (dict "onto" $service "with" $derived) -}}
{{- toJson $service -}}
{{- end }}

{{/* The claim of a volume: a new one, one of somebody's own, or nothing. */}}
{{- define "campus.claim" -}}
{{- if .wanted -}}
{{- if eq .volume.kind "new" -}}{{ .new }}{{- else if eq .volume.kind "claim" -}}{{ .volume.claim }}{{- end -}}
{{- end -}}
{{- end }}

{{/* Where a service behind the gateway answers. */}}
{{- define "campus.address" -}}
{{- $values := .root.Values -}}
{{- $service := deepCopy $values.defaults -}}
{{- $_ := include "campus.overlay" (dict "onto" $service "with" (index $values.services .name)) -}}
{{- if $service.address -}}
{{- $service.address -}}
{{- else -}}
{{- $facts := index (include "campus.facts" .root | fromYaml) .name -}}
{{- $scheme := ternary "https" "http" (eq $values.encryption "tls") -}}
{{- printf "%s://%s-%s.%s.svc.%s:%d" $scheme $values.prefix .name .root.Release.Namespace $values.clusterDomain (int $facts.port) -}}
{{- end -}}
{{- end }}

{{/* What tells a service's pods from all others, in policies: the same in every release. */}}
{{- define "campus.peer" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: {{ .root.Values.prefix }}
{{- end }}

{{/* What tells the pods that serve, for Services, Deployments and budgets. */}}
{{- define "campus.selector" -}}
{{ include "campus.peer" . }}
app.kubernetes.io/component: server
{{- end }}

{{/* The labels of every object of a service. */}}
{{- define "campus.labels" -}}
{{ include "campus.peer" . }}
{{ include "campus.release" .root }}
{{- end }}

{{/* The labels that come from the release. */}}
{{- define "campus.release" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The version of a service as a part of a name. */}}
{{- define "campus.version" -}}
{{- $tag := default (default .root.Chart.AppVersion .root.Values.image.tag) .service.image.tag -}}
{{- $version := default $tag (.service.image.digest | trimPrefix "sha256:" | trunc 12) -}}
{{- $version | lower | replace "." "-" | replace "_" "-" | replace "+" "-" -}}
{{- end }}

{{/*
The name of a Job: it carries what the Job is for, the version of the service, and a sum of `spec`, which nobody can change
once the Job is there. So another version and other settings are another Job. 63 characters at most, as pods are named by it.
*/}}
{{- define "campus.job.name" -}}
{{- $sum := .spec | sha256sum | trunc 8 -}}
{{- $name := printf "%s-%s-%s" .service.full .what (include "campus.version" .) | trunc 54 | trimSuffix "-" -}}
{{- printf "%s-%s" $name $sum -}}
{{- end }}

{{/* The image of a service. */}}
{{- define "campus.image" -}}
{{- $image := .root.Values.image -}}
{{- $path := printf "%s/%s" $image.repository .service.name -}}
{{- if $image.registry -}}{{- $path = printf "%s/%s" $image.registry $path -}}{{- end -}}
{{- if .service.image.digest -}}
{{- printf "%s@%s" $path .service.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $path (default (default .root.Chart.AppVersion $image.tag) .service.image.tag) -}}
{{- end -}}
{{- end }}
