{{- define "handoff.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Named as the Lease, which has one name, so that Helm refuses a second release in the namespace. */}}
{{- define "handoff.leaseName" -}}
handoff-operator-leader-election
{{- end -}}

{{/* Cluster-scoped names of a restricted installation carry its namespace: there may be several. */}}
{{- define "handoff.clusterName" -}}
{{- if .Values.watchNamespaces -}}
{{- printf "%s-%s" (include "handoff.name" .) .Release.Namespace -}}
{{- else -}}
{{- include "handoff.name" . -}}
{{- end -}}
{{- end -}}

{{- define "handoff.labels" -}}
app.kubernetes.io/part-of: handoff-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "handoff.selector" -}}
app.kubernetes.io/name: handoff-operator
app.kubernetes.io/component: operator
{{- end -}}

{{/* The reference of an image: call with (dict "image" … "field" "image" "root" $). */}}
{{- define "handoff.image" -}}
{{- $repository := required (printf "%s.repository is empty: name the image, such as registry.example/team/handoff-operator" .field) .image.repository -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The rules of files/role.yaml, which `make generate` writes, in two parts: what is in namespaces, and what is not. */}}
{{- define "handoff.rules" -}}
{{- $namespaced := list -}}
{{- $cluster := list -}}
{{- range (.Files.Get "files/role.yaml" | fromYaml).rules -}}
{{- if has "customresourcedefinitions" (.resources | default list) -}}
{{- $cluster = append $cluster . -}}
{{- else -}}
{{- $namespaced = append $namespaced . -}}
{{- end -}}
{{- end -}}
{{- dict "namespaced" $namespaced "cluster" $cluster | toYaml -}}
{{- end -}}
