package console

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
)

// Tables as files: CSV as RFC 4180 has it, with a row of headings, times in UTC as RFC 3339 has them, and numbers as they
// are. They are as long as the API's answers, which have a bound of their own.

// table is a file that is being written.
type table struct {
	out  bytes.Buffer
	rows *csv.Writer
}

func newTable(headings ...string) *table {
	t := &table{}
	t.rows = csv.NewWriter(&t.out)
	t.rows.UseCRLF = true
	t.add(headings...)
	return t
}

// add adds a row. The buffer takes everything, so that there is no error to return.
func (t *table) add(cells ...string) { _ = t.rows.Write(cells) }

// outside is a cell whose text comes from events or names. Spreadsheets run what begins like a formula, also in a file
// that somebody else has filled: a quote before it makes it a text. Numbers of our own do not pass here.
func outside(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

func measure(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

func instant(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// send answers with the file, named after what it has and the time that it is about.
func (t *table) send(c *fiber.Ctx, what string, since, until time.Time) error {
	t.rows.Flush()
	const inName = "20060102T150405Z"
	name := fmt.Sprintf("millrace-%s-%s-%s.csv", what, since.UTC().Format(inName), until.UTC().Format(inName))
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8; header=present")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	return c.Send(t.out.Bytes())
}

// inquireWithNames reads the filter of a file in which sources have names.
func inquireWithNames(c *fiber.Ctx, asked inquiry) (inquiry, error) {
	var err error
	asked.Choices, err = choicesFor(c.UserContext(), visitorOf(c).client)
	return asked, err
}

func (w *Console) seriesFile(c *fiber.Ctx) error {
	asked, err := inquireWithNames(c, inquireSeries(c))
	if err != nil {
		return err
	}
	found, err := visitorOf(c).client.Series(c.UserContext(), asked.seriesFilter(fileLines))
	if err != nil {
		return err
	}
	headings := []string{"from"}
	for _, line := range found.Series {
		headings = append(headings, outside(asked.lineName(asked.Filter.Value("by"), line)))
	}
	file := newTable(headings...)
	for i, at := range found.Times {
		cells := []string{instant(at)}
		for _, line := range found.Series {
			cells = append(cells, count(line.Counts[i]))
		}
		file.add(cells...)
	}
	return file.send(c, "events", found.Since, found.Until)
}

func (w *Console) topFile(c *fiber.Ctx) error {
	asked, err := inquireWithNames(c, inquireTop(c))
	if err != nil {
		return err
	}
	by := asked.Filter.Value("by")
	found, err := visitorOf(c).client.Top(c.UserContext(), asked.asked(eventInputs("by", "limit")...))
	if err != nil {
		return err
	}
	file := newTable(outside(by), "events", "share")
	for _, item := range found.Items {
		file.add(outside(asked.valueName(by, item.Value)), count(item.Count), measure(share(item.Count, found.Total)))
	}
	return file.send(c, "top", found.Since, found.Until)
}

func (w *Console) deliveriesFile(c *fiber.Ctx) error {
	return w.latencyFile(c, "deliveries", query.All)
}

func (w *Console) deliveriesOverTimeFile(c *fiber.Ctx) error {
	return w.latencyFile(c, "deliveries-over-time", inquireDeliveries(c).Step)
}

func (w *Console) latencyFile(c *fiber.Ctx, what string, interval query.Interval) error {
	asked := with(inquireDeliveries(c).asked("environment", "workflow", "since", "until"), "interval", string(interval))
	found, err := visitorOf(c).client.Latency(c.UserContext(), asked)
	if err != nil {
		return err
	}
	headings := []string{"workflow", "from", "calls", "delivered", "retrying", "dead"}
	for _, of := range []string{"call", "delivered"} {
		for _, quantile := range []string{"p50", "p90", "p95", "p99", "max"} {
			headings = append(headings, of+"_"+quantile+"_ms")
		}
	}
	file := newTable(headings...)
	for _, item := range found.Items {
		cells := []string{outside(item.Workflow), instant(item.At), count(item.Attempts), count(item.Delivered), count(item.Retrying), count(item.Dead)}
		file.add(append(append(cells, quantileCells(item.CallMs)...), quantileCells(item.DeliveredMs)...)...)
	}
	return file.send(c, what, found.Since, found.Until)
}

// quantileCells are empty where nothing was measured.
func quantileCells(q *query.Quantiles) []string {
	if q == nil {
		return make([]string, 5)
	}
	return []string{measure(q.P50), measure(q.P90), measure(q.P95), measure(q.P99), measure(q.Max)}
}

func (w *Console) matchingFile(c *fiber.Ctx) error {
	found, err := visitorOf(c).client.Dedup(c.UserContext(), inquireMatching(c).overTime("source", "environment", "event", "since", "until"))
	if err != nil {
		return err
	}
	file := newTable("from", "events", "duplicates", "processed", "no_trigger", "failed", "matched", "dedup_rate", "match_rate")
	for _, item := range found.Items {
		file.add(instant(item.At), count(item.Events), count(item.Duplicates), count(item.Processed), count(item.NoTrigger),
			count(item.Failed), count(item.Matched), measure(item.DedupRate), measure(item.MatchRate))
	}
	return file.send(c, "matching", found.Since, found.Until)
}

func (w *Console) triggersFile(c *fiber.Ctx) error {
	asked := with(inquireMatching(c).asked("source", "environment", "event", "since", "until"), "interval", string(query.All))
	found, err := visitorOf(c).client.Dedup(c.UserContext(), asked)
	if err != nil {
		return err
	}
	file := newTable("trigger_id", "workflow", "considered", "matched", "condition_false", "inactive", "mapping_error", "condition_error", "match_rate")
	for _, item := range found.Triggers {
		file.add(outside(item.TriggerID), outside(item.Workflow), count(item.Considered), count(item.Matched), count(item.ConditionFalse),
			count(item.Inactive), count(item.MappingError), count(item.ConditionError), measure(item.MatchRate))
	}
	return file.send(c, "triggers", found.Since, found.Until)
}
