package processor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/processor"
)

func TestEveryEventIsDecidedOnceWhileProcessorsComeAndGo(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
		newStorm(t, guarantee).blow(25)
	})
}

// This one is for every broker.
func TestEveryEventIsDecidedOnceWhileAnInstanceIsRestarted(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
		w := newWorld(t)
		w.trigger(nil)
		w.launch(guarantee, "a")
		var ids []string
		for round := range 5 {
			b := w.launch(guarantee, "b")
			ids = append(ids, w.post(events(fmt.Sprint("r", round, "-"), 100)...)...)
			w.await(ids[:len(ids)-90]...)
			b.stop()
		}
		w.launch(guarantee, "b")
		w.requireExact(guarantee, ids)
	})
}

// storm is a world in which processors come and go, and leaders and coordinators move.
type storm struct {
	*world
	guarantee processor.Guarantee
	random    *rand.Rand
	second    *instance // nil while there is none
	ids       []string
}

func newStorm(t *testing.T, guarantee processor.Guarantee) *storm {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &storm{world: newFaultyWorld(t), guarantee: guarantee, random: rand.New(rand.NewPCG(seed, 0))}
	for range 2 {
		if _, _, err := s.cluster.AddNode(-1, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.trigger(nil)
	s.launch(guarantee, "a")
	return s
}

func (s *storm) blow(rounds int) {
	s.t.Helper()
	for round := range rounds {
		s.ids = append(s.ids, s.post(events(fmt.Sprint("r", round, "-"), 10+s.random.IntN(60))...)...)
		s.gust()
	}
	s.requireExact(s.guarantee, s.ids)
}

func (s *storm) gust() {
	s.t.Helper()
	switch s.random.IntN(5) {
	case 0, 1:
		if s.second == nil {
			s.second = s.launch(s.guarantee, "b")
			return
		}
		s.second.stop()
		s.second = nil
	case 2:
		s.cluster.RehashCoordinators()
	case 3:
		s.cluster.ShufflePartitionLeaders()
	case 4:
		s.await(s.ids[:len(s.ids)/2]...)
	}
}
