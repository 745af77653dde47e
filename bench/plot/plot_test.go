package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func latency() Chart {
	return Chart{
		Title: "Latency by rate", Along: "events/s", Up: "milliseconds from when an event was due",
		Rates: []float64{100, 300, 1000, 3000, 14000},
		Lines: []Line{
			{"POST to delivery, p99", []float64{61, 66, 80, 190, 4200}},
			{"POST to delivery, p50", []float64{31, 32, 36, 61, 1900}},
			{"POST to 204, p99", []float64{5, 5, 6, 12, 300}},
			{"POST to 204, p50", []float64{0, 3, 3, 4, 40}},
		},
	}
}

// texts returns the texts of a drawing, in their order. What is no XML fails the test.
func texts(t *testing.T, svg []byte) (all []string) {
	t.Helper()
	for decoder := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, is := token.(xml.CharData); is && strings.TrimSpace(string(text)) != "" {
			all = append(all, string(text))
		}
	}
}

func TestAChartHasItsTitlesNamesAndRoundTicks(t *testing.T) {
	c := latency()
	svg, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	found := texts(t, svg)
	want := []string{c.Title, c.Along, c.Up, "100", "1,000", "20,000", "0.1", "5,000"}
	for _, line := range c.Lines {
		want = append(want, line.Name)
	}
	for _, word := range want {
		if !slices.Contains(found, word) {
			t.Errorf("%q is not in the drawing: %q", word, found)
		}
	}
}

func TestTicksEncloseTheValuesClosely(t *testing.T) {
	for want, values := range map[string][]float64{
		"0.1 0.2 0.5 1 2 5 10 20 50 100 200 500 1,000 2,000 5,000": {0, 4200, 17},
		"100 200 500 1,000": {100, 1000},
		"50 100 200 500 1,000 2,000 5,000 10,000 20,000": {99, 14_000},
		"2 5": {3, 3},
	} {
		var labels []string
		for _, tick := range ticks(values) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("of %v: %s, want %s", values, got, want)
		}
	}
}

func TestWhatIsNoChartIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Chart){
		"one rate":               func(c *Chart) { c.Rates = c.Rates[:1] },
		"no lines":               func(c *Chart) { c.Lines = nil },
		"rates that descend":     func(c *Chart) { slices.Reverse(c.Rates) },
		"a line with one less":   func(c *Chart) { c.Lines[0].Values = c.Lines[0].Values[1:] },
		"a value below 0":        func(c *Chart) { c.Lines[0].Values[1] = -1 },
		"a rate that has no log": func(c *Chart) { c.Rates[0] = 0 },
	} {
		c := latency()
		spoil(&c)
		if _, err := c.SVG(); err == nil {
			t.Errorf("%s is drawn", name)
		}
	}
}
