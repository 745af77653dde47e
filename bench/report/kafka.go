package main

import (
	"context"
	"fmt"
	"os/exec"
)

// kafkaScript runs Apache Kafka on KAFKA_PORT.
const kafkaScript = "deploy/kafka/kafka"

// kafkaUp starts Apache Kafka unless it runs, and returns what stops it if it was started here.
func kafkaUp(ctx context.Context) (down func() error, err error) {
	if exec.CommandContext(ctx, kafkaScript, "status").Run() == nil {
		return func() error { return nil }, nil
	}
	// Not inherit: the broker is to outlive the script.
	if out, err := exec.CommandContext(ctx, kafkaScript, "up").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("starting Apache Kafka: %w: %s", err, out)
	}
	return func() error {
		if out, err := exec.Command(kafkaScript, "down").CombinedOutput(); err != nil {
			return fmt.Errorf("stopping Apache Kafka: %w: %s", err, out)
		}
		return nil
	}, nil
}
