package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// image is the official one, of the version that deploy/kafka/pom.xml names.
const image = "apache/kafka:4.3.1"

const startTimeout = 3 * time.Minute // the image may have to be pulled

// kafka is a broker in a container, on a port of 127.0.0.1.
type kafka struct {
	address   string
	container testcontainers.Container
}

// startKafka starts a broker and waits until it serves requests.
func startKafka(ctx context.Context) (*kafka, error) {
	if err := engineAnswers(ctx); err != nil {
		return nil, fmt.Errorf("no container engine answers: start Docker or Podman, or set DOCKER_HOST to its socket; "+
			"`make test-kafka` needs no container: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", port)
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	started, err := testcontainers.Run(ctx, image,
		testcontainers.WithExposedPorts("9092/tcp"),
		testcontainers.WithHostConfigModifier(publishOn(port)),
		testcontainers.WithEnv(settings(address)),
		testcontainers.WithWaitStrategyAndDeadline(startTimeout, wait.ForLog("Kafka Server started")),
	)
	broker := &kafka{address: address, container: started}
	if err != nil {
		_ = broker.remove() // what failed to start may be half there; the failure is what matters
		return nil, fmt.Errorf("starting %s: the engine must have this image or reach a registry that serves it (docker pull %s): %w", image, image, err)
	}
	return broker, nil
}

func (k *kafka) remove() error {
	if k.container == nil {
		return nil
	}
	return testcontainers.TerminateContainer(k.container)
}

func engineAnswers(ctx context.Context) (err error) {
	defer func() {
		if problem := recover(); problem != nil { // the library panics when it finds no engine to ask
			err = fmt.Errorf("%v", problem)
		}
	}()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	return errors.Join(provider.Health(ctx), provider.Close())
}

// freePort returns a port that nobody listens on at the moment. It is chosen before the broker starts, because the
// broker tells its clients its address and must know it.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

func publishOn(port string) func(*container.HostConfig) {
	return func(host *container.HostConfig) {
		host.PortBindings = network.PortMap{
			network.MustParsePort("9092/tcp"): {{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: port}},
		}
	}
}

// settings are those of deploy/kafka/server.properties, as the image takes them. A setting given so replaces all of the
// image's defaults, which is why the listeners are here as well.
func settings(address string) map[string]string {
	return map[string]string{
		"KAFKA_NODE_ID":                                          "1",
		"KAFKA_PROCESS_ROLES":                                    "broker,controller",
		"KAFKA_LISTENERS":                                        "PLAINTEXT://:9092,CONTROLLER://:9093",
		"KAFKA_ADVERTISED_LISTENERS":                             "PLAINTEXT://" + address,
		"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":                   "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"KAFKA_CONTROLLER_LISTENER_NAMES":                        "CONTROLLER",
		"KAFKA_INTER_BROKER_LISTENER_NAME":                       "PLAINTEXT",
		"KAFKA_CONTROLLER_QUORUM_VOTERS":                         "1@localhost:9093",
		"KAFKA_AUTO_CREATE_TOPICS_ENABLE":                        "false",
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":                 "1",
		"KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS":                     "4",
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR":         "1",
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":                    "1",
		"KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS":             "4",
		"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
		"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR":            "1",
		"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":                 "0",
	}
}
