{{- /* Names and labels. A release that is called like the chart does not say so twice. */ -}}
{{- define "millrace.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end }}

{{- /* The arguments of what follows are a dict of root, the chart's context, and role. */ -}}
{{- define "millrace.fullname" -}}
{{ include "millrace.name" .root }}-{{ .role }}
{{- end }}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "millrace.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "millrace.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "millrace.name" .) }}{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end }}

{{- /* The settings file: what the values say, and on top of it what only the chart can know. */ -}}
{{- define "millrace.settings" -}}
{{- $own := dict
  "admin" (dict "listen" "0.0.0.0:9464")
  "ingest" (dict "listen" "0.0.0.0:8080")
  "processor" (dict "dedup_dir" "/var/lib/millrace/dedup")
  "dispatcher" (dict "delivered_dir" "/var/lib/millrace/delivered")
  "api" (dict "listen" "0.0.0.0:8081")
  "console" (dict "listen" "0.0.0.0:8090" "api_url" (printf "http://%s-api:%v" (include "millrace.name" .) .Values.api.service.port)) -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.settings) $own) }}
{{- end }}

{{- /* Nobody needs more: the image writes to its volumes only. */ -}}
{{- define "millrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "millrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Of the secret, what the role needs: root and role, as above. */ -}}
{{- define "millrace.secretVolume" -}}
{{- with (index .root.Values .role).secrets -}}
- name: secrets
  secret:
    secretName: {{ $.root.Values.existingSecret }}
    defaultMode: 0440
    items:
      {{- range . }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end }}
