package dispatcher

import (
	"testing"

	"pgregory.net/rapid"
)

// TestCommitNeverPassesAnUnfinishedOffset compares the tracker with the plain definition of what it does.
func TestCommitNeverPassesAnUnfinishedOffset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tracked offsets
		var started []int64
		finished := map[int64]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				offset := rapid.Int64Range(0, 3).Draw(t, "hole")
				if len(started) > 0 {
					offset += started[len(started)-1] + 1
				}
				if !tracked.start(offset, int32(offset)) {
					t.Fatalf("offset %d was refused", offset)
				}
				started = append(started, offset)
			},
			"start again": func(t *rapid.T) {
				if len(started) > 0 && tracked.start(rapid.SampledFrom(started).Draw(t, "offset"), 0) {
					t.Fatal("an offset was started twice")
				}
			},
			"finish": func(t *rapid.T) {
				if len(started) > 0 {
					offset := rapid.SampledFrom(started).Draw(t, "offset")
					tracked.finish(offset)
					finished[offset] = true
				}
			},
			"commit": func(*rapid.T) {
				at, _ := tracked.committable()
				tracked.commit(at)
				if _, due := tracked.committable(); due {
					t.Fatal("due again right after a commit")
				}
			},
			"": func(t *rapid.T) { requireDefinition(t, &tracked, started, finished) },
		})
	})
}

func requireDefinition(t *rapid.T, tracked *offsets, started []int64, finished map[int64]bool) {
	contiguous := 0
	for contiguous < len(started) && finished[started[contiguous]] {
		contiguous++
	}
	var want position
	if contiguous > 0 {
		last := started[contiguous-1]
		want = position{next: last + 1, epoch: int32(last)}
	} else if len(finished) > 0 {
		want = position{next: started[0], epoch: -1}
	}
	want.changes = len(finished)
	if at, _ := tracked.committable(); at != want {
		t.Fatalf("committable at %+v, want %+v", at, want)
	}
	requireMap(t, tracked, started[contiguous:], finished)
	if tracked.gap() != len(started)-contiguous || tracked.unfinished != len(started)-len(finished) {
		t.Fatalf("gap %d, unfinished %d; started %v, finished %v", tracked.gap(), tracked.unfinished, started, finished)
	}
}

// requireMap reads the map of finished offsets as the next owner of the partition does.
func requireMap(t *rapid.T, tracked *offsets, beyond []int64, finished map[int64]bool) {
	var next offsets
	next.restore(tracked.done())
	for _, offset := range beyond {
		if next.wasFinished(offset) != finished[offset] {
			t.Fatalf("offset %d: finished is %t, the map is %v", offset, finished[offset], tracked.done())
		}
	}
}

func BenchmarkOffsets(b *testing.B) {
	var tracked offsets
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		tracked.start(i, 0)
		if i%64 == 63 {
			for offset := i; offset > i-64; offset-- {
				tracked.finish(offset)
			}
		}
	}
}
