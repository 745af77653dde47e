package main

import (
	"os"
	"regexp"
	"testing"
)

// TestStreamsIsOfTheBrokersVersion: a comparison of two releases of Kafka would say nothing about the programs.
func TestStreamsIsOfTheBrokersVersion(t *testing.T) {
	broker := versionIn(t, "../../deploy/kafka/pom.xml", "kafka_2.13")
	if streams := versionIn(t, "../peers/streams/pom.xml", "kafka-streams"); streams != broker {
		t.Errorf("the broker is Kafka %s and Streams %s", broker, streams)
	}
}

func versionIn(t *testing.T, pom, artifact string) string {
	t.Helper()
	text, err := os.ReadFile(pom)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`<artifactId>` + regexp.QuoteMeta(artifact) + `</artifactId>\s*<version>([^<]+)</version>`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s names no version of %s", pom, artifact)
	}
	return string(found[1])
}
