package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// variant is a set of values that the chart must render well.
type variant struct {
	name   string
	values map[string]any
}

func variants() []variant {
	return []variant{
		{"the defaults", nil},
		{"everything switched on", parse(everything)},
		{"autoscaling on an external metric", parse("lagScaling: {kind: external}\nprocessor: {autoscaling: {enabled: true}}\n")},
		{"as little as possible", parse(little)},
	}
}

const everything = `
image: {tag: "1.2.3", pullSecrets: [registry]}
env: [{name: KNOCK_KEY, valueFrom: {secretKeyRef: {name: knock, key: key}}}]
volumes: [{name: kafka-ca, secret: {secretName: kafka-ca}}]
volumeMounts: [{name: kafka-ca, mountPath: /run/secrets/kafka-ca, readOnly: true}]
serviceAccount: {annotations: {who: millrace}}
podAnnotations: {a: b}
podLabels: {c: d}
nodeSelector: {disk: fast}
tolerations: [{key: dedicated, operator: Exists}]
priorityClassName: high
ingest: {autoscaling: {enabled: true}, service: {annotations: {e: f}}}
processor: {autoscaling: {enabled: true}, persistence: {storageClass: fast}}
dispatcher: {autoscaling: {enabled: true}}
eventlog: {autoscaling: {enabled: true}}
lagScaling: {authentication: kafka}
ingress:
  ingest: {enabled: true, className: nginx, tlsSecret: events-tls, annotations: {g: h}}
  api: {enabled: true}
  console: {enabled: true, tlsSecret: console-tls}
networkPolicy:
  ingestFrom: [{namespaceSelector: {}}]
  consoleFrom: [{namespaceSelector: {}}]
  apiFrom: [{podSelector: {matchLabels: {app: deployer}}}]
  metricsFrom: [{namespaceSelector: {matchLabels: {name: monitoring}}}]
serviceMonitor: {enabled: true, labels: {release: prometheus}}
`

const little = `
serviceAccount: {create: false}
topologySpread: false
jobs: {topics: false, migrate: false}
processor: {persistence: {enabled: false}}
dispatcher: {persistence: {enabled: false}}
replay: {enabled: false}
console: {enabled: false}
networkPolicy: {enabled: false}
`

func parse(text string) map[string]any {
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		panic(fmt.Sprintf("the values of a variant: %v", err)) // a mistake in this file
	}
	return values
}

// refused reports values that the schema lets through although it must not.
func refused(c chart) error {
	for _, wrong := range []string{
		"ingset: {replicas: 2}\n",
		"ingest: {replica: 2}\n",
		"settings: {clickhouse: {password: hunter2}}\n", // a secret, where a reference belongs
		"settings: {kafka: {brokers: []}}\n",
		"settings: {api: {tokens: []}}\n",
		"lagScaling: {kind: guess}\n",
	} {
		if _, err := c.render(parse(wrong)); err == nil {
			return fmt.Errorf("values.schema.json takes %q", wrong)
		}
	}
	return nil
}
