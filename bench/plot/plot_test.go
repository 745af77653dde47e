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
		Title: "Latency by rate", Along: "events/s", Up: "ms", IsLogarithmic: true,
		Rates: []float64{100, 300, 1000, 3000, 14000},
		Lines: []Line{
			{"POST to delivery, p99", []float64{61, 66, 80, 190, 4200}},
			{"POST to delivery, p50", []float64{31, 32, 36, 61, 1900}},
			{"POST to 204, p99", []float64{5, 5, 6, 12, 300}},
			{"POST to 204, p50", []float64{0, 3, 3, 4, 40}},
		},
	}
}

func cost() Chart {
	return Chart{
		Title: "CPU by event", Along: "events/s", Up: "us", IsStacked: true,
		Rates: []float64{100, 1000, 14000},
		Lines: []Line{{"Kafka", []float64{500, 140, 50}}, {"ClickHouse", []float64{300, 70, 30}}, {"ingest", []float64{80, 40, 20}}},
	}
}

// words returns the texts of a drawing, in their order. What is no XML fails the test.
func words(t *testing.T, svg []byte) (all []string) {
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
	for _, c := range []Chart{latency(), cost()} {
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		found := words(t, svg)
		want := []string{c.Title, c.Along, c.Up, "100", "1,000", "20,000"}
		for _, line := range c.Lines {
			want = append(want, line.Name)
		}
		for _, word := range want {
			if !slices.Contains(found, word) {
				t.Errorf("%s: %q is not in the drawing: %q", c.Title, word, found)
			}
		}
	}
}

func TestLinesOfAStackLieOnThoseBefore(t *testing.T) {
	heights := cost().heights()
	for i, want := range [][]float64{{500, 140, 50}, {800, 210, 80}, {880, 250, 100}} {
		if !slices.Equal(heights[i], want) {
			t.Errorf("line %d is drawn at %v, want %v", i, heights[i], want)
		}
	}
}

func TestTicksEncloseTheValuesClosely(t *testing.T) {
	labels := func(c Chart) (all []string) {
		for _, tick := range c.valueTicks() {
			all = append(all, tick.Label)
		}
		return all
	}
	if got := strings.Join(labels(latency()), " "); got != "0.1 0.2 0.5 1 2 5 10 20 50 100 200 500 1,000 2,000 5,000" {
		t.Errorf("logarithmic ticks: %s", got)
	}
	if got := strings.Join(labels(cost()), " "); got != "0 100 200 300 400 500 600 700 800 900" {
		t.Errorf("linear ticks: %s", got)
	}
}

func TestWhatIsNoChartIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Chart){
		"one rate":               func(c *Chart) { c.Rates = c.Rates[:1] },
		"no lines":               func(c *Chart) { c.Lines = nil },
		"rates that descend":     func(c *Chart) { slices.Reverse(c.Rates) },
		"a line with one less":   func(c *Chart) { c.Lines[0].Values = c.Lines[0].Values[1:] },
		"a value below 0":        func(c *Chart) { c.Lines[0].Values[1] = -1 },
		"a stack of logarithms":  func(c *Chart) { c.IsStacked = true },
		"a rate that has no log": func(c *Chart) { c.Rates[0] = 0 },
	} {
		c := latency()
		spoil(&c)
		if _, err := c.SVG(); err == nil {
			t.Errorf("%s is drawn", name)
		}
	}
}
