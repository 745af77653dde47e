{{- /* The pod of a role. On top of root and role: command, port (a name and a number of its own listener, or nothing), env
       (variables from the pod itself), state (whether it keeps something on a volume) and drains (whether requests come
       through a service, which goes on sending for a moment after a pod has been told to stop). */ -}}
{{- define "millrace.pod" -}}
{{- $values := .root.Values -}}
{{- $role := index $values .role -}}
metadata:
  labels:
    {{- include "millrace.selector" . | nindent 4 }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A change of the settings makes new pods.
    checksum/settings: {{ include "millrace.settings" .root | sha256sum }}
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "millrace.serviceAccount" .root }}
  automountServiceAccountToken: false # Kubernetes is not asked for anything
  enableServiceLinks: false # their variables begin with MILLRACE_, as settings do
  securityContext: {{- include "millrace.podSecurity" .root | nindent 4 }}
  terminationGracePeriodSeconds: {{ if .drains }}40{{ else }}30{{ end }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $values.topologySpread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "millrace.selector" . | nindent 10 }}
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "millrace.image" .root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{ toJson .command }}
      securityContext: {{- include "millrace.containerSecurity" .root | nindent 8 }}
      env:
        - {name: MILLRACE_CONFIG, value: /etc/millrace/millrace.yaml}
        {{- with $role.goMemoryLimit }}
        - {name: GOMEMLIMIT, value: {{ . }}}
        {{- end }}
        {{- range .env }}
        - name: {{ . }}
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        {{- end }}
        {{- with $values.env }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        - {name: admin, containerPort: 9464}
        {{- with .port }}
        - {name: http, containerPort: {{ . }}}
        {{- end }}
      livenessProbe:
        httpGet: {path: /healthz, port: admin}
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 5
        timeoutSeconds: 3
      {{- if .drains }}
      lifecycle:
        preStop: {sleep: {seconds: 5}}
      {{- end }}
      resources: {{- toYaml $role.resources | nindent 8 }}
      volumeMounts:
        - {name: settings, mountPath: /etc/millrace, readOnly: true}
        {{- if $role.secrets }}
        - {name: secrets, mountPath: /run/secrets/millrace, readOnly: true}
        {{- end }}
        {{- if .state }}
        - {name: state, mountPath: /var/lib/millrace}
        {{- end }}
        {{- with $values.volumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: settings
      configMap: {name: {{ include "millrace.name" .root }}}
    {{- include "millrace.secretVolume" . | nindent 4 }}
    {{- if and .state (not $role.persistence.enabled) }}
    - name: state
      emptyDir: {sizeLimit: {{ $role.persistence.size }}}
    {{- end }}
    {{- with $values.volumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end }}

{{- /* How many pods: an autoscaler's business where there is one. */ -}}
{{- define "millrace.replicas" -}}
{{- $role := index .root.Values .role -}}
{{- if not (and $role.autoscaling $role.autoscaling.enabled) }}
  replicas: {{ $role.replicas }}
{{- end }}
{{- end }}

{{- define "millrace.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "millrace.fullname" . }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "millrace.labels" . | nindent 4 }}
spec:
  {{- include "millrace.replicas" . }}
  selector:
    matchLabels: {{- include "millrace.selector" . | nindent 6 }}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template: {{- include "millrace.pod" . | nindent 4 }}
{{- end }}

{{- define "millrace.statefulset" -}}
{{- $role := index .root.Values .role -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "millrace.fullname" . }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "millrace.labels" . | nindent 4 }}
spec:
  {{- include "millrace.replicas" . }}
  serviceName: {{ include "millrace.name" .root }}-pods
  # A pod waits for no other, except when a new version is rolled out.
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- include "millrace.selector" . | nindent 6 }}
  template: {{- include "millrace.pod" . | nindent 4 }}
  {{- if and .state $role.persistence.enabled }}
  # What is on it can be made anew from Kafka.
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Delete}
  volumeClaimTemplates:
    - metadata:
        name: state
        labels: {{- include "millrace.selector" . | nindent 10 }}
      spec:
        accessModes: {{ toJson $role.persistence.accessModes }}
        {{- with $role.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ $role.persistence.size }}}}
  {{- end }}
{{- end }}

{{- /* A service for the listener of a role. The admin listener is not in it: it may be reachable from outside. */ -}}
{{- define "millrace.service" -}}
{{- $service := (index .root.Values .role).service -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "millrace.fullname" . }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "millrace.labels" . | nindent 4 }}
  {{- with $service.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $service.type }}
  selector: {{- include "millrace.selector" . | nindent 4 }}
  ports:
    - {name: http, port: {{ $service.port }}, targetPort: http}
{{- end }}

{{- define "millrace.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "millrace.fullname" . }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "millrace.labels" . | nindent 4 }}
spec:
  {{- toYaml (index .root.Values .role).disruptionBudget | nindent 2 }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "millrace.selector" . | nindent 6 }}
{{- end }}
