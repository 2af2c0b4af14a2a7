{{- define "integr8scode.backendImage" -}}
{{ .Values.images.backend.repository }}:{{ .Values.images.backend.tag }}
{{- end -}}
