package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/millrace/millrace/bench/usage"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
)

// startRoles starts each role on the running Apache Kafka, in topics with a prefix of their own, which are deleted at the end.
func (w *world) startRoles(ctx context.Context) error {
	s := w.settings
	w.cluster.Brokers, w.cluster.Topics.Partitions = []string{s.kafka}, s.partitions
	w.cluster.TopicPrefix = fmt.Sprintf("bench-pipeline-%d.", time.Now().UnixMilli())
	if err := w.cluster.Ping(ctx); err != nil {
		return fmt.Errorf("%w; is it running (make kafka-up)?", err)
	}
	engine, err := startEngine(ctx, s.library, w.dir)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, engine.close)
	pid, err := usage.OnlyChild(os.Getpid())
	if err != nil {
		return err
	}
	broker, dsn := brokerPID(ctx), "http://"+engine.address()+"/pipeline?compress=none"
	if broker > 0 {
		w.parts = append(w.parts, part{"Kafka", broker})
	}
	w.parts = append(w.parts, part{"ClickHouse", pid})
	if err := w.cluster.EnsureTopics(ctx); err != nil {
		return err
	}
	if err := runProcess(ctx, w.dir, s.binary, "migrate", "--clickhouse-dsn="+dsn, "--log-level=warn"); err != nil {
		return err
	}
	clickhouse := eventlog.Config{}
	if err := kong.ApplyDefaults(&clickhouse); err != nil {
		return err
	}
	clickhouse.DSN = dsn
	if err := w.connect(ctx, clickhouse); err != nil {
		return err
	}
	w.closers = append(w.closers, w.deleteTopics)
	if err := w.runWorkflowAPI(); err != nil {
		return err
	}
	return w.runRoles(dsn)
}

func (w *world) runRoles(dsn string) error {
	for _, role := range [][]string{
		{"ingest", "--ingest-listen=" + w.ingest},
		{
			"processor", "--processor-dedup-dir=" + filepath.Join(w.dir, "dedup"), "--processor-guarantee=" + w.settings.guarantee,
			"--processor-instance=bench",
		},
		{
			"dispatcher", "--dispatcher-delivered-dir=" + filepath.Join(w.dir, "delivered"), "--dispatcher-allow-networks=127.0.0.0/8",
			"--workflow-api-url=http://" + w.workflows,
		},
		{"eventlog", "run", "--clickhouse-dsn=" + dsn},
		{"api", "--clickhouse-dsn=" + dsn, "--api-listen=" + w.api, "--api-ingest-url=http://" + w.ingest},
	} {
		level := "warn"
		if role[0] == "api" {
			level = "error" // it warns that it asks for no token
		}
		admin, err := w.admin(role[0])
		if err != nil {
			return err
		}
		args := slices.Concat(role, admin, []string{
			"--kafka-brokers=" + w.settings.kafka, "--kafka-topic-prefix=" + w.cluster.TopicPrefix,
			"--kafka-topics-partitions=" + strconv.Itoa(w.settings.partitions), "--log-level=" + level,
		})
		if _, err := w.run(role[0], w.settings.binary, args...); err != nil {
			return err
		}
	}
	return nil
}

// startDev starts one `millrace dev`, whose Kafka and roles share a process.
func (w *world) startDev(ctx context.Context) error {
	s := w.settings
	broker, err := freeAddress()
	if err != nil {
		return err
	}
	readonly, err := freeAddress()
	if err != nil {
		return err
	}
	if err := w.runWorkflowAPI(); err != nil {
		return err
	}
	admin, err := w.admin("dev")
	if err != nil {
		return err
	}
	dev, err := w.run("millrace dev", s.binary, slices.Concat([]string{"dev"}, admin, []string{
		"--data-dir=" + filepath.Join(w.dir, "dev"), "--library-dir=" + s.library,
		"--ingest-listen=" + w.ingest, "--api-listen=" + w.api, "--api-ingest-url=http://" + w.ingest, "--console-listen=",
		"--embedded-kafka-listen=" + broker, "--embedded-clickhouse-listen=" + readonly, "--workflow-api-url=http://" + w.workflows,
		"--kafka-topics-partitions=" + strconv.Itoa(s.partitions), "--log-level=warn",
	})...)
	if err != nil {
		return err
	}
	w.cluster.Brokers = []string{broker}
	if err := w.awaitAPI(ctx); err != nil {
		return err
	}
	pid, err := usage.OnlyChild(dev.pid())
	if err != nil {
		return err
	}
	w.parts = append(w.parts, part{"ClickHouse", pid})
	clickhouse := eventlog.Config{ReadOnly: true}
	if err := kong.ApplyDefaults(&clickhouse); err != nil {
		return err
	}
	clickhouse.DSN = "http://" + readonly + "/millrace?compress=none"
	return w.connect(ctx, clickhouse)
}

// deleteTopics leaves nothing on the broker.
func (w *world) deleteTopics() {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	topics, err := w.topics.ListTopics(ctx)
	if err == nil {
		names := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, w.cluster.TopicPrefix) })
		_, err = w.topics.DeleteTopics(ctx, names...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/pipeline: deleting the topics:", err)
	}
}

// groups are the consumer groups on the way of an event.
func groups(cluster kafka.Config) map[string]string {
	return map[string]string{
		"processor": cluster.Group("processor"), "dispatcher": cluster.Group("dispatcher"), "eventlog": cluster.Group("eventlog"),
	}
}

// brokerPID returns 0 where the broker is not the one of `make kafka-up`: what it takes is not told then.
func brokerPID(ctx context.Context) int {
	out, err := exec.CommandContext(ctx, filepath.Join("deploy", "kafka", "kafka"), "status").Output()
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`pid (\d+)`).FindSubmatch(out)
	if found == nil {
		return 0
	}
	pid, _ := strconv.Atoi(string(found[1])) // it is made of digits
	return pid
}
