{{- define "basegate.labels" -}}
app.kubernetes.io/name: basegate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "basegate.settings" -}}
BASEGATE_LISTEN: "0.0.0.0:5000"
BASEGATE_LOG__FORMAT: json
BASEGATE_STORAGE__URL: {{ required "storage.url is needed: s3://BUCKET/PREFIX, az:// or gs://" .Values.storage.url | quote }}
{{- with .Values.storage.endpoint }}
BASEGATE_STORAGE__ENDPOINT: {{ . | quote }}
{{- end }}
{{- if .Values.storage.credentialsSecret }}
BASEGATE_STORAGE__CREDENTIALS: /run/store/store.env
{{- end }}
BASEGATE_METADATA__URL: {{ required "metadata.url is needed: postgresql://USER@HOST:PORT/NAME" .Values.metadata.url | quote }}
BASEGATE_METADATA__CONNECTIONS: {{ .Values.metadata.connections | quote }}
{{- if .Values.metadata.passwordSecret }}
BASEGATE_METADATA__PASSWORD_FILE: /run/database/password
{{- end }}
{{- if .Values.bootstrapSecret }}
BASEGATE_BOOTSTRAP_FILE: /run/principals/bootstrap.yaml
{{- end }}
{{- if .Values.tlsSecret }}
BASEGATE_TLS_CERT: /run/tls/tls.crt
BASEGATE_TLS_KEY: /run/tls/tls.key
{{- end }}
{{- with .Values.trustedProxies }}
BASEGATE_SERVER__TRUSTED_PROXIES: {{ toJson . | quote }}
{{- end }}
{{- with .Values.settings }}
{{ toYaml . }}
{{- end }}
{{- end }}
