package main

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/millrace/millrace/doctor"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// TestDoctorFindsWhatIsAmiss examines an installation that is broken in several ways at once.
func TestDoctorFindsWhatIsAmiss(t *testing.T) {
	c := newCLI(t)
	// A server that takes connections must get no request: it could start a run.
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	asked := make(chan int, 1)
	go func() {
		conn, err := api.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		n, _ := conn.Read(make([]byte, 1))
		asked <- n
	}()
	c.run(0, "env", "update", "production", "--base-url=http://"+api.Addr().String(), "--api-key=env:MILLRACE_TEST_NOT_SET")
	out, _ := c.run(exitFailed, "doctor", "--json", "--kafka-brokers="+c.kafka.Brokers[0], "--kafka-topic-prefix="+c.kafka.TopicPrefix,
		"--kafka-topics-partitions=2", "--clickhouse-dsn=http://127.0.0.1:1")
	var answer struct {
		Worst    doctor.Level
		Findings []doctor.Finding
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || answer.Worst != doctor.Problem {
		t.Fatalf("%v: %s", err, out)
	}
	f := func(check string, level doctor.Level, words string) {
		t.Helper()
		for _, finding := range answer.Findings {
			if finding.Check == check && finding.Level == level && strings.Contains(finding.Text+finding.Hint, words) {
				return
			}
		}
		t.Errorf("no %s of %s with %q in %s", level, check, words, out)
	}
	f("kafka", doctor.OK, "brokers answer: 1")
	f("topics", doctor.Problem, "--add-partitions")
	f("consumers", doctor.Problem, "processor: members 0")
	f("clickhouse", doctor.Problem, "127.0.0.1:1")
	f("catalog", doctor.OK, "environments 2")
	f("workflow API", doctor.OK, "takes connections")
	f("secrets", doctor.Problem, "MILLRACE_TEST_NOT_SET")
	if sent := <-asked; sent != 0 {
		t.Error("the workflow API was asked for something")
	}
}

func TestDoctorWithoutKafkaSaysSoWithinItsBound(t *testing.T) {
	c := doctorCommand{Kafka: kafka.Config{Brokers: []string{"127.0.0.1:1"}, Topics: kafka.Settings{Partitions: 1, ReplicationFactor: -1, Retention: schemas.InputRetention}}}
	for _, finding := range c.findings(t.Context()) {
		if finding.Level != doctor.Problem || finding.Hint == "" {
			t.Errorf("%+v", finding)
		}
	}
}
