package security

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
)

type object = map[string]any

// cluster is every role, running.
type cluster struct {
	*world
	ingestURL, apiURL string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	ingest, api := rig.FreeAddr(t), rig.FreeAddr(t)
	c := &cluster{newWorld(t), "http://" + ingest, "http://" + api}
	log, dsn, dir := c.log, "--clickhouse-dsn="+c.clickhouse, t.TempDir()
	c.run(c.command("topics", "topics"))
	migrate := exec.Command(rig.Binary(t), "migrate", dsn)
	migrate.Stdout, migrate.Stderr = log, log
	c.run(migrate)
	guarantee := "at_least_once"
	if rig.IsCrashSafe() {
		guarantee = "exactly_once"
	}
	c.start("ingest", "ingest", "--ingest-listen="+ingest)
	c.start("processor", "processor", "--processor-dedup-dir="+filepath.Join(dir, "dedup"), "--processor-dedup-memory=16777216",
		"--processor-guarantee="+guarantee, "--processor-instance=one", "--admin-listen=")
	c.start("dispatcher", "dispatcher", "--dispatcher-delivered-dir="+filepath.Join(dir, "delivered"),
		"--dispatcher-allow-networks=127.0.0.0/8", "--workflow-api-url="+c.workflows.URL)
	c.start("eventlog", "eventlog", "run", dsn)
	c.start("api", "api", dsn, "--api-listen="+api, "--api-ingest-url="+c.ingestURL)
	c.start("replay", "replay", "run", dsn)
	return c
}

// call asks the API and decodes what it answers.
func (c *cluster) call(method, path string, want int, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := rig.Request(method, c.apiURL+path, body, nil)
	if err != nil {
		return err
	}
	if answer.Status != want {
		return fmt.Errorf("%s %s: %d %s", method, path, answer.Status, answer.Body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Body, out)
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// TestEachRoleWorksWithThePermissionsOfItsRole lets an event go all the way, and a replay after it.
func TestEachRoleWorksWithThePermissionsOfItsRole(t *testing.T) {
	c := newCluster(t)
	var source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	rig.Eventually(t, "a source is made", func() error {
		return c.call(http.MethodPost, "/api/v1/sources", http.StatusCreated, object{"name": "shop"}, &source)
	})
	trigger := object{"name": "live", "environment": "production", "source_id": source.ID, "event": "Order", "workflow": "order"}
	c.must(c.call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, trigger, nil))
	trigger["name"], trigger["workflow"], trigger["status"] = "draft", "again", "inactive"
	c.must(c.call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, trigger, nil))

	event := []byte(`{"type":"track","event":"Order","userId":"u-1","messageId":"m-1","properties":{}}`)
	rig.Eventually(t, "the event is taken", func() error {
		answer, err := rig.Request(http.MethodPost, source.Endpoints["production"].URL, event, nil)
		if err == nil && answer.Status != http.StatusNoContent {
			err = fmt.Errorf("%d %s", answer.Status, answer.Body)
		}
		return err
	})
	c.awaitRuns(1)

	wanted := object{"source": "shop", "environment": "production", "from": "1h", "triggers": []any{"draft"}}
	c.must(c.call(http.MethodPost, "/api/v1/replays/dry-run", http.StatusOK, wanted, nil))
	var replay struct {
		ID    string
		State string
	}
	c.must(c.call(http.MethodPost, "/api/v1/replays", http.StatusCreated, wanted, &replay))
	c.awaitRuns(2)
	rig.Eventually(t, "the replay is completed", func() error {
		if err := c.call(http.MethodGet, "/api/v1/replays/"+replay.ID, http.StatusOK, nil, &replay); err != nil {
			return err
		}
		if replay.State != "completed" {
			return fmt.Errorf("it is %q", replay.State)
		}
		return nil
	})
	c.requireQuiet()
}

// awaitRuns waits until the log has so many runs, each delivered.
func (c *cluster) awaitRuns(n int) {
	c.t.Helper()
	rig.Eventually(c.t, fmt.Sprintf("%d runs are delivered", n), func() error {
		var runs struct{ Items []struct{ Status string } }
		if err := c.call(http.MethodGet, "/api/v1/runs", http.StatusOK, nil, &runs); err != nil {
			return err
		}
		if got := c.calls.Load(); len(runs.Items) != n || got < int64(n) {
			return fmt.Errorf("there are %d, and %d calls", len(runs.Items), got)
		}
		for _, run := range runs.Items {
			if run.Status != "delivered" {
				return fmt.Errorf("one is %q", run.Status)
			}
		}
		return nil
	})
}

// requireQuiet finds neither a refusal nor a secret in what the roles have logged.
func (c *cluster) requireQuiet() {
	c.t.Helper()
	log := c.log.String()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "AUTHORIZATION_FAILED") {
			c.t.Errorf("a permission is missing: %s", line)
		}
	}
	for _, role := range kafka.Roles() {
		if strings.Contains(log, password(role)) {
			c.t.Errorf("the password of %s is in the log", role)
		}
	}
	if !strings.Contains(log, "level=DEBUG") {
		c.t.Error("the log has nothing of the roles")
	}
}
