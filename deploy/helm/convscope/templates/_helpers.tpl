{{- define "convscope.labels" -}}
app.kubernetes.io/name: convscope
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "convscope.selector" -}}
app.kubernetes.io/name: convscope
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "convscope.redisHost" -}}
{{ .Release.Name }}-redis
{{- end -}}

{{- define "convscope.scalingAddress" -}}
{{- if .Values.autoscaling.redisAddress -}}
{{ .Values.autoscaling.redisAddress }}
{{- else if or .Values.redis.url .Values.redis.existingSecret -}}
{{ fail "autoscaling.redisAddress is empty. Give the host:port of your Redis, because redis.url or redis.existingSecret is set." }}
{{- else -}}
{{ include "convscope.redisHost" . }}:6379
{{- end -}}
{{- end -}}

{{- define "convscope.environment" -}}
- name: CONVSCOPE_REDIS_URL
{{- if .Values.redis.existingSecret }}
  valueFrom:
    secretKeyRef: {name: {{ .Values.redis.existingSecret }}, key: url}
{{- else }}
  value: {{ .Values.redis.url | default (printf "redis://%s:6379/0" (include "convscope.redisHost" .)) | quote }}
{{- end }}
{{- if .Values.files.url }}
- name: CONVSCOPE_FILES_URL
  value: {{ .Values.files.url | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "convscope.secretEnvironment" -}}
{{- range .Values.secretEnvironment }}
- secretRef: {name: {{ . }}}
{{- end }}
{{- end -}}

{{- define "convscope.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "convscope.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "convscope.modelsClaim" -}}
{{- if .Values.models.existingClaim -}}
{{ .Values.models.existingClaim }}
{{- else if .Values.models.uploads.enabled -}}
{{ .Release.Name }}-models
{{- end -}}
{{- end -}}

{{- define "convscope.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: data, mountPath: /data}
{{- end -}}

{{- define "convscope.volumes" -}}
- name: tmp
  emptyDir: {}
- name: data
{{- if .Values.files.url }}
  emptyDir: {}
{{- else }}
  persistentVolumeClaim: {claimName: {{ .Release.Name }}-files}
{{- end }}
{{- with include "convscope.modelsClaim" . }}
- name: models
  persistentVolumeClaim: {claimName: {{ . }}{{ if not $.Values.models.uploads.enabled }}, readOnly: true{{ end }}}
{{- end }}
{{- end -}}
