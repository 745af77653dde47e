package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/millrace/millrace/eventlog/query"
)

// question is what somebody asks, and how many items the answer must have at least.
type question struct {
	name string
	ask  func(context.Context) (int, error)
	want int
}

// sample is an event of the last day, in the middle of it.
type sample struct{ message, user, order string }

func newQuestions(ctx context.Context, conn driver.Conn) ([]question, error) {
	var s sample
	var until time.Time
	err := conn.QueryRow(ctx, "SELECT max(received_at) FROM events").Scan(&until)
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT message_id, user_id, JSONExtractString(body, 'properties', 'order_id') FROM events"+
			" WHERE received_at < (SELECT max(received_at) - INTERVAL 8 HOUR FROM events) ORDER BY received_at DESC LIMIT 1").Scan(&s.message, &s.user, &s.order)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a sample: %w", err)
	}
	until = until.Add(time.Millisecond)
	log, day := query.New(conn), until.Add(-24*time.Hour)
	events := func(name string, want int, filter query.EventFilter) question {
		return question{name, func(ctx context.Context) (int, error) {
			page, err := log.Events(ctx, filter)
			return len(page.Items), err
		}, want}
	}
	within := func(s query.Selection) query.Selection {
		s.Since, s.Until = day, until
		return s
	}
	series := func(name string, want int, filter query.SeriesFilter) question {
		return question{name, func(ctx context.Context) (int, error) {
			found, err := log.Series(ctx, filter)
			return len(found.Series), err
		}, want}
	}
	top := func(name string, want int, filter query.TopFilter) question {
		return question{name, func(ctx context.Context) (int, error) {
			found, err := log.Top(ctx, filter)
			return len(found.Items), err
		}, want}
	}
	return append([]question{
		events("last 50 of a source and environment", 50, query.EventFilter{Selection: query.Selection{Source: "src_1", Environment: "production"}}),
		events("last 50 of a source", 50, query.EventFilter{Selection: query.Selection{Source: "src_1"}}),
		events("one by message ID", 1, query.EventFilter{Selection: query.Selection{MessageID: s.message}}),
		events("last 50 of a user", 1, query.EventFilter{Selection: query.Selection{UserID: s.user}}),
		events("last 50 failed of a day", 1, query.EventFilter{Selection: within(query.Selection{Status: "failed"})}),
		events("property: total>499 of a day, last 50", 1, query.EventFilter{Selection: within(query.Selection{Where: []string{"properties.total>499"}})}),
		events("property: order_id= of a day, one", 1, query.EventFilter{Selection: within(query.Selection{Where: []string{"properties.order_id=" + s.order}})}),
		top("property: count total>499 of a day", 1, query.TopFilter{Selection: within(query.Selection{Where: []string{"properties.total>499"}})}),
		events("free text: a common word of a day", 1, query.EventFilter{Selection: within(query.Selection{Text: "violet"})}),
		events("free text: a word of one event of a day", 1, query.EventFilter{Selection: within(query.Selection{Text: s.order})}),
		events("free text: a word of no event of a day", 0, query.EventFilter{Selection: within(query.Selection{Text: "nobodyhasthis"})}),
		series("per minute over a day", 1, query.SeriesFilter{Selection: within(query.Selection{}), Interval: query.Minute}),
		series("per minute over a day, of a source", 1, query.SeriesFilter{Selection: within(query.Selection{Source: "src_1", Environment: "production"}), Interval: query.Minute}),
		series("per minute over a day, by event", 11, query.SeriesFilter{Selection: within(query.Selection{}), Interval: query.Minute, By: "event"}),
		series("per hour over a day, by status", 4, query.SeriesFilter{Selection: within(query.Selection{}), By: "status"}),
		series("per hour over a day, by a property", 6, query.SeriesFilter{Selection: within(query.Selection{}), By: "properties.currency"}),
		top("top 20 events of 30 days", 20, query.TopFilter{Selection: query.Selection{Since: until.AddDate(0, 0, -31), Until: until}}),
		top("top 20 users of a day", 20, query.TopFilter{Selection: within(query.Selection{}), By: "user"}),
	}, others(log, day, until)...), nil
}

func others(log *query.Log, day, until time.Time) []question {
	var follow string
	return []question{
		{"delivery latency of a day, by workflow", func(ctx context.Context) (int, error) {
			found, err := log.Latency(ctx, query.LatencyFilter{Since: day, Until: until.Add(time.Hour)})
			return len(found.Items), err
		}, 10},
		{"dedup and match rates of a day", func(ctx context.Context) (int, error) {
			found, err := log.Dedup(ctx, query.DedupFilter{Since: day, Until: until})
			return len(found.Items), err
		}, 1},
		{"following: nothing new", func(ctx context.Context) (int, error) {
			page, err := log.Follow(ctx, query.FollowFilter{From: until, Cursor: follow})
			follow = page.NextCursor
			return len(page.Items), err
		}, 0},
		{"names of a week", func(ctx context.Context) (int, error) {
			page, err := log.Names(ctx, query.NameFilter{})
			return len(page.Items), err
		}, 50},
		{"last 50 runs", func(ctx context.Context) (int, error) {
			page, err := log.Runs(ctx, query.RunFilter{})
			return len(page.Items), err
		}, 50},
	}
}
