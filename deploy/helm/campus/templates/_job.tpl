{{/*
The spec of a Job that works on the database of a service. The database may not be there yet: its pod waits for the Secret, and
tries again while nobody answers.
*/}}
{{- define "campus.job.spec" -}}
{{- $service := .service -}}
backoffLimit: {{ int $service.migration.retries }}
podFailurePolicy:
  rules:
    # Settings that are wrong stay wrong.
    - action: FailJob
      onExitCodes: {containerName: {{ $service.name }}, operator: In, values: [64]}
    # A node that is emptied is no failure.
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
template:
  metadata:
    labels:
      {{- include "campus.peer" . | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
      app.kubernetes.io/instance: {{ .root.Release.Name }}
      {{- include "campus.job.labels" . | nindent 6 }}
    annotations:
      checksum/settings: {{ include "campus.file" . | sha256sum }}
      {{- include "campus.job.annotations" . | nindent 6 }}
  spec:
    restartPolicy: Never
    {{- include "campus.pod" . | nindent 4 }}
    containers:
      - name: {{ $service.name }}
        {{- include "campus.container" . | nindent 8 }}
        args:
          - --config
          - /etc/campus/settings/{{ $service.name }}.toml
          {{- toYaml .command | nindent 10 }}
{{- end }}

{{/* A Job calls no neighbour, and a proxy of a mesh beside it would keep it from ending. */}}
{{- define "campus.job.labels" -}}
sidecar.istio.io/inject: "false"
{{- end }}

{{- define "campus.job.annotations" -}}
linkerd.io/inject: disabled
{{- end }}

{{/* What a Job that migrates is told to do, as JSON. */}}
{{- define "campus.job.migrate" -}}
{{- list "migrate" "--within" (printf "%ds" (int .service.migration.seconds)) | toJson -}}
{{- end }}
