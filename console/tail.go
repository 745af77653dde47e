package console

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// A live view is a stream of server-sent events: rows, as the page has them, of events as they become visible, and rows
// again of those that came undecided. After each round the stream says where the API goes on, so that a browser that lost
// its connection misses nothing; a row that it has already it replaces.

const (
	// maxTails is how many live views a console serves at once; one more is answered 503.
	maxTails = 100
	// tailEvery is how often a live view asks for more.
	tailEvery = time.Second
	// maxUndecided is how many events a live view waits for the statuses of; of more, the oldest stay undecided there.
	maxUndecided = 100
	// tailTimeout is how long one question of a live view may take.
	tailTimeout = 10 * time.Second
)

// isLive tells whether the answer is a live view, which must not wait for a compressor's block to fill.
func isLive(c *fiber.Ctx) bool { return strings.HasSuffix(c.Path(), "/live") }

// tail is one live view.
type tail struct {
	console   *Console
	client    *api.Client
	filter    url.Values
	choices   choices // for the names of sources
	status    string  // only such events are shown: each when it has been decided about
	after     string
	undecided []string // IDs, oldest first
	out       *bufio.Writer
	conn      net.Conn // behind it
}

// tail serves live views, which end with process.
func (w *Console) tail(process context.Context) fiber.Handler {
	return func(c *fiber.Ctx) error {
		select {
		case w.tails <- struct{}{}:
		default:
			return fiber.NewError(fiber.StatusServiceUnavailable, "There are too many live views at once; close one, or load this page again later.")
		}
		view := w.newTail(c)
		view.conn = c.Context().Conn()
		c.Set(fiber.HeaderContentType, "text/event-stream")
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set("X-Accel-Buffering", "no") // a proxy may hold nothing back
		c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
			defer func() { <-w.tails }()
			view.out = out
			view.run(process)
		})
		return nil
	}
}

func (w *Console) newTail(c *fiber.Ctx) *tail {
	filter := filterOf(c, eventFilters())
	view := &tail{console: w, client: visitorOf(c).client, filter: filter, status: filter.Get("status"), after: c.Get("Last-Event-ID", "1s")}
	for _, name := range []string{"since", "until", "status"} { // a live view begins now, when nothing is decided
		filter.Del(name)
	}
	if choices, err := choicesFor(c.UserContext(), view.client); err == nil { // else rows have IDs for names
		view.choices = choices
	}
	return view
}

// run goes on until the process ends, the browser goes away or the API refuses.
func (t *tail) run(ctx context.Context) {
	ticks := time.NewTicker(tailEvery)
	defer ticks.Stop()
	for {
		if err := t.step(ctx); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// step writes what is new. It always writes something: that is how a browser that has gone away is noticed.
func (t *tail) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tailTimeout)
	defer cancel()
	// What the server sets is for a whole answer, and this one does not end.
	if err := t.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if err := t.addStatuses(ctx); err != nil {
		return err
	}
	found, err := t.client.Events(ctx, with(with(t.filter, "after", t.after), "limit", "100"))
	if err != nil {
		return t.fail(err)
	}
	if found.NextCursor != nil {
		t.after = *found.NextCursor
	}
	for _, event := range found.Items {
		if event.Status == "" {
			t.undecided = append(t.undecided, event.ID)
		}
		if err := t.show("row", event); err != nil {
			return err
		}
	}
	t.undecided = t.undecided[max(0, len(t.undecided)-maxUndecided):]
	fmt.Fprintf(t.out, "id: %s\n", t.after)
	t.send("alive", nil)
	return t.out.Flush()
}

// show sends an event's row, unless it is none of those that are wanted.
func (t *tail) show(kind string, event query.EventItem) error {
	if t.status != "" && t.status != string(event.Status) {
		return nil
	}
	row, err := t.console.fragment("eventrow", eventRow{event, t.choices.SourceName(event.SourceID)})
	if err != nil {
		return err
	}
	t.send(kind, row)
	return nil
}

// addStatuses sends the statuses of those that have one by now.
func (t *tail) addStatuses(ctx context.Context) error {
	if len(t.undecided) == 0 {
		return nil
	}
	found, err := t.client.Events(ctx, url.Values{"id": t.undecided, "limit": {"500"}})
	if err != nil {
		return t.fail(err)
	}
	decided := map[string]query.EventItem{}
	for _, event := range found.Items {
		if event.Status != "" {
			decided[event.ID] = event
		}
	}
	var still []string
	for _, id := range t.undecided {
		event, isDecided := decided[id]
		if !isDecided {
			still = append(still, id)
			continue
		}
		if err := t.show("decided", event); err != nil {
			return err
		}
	}
	t.undecided = still
	return nil
}

// fail tells the page why the live view ends.
func (t *tail) fail(err error) error {
	failed := explain(err)
	t.send("failed", []byte(failed.Title+". "+failed.Detail))
	_ = t.out.Flush() // the view ends anyhow
	return err
}

// send writes one server-sent event. Errors stay in the writer until Flush.
func (t *tail) send(kind string, content []byte) {
	fmt.Fprintf(t.out, "event: %s\n", kind)
	if len(content) == 0 {
		content = []byte("-") // an event without data is none
	}
	for text := range bytes.Lines(content) {
		fmt.Fprintf(t.out, "data: %s\n", bytes.TrimRight(text, "\r\n"))
	}
	fmt.Fprint(t.out, "\n")
}
