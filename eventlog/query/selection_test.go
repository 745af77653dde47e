package query_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

// find expects the events that meet a selection, newest first.
func (s *story) find(of query.Selection, want ...told) {
	s.tb.Helper()
	page, err := s.log.Events(s.tb.Context(), query.EventFilter{Selection: of})
	if err != nil {
		s.tb.Fatalf("%+v: %v", of, err)
	}
	if got := ids(page.Items); !slices.Equal(got, wanted(want)) {
		s.tb.Errorf("%+v: got %v, want %v", of, got, wanted(want))
	}
}

func TestPropertiesAreComparedByTheirType(t *testing.T) {
	s := newStory(t)
	with := func(properties string) told { return s.event(func(e *told) { e.properties = properties }) }
	// Each value lies at a plain path and inside a list: the column answers for the one, the body for the other.
	value := func(v string) told { return with(`{"v":` + v + `,"l":[{"v":` + v + `}]}`) }
	none, null, object, empty := with(`{"w":1}`), value(`null`), value(`{"w":{"x":1}}`), value(`{}`)
	whole, fraction, large, text := value(`100`), value(`100.5`), value(`18446744073709551615`), value(`"100"`)
	yes, euro, list := value(`true`), value(`"EUR"`), value(`[1,"EUR"]`)
	f := func(condition string, want ...told) {
		t.Helper()
		for _, path := range []string{"properties.v", "data.l.0.v", "properties.l[].v"} {
			s.find(query.Selection{Where: []string{path + condition}}, want...)
		}
	}
	all := []told{list, euro, yes, text, large, fraction, whole, empty, object, null, none}
	but := func(left ...told) []told {
		return slices.DeleteFunc(slices.Clone(all), func(e told) bool { return slices.Contains(left, e) })
	}
	f(">100", large, fraction)
	f(" >= 100 ", large, fraction, whole)
	f("<100.5", whole)
	f("<=1.005e2", fraction, whole)
	f("=100", text, whole)
	f(`="100"`, text)
	f("!=100", but(text, whole)...)
	f(">1e19", large)
	f("=EUR", euro)
	f(`!="EUR"`, but(euro)...)
	f(">EU", euro)
	f("=true", yes)
	f("!=true", but(yes)...)
	f("=false")
	f(" exists", list, euro, yes, text, large, fraction, whole, object)
	f(" missing", empty, null, none)
	s.find(query.Selection{Where: []string{"properties.v.w.x=1"}}, object)
	s.find(query.Selection{Where: []string{"properties.v.w exists"}}, object)
	s.find(query.Selection{Where: []string{"properties.v.0=1"}}, list)
	s.find(query.Selection{Where: []string{"properties.v>99", "properties.v<101", "properties.v!=100"}}, fraction)
}

func TestNamesOfPropertiesCanBeAnything(t *testing.T) {
	s := newStory(t)
	for _, name := range []string{"total", "größe", "a-b", "$set", "unit price", "a.b", "0", "^a", "`x`", `q"q`, `back\slash`, "x.:`Int64`", "it's", "", "a]", "{p:String}", "?"} {
		quoted := fmt.Sprintf("%q", name)
		here := s.event(func(e *told) { e.properties = `{` + quoted + `:"here","other":1}` })
		s.event(func(e *told) { e.properties = `{` + quoted + `:"there"}` })
		s.find(query.Selection{Where: []string{"properties." + quoted + "=here"}, Since: here.at}, here)
		top, err := s.log.Top(t.Context(), query.TopFilter{Selection: query.Selection{Since: here.at, Until: here.at.Add(2 * time.Second)}, By: "properties." + quoted})
		if err != nil || len(top.Items) != 2 || *top.Items[0].Value != "here" {
			t.Errorf("%s: %+v, %v", quoted, top, err)
		}
	}
}

func TestConditionsThatCannotBeReadAreRefused(t *testing.T) {
	s := newStory(t)
	for _, condition := range []string{
		"", "total>1", "properties", "properties.", "properties.>1", "properties.a", "properties.a ~ 1", "properties.a=", "properties.a exists 1", "properties.a..b=1",
		`properties."a=1`, `properties.a="x`, `properties.a="x"y`, "properties.a>true", "properties.0=1", "properties.a b=1", "properties.a.9999999=1", "context.ip=1",
		"properties.a=\xff", "properties." + strings.Repeat("a.", 30) + "a=1", "properties.a=" + strings.Repeat("x", 2000),
	} {
		_, err := s.log.Events(t.Context(), query.EventFilter{Selection: query.Selection{Where: []string{condition}}})
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != "where" {
			t.Errorf("%.60q: %v, want an error about where", condition, err)
		}
	}
}

func TestFreeTextFindsWordsOfTheBody(t *testing.T) {
	s := newStory(t)
	with := func(note string) told { return s.event(func(e *told) { e.properties = `{"note":"` + note + `"}` }) }
	violet, both, umlaut := with("Violet-42 stone"), with("stone violet"), with("Grün_x it's {word_0:String}")
	s.find(query.Selection{Text: "violet"}, both, violet)
	s.find(query.Selection{Text: "VIOLET"}, both, violet)
	s.find(query.Selection{Text: "stone violet"}, both)
	s.find(query.Selection{Text: "violet-42"}, violet)
	s.find(query.Selection{Text: "viole"})
	s.find(query.Selection{Text: "Grün"}, umlaut)
	s.find(query.Selection{Text: "it's {word_0:String}"}, umlaut)
	s.find(query.Selection{Text: "note"}, umlaut, both, violet)
	for _, text := range []string{"?!", "a\xff", strings.Repeat("a ", 11), strings.Repeat("a", 201), "a\x00"} {
		_, err := s.log.Events(t.Context(), query.EventFilter{Selection: query.Selection{Text: text}})
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != "q" {
			t.Errorf("%q: %v, want an error about q", text, err)
		}
	}
}

func TestEventsAreFoundByTimeAndID(t *testing.T) {
	s := newStory(t)
	var all []told
	for i := range 5 {
		all = append(all, s.event(func(e *told) { e.at = s.start.Add(-time.Duration(i) * 50 * time.Hour) }))
	}
	s.find(query.Selection{}, all...)
	s.find(query.Selection{Since: all[2].at}, all[:3]...)
	s.find(query.Selection{Until: all[2].at}, all[3:]...)
	s.find(query.Selection{Since: all[3].at, Until: all[1].at}, all[2:4]...)
	page, err := s.log.Events(t.Context(), query.EventFilter{IDs: []string{all[4].id, all[1].id, "00000000-0000-0000-0000-000000000000"}})
	if err != nil || !slices.Equal(ids(page.Items), wanted([]told{all[1], all[4]})) {
		t.Errorf("%+v, %v", page, err)
	}
	_, err = s.log.Events(t.Context(), query.EventFilter{IDs: []string{"7"}})
	var bad *query.FilterError
	if !errors.As(err, &bad) || bad.Field != "id" {
		t.Errorf("%v, want an error about id", err)
	}
}
