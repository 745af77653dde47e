package main

import (
	"testing"
	"time"
)

func TestACostIsWhatLiesBetweenTwoReadings(t *testing.T) {
	began := time.Unix(1000, 0)
	first := reading{began, 50_000, time.Second, 3 * time.Second}
	last := reading{began.Add(2 * time.Second), 250_000, 2 * time.Second, 7 * time.Second}
	got, err := first.until(last)
	if want := (cost{perSecond: 100_000, client: 5, engine: 20}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := last.until(last); err == nil {
		t.Error("no rows have a cost")
	}
}

func TestMediansAreOfEachFigureByItself(t *testing.T) {
	if got, want := medians([]cost{{1, 30, 5}, {2, 20, 7}, {3, 10, 6}}), (cost{2, 20, 6}); got != want {
		t.Errorf("%+v", got)
	}
	if got, want := medians([]cost{{1, 30, 5}, {2, 20, 7}}), (cost{1.5, 25, 6}); got != want {
		t.Errorf("%+v", got)
	}
}

func TestRowsPutTheEventLogBesideTheBareInsert(t *testing.T) {
	got := rows("events", cost{100, 10, 20}, cost{200, 5, 16})
	if len(got) != 3 || got[0].Ratio() != 0.5 || got[1].Ratio() != 2 || got[2].Ratio() != 1.25 {
		t.Errorf("%+v", got)
	}
}
