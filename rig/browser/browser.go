// Package browser gives tests a real Chromium, without a window, that they drive as a person would. What a page logs as
// an error, and what its security policy refuses, fails the test. It is a package of its own so that only tests of pages
// carry the library that speaks to the browser.
package browser

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience is how long a step may take. It bounds a failing test, it is no expectation.
const Patience = 60 * time.Second

// Browser is one Chromium, in which each test opens tabs.
type Browser struct{ ctx context.Context }

// New starts a Chromium for the length of the test.
func New(t testing.TB) Browser {
	t.Helper()
	options := append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(find(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("lang", "en-GB"), chromedp.Flag("font-render-hinting", "none"),
		chromedp.UserDataDir(t.TempDir()),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		closeBrowser()
		stop() // waits until the process is gone
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return Browser{ctx}
}

// find returns the path of a Chromium.
func find(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("MILLRACE_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: `make chromium` installs it, or MILLRACE_CHROMIUM says where it is")
	return ""
}

// Look is how somebody looks at a page.
type Look struct {
	Name          string
	Dark          bool
	Width, Height int64 // of the window, in CSS pixels
}

// Tab is one page of the browser.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex // guards problems
	problems []string
}

// Tab opens a page for the length of the test. Its clock's zone is Berlin's, so that local time differs from UTC.
func (b Browser) Tab(t testing.TB, look Look) *Tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	tab := &Tab{t: t, ctx: ctx}
	t.Cleanup(closeTab)
	if err := chromedp.Listen(ctx, tab.note); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	tab.Do(
		command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"}),
		command(emulation.SetEmulatedMedia, media),
		chromedp.EmulateViewport(look.Width, look.Height),
	)
	return tab
}

// command is a call of the browser's protocol as a step.
func command[P, R any](call cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, call, params)
		return err
	})
}

// note keeps what a page does wrong.
func (tab *Tab) note(event any) {
	var problem string
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + event.ExceptionDetails.Text + " " + event.ExceptionDetails.URL
	case *log.EventEntryAdded:
		if event.Entry.Level != log.EntryLevelError {
			return
		}
		problem = event.Entry.Text + " " + event.Entry.URL
	case *page.EventJavascriptDialogOpening:
		problem = "dialog: " + event.Message
	default:
		return
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.problems = append(tab.problems, problem)
}

// Problems returns what pages of the tab have done wrong since it was asked last.
func (tab *Tab) Problems() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	found := tab.problems
	tab.problems = nil
	return found
}

// Step is something to do in a tab.
type Step = chromedp.Action[chromedp.Void]

// Do takes steps, each of which waits for what it needs.
func (tab *Tab) Do(steps ...Step) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("%v\nproblems of the page: %q\n%s", err, tab.Problems(), tab.text())
	}
}

// text is what the page shows, for the report of a failure.
func (tab *Tab) text() string {
	ctx, cancel := context.WithTimeout(tab.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// Get takes a step that has a result.
func Get[T any](tab *Tab, step chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	if err != nil {
		tab.t.Fatalf("%v\nproblems of the page: %q\n%s", err, tab.Problems(), tab.text())
	}
	return value
}

// Await waits until a JavaScript expression is true of the page, whichever page is loaded meanwhile.
func (tab *Tab) Await(expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, Patience)
	defer cancel()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		isSo, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && isSo {
			return
		}
		select {
		case <-ctx.Done():
			tab.t.Fatalf("waiting until %s: %v\nproblems of the page: %q\n%s", expression, err, tab.Problems(), tab.text())
		case <-ticks.C:
		}
	}
}

// Evaluate returns the value of a JavaScript expression.
func Evaluate[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return Get(tab, chromedp.Evaluate[T](expression))
}

// Picture returns the whole page as a PNG.
func (tab *Tab) Picture() []byte {
	tab.t.Helper()
	return Get(tab, chromedp.FullScreenshot(100))
}
