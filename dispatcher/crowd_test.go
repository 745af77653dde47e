package dispatcher

import (
	"fmt"
	"testing"
)

func TestNoWorkflowTakesTheRoomOfAnother(t *testing.T) {
	c := newCrowd(1000, false)
	fill := func(workflow string) (n int) {
		for {
			if s, _ := c.enter(workflowName{environment: "production", workflow: workflow}); s == nil {
				return n
			}
			n++
		}
	}
	want := []int{500, 250, 125, 63}
	for i, most := range want {
		if got := fill(fmt.Sprint("w", i)); got != most {
			t.Errorf("workflow %d got room for %d runs, want %d", i, got, most)
		}
	}
	if c.room() <= 0 {
		t.Error("there is no room left for the next")
	}
}

func TestShareEndsWithItsLastRun(t *testing.T) {
	c := newCrowd(10, false)
	s, _ := c.enter(workflowName{environment: "production", workflow: "w"})
	s.leave(true)
	if c.room() != 10 || len(c.shares) != 0 {
		t.Errorf("room %d, shares %v", c.room(), c.shares)
	}
}
