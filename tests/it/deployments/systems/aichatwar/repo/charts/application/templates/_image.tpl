{{- define "application.image" -}}
{{- $image := .image -}}
{{- if kindIs "string" $image -}}
{{ $image }}
{{- else -}}
{{ .global.imageRegistry | default $image.registry }}/{{ $image.repository }}:{{ $image.tag }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}
