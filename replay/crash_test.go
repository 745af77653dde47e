package replay_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestWorkThatWasNotCommittedIsDoneAgainAndCountedOnce refuses some commits, behind which runs have been written already.
func TestWorkThatWasNotCommittedIsDoneAgainAndCountedOnce(t *testing.T) {
	t.Parallel()
	fake, cluster := rig.Fake(t, kfake.GroupMinSessionTimeout(100*time.Millisecond))
	w := newWorldOn(t, cluster)
	w.send(orders(1000)...)
	w.decided()
	var refused atomic.Int64
	fake.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		commit := request.(*kmsg.OffsetCommitRequest)
		if commit.Group == w.config.Group("eventlog") || refused.Add(1)%3 == 0 {
			return nil, nil, false
		}
		response := commit.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, topic := range commit.Topics {
			answer := kmsg.NewOffsetCommitResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				refusal := kmsg.NewOffsetCommitResponseTopicPartition()
				refusal.Partition, refusal.ErrorCode = partition.Partition, kerr.UnknownMemberID.Code
				answer.Partitions = append(answer.Partitions, refusal)
			}
			response.Topics = append(response.Topics, answer)
		}
		return response, nil, true
	})
	w.role(nil)
	r := w.completes(w.wanted(func(r *schemas.Replay) { r.Rate = 900 }))
	w.exactly(r, isBig)
	runs, _, records := w.written(r.ID)
	if records <= len(runs) {
		t.Errorf("%d records of %d runs: nothing was done again, so this has shown nothing", records, len(runs))
	}
	if r.Result.Read != 1000 || r.Result.Existed != 0 {
		t.Errorf("%+v", r.Result)
	}
}

func TestRoleThatStopsInTheMiddleLeavesTheRestToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(700)...)
	w.decided()
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = 400 }))
	for made := int64(50); made <= 350; made += 100 {
		stop := w.role(nil)
		w.reaches(r.ID, made)
		stop()
	}
	w.role(nil)
	w.exactly(w.ends(r.ID, schemas.ReplayCompleted), isBig)
}

func TestTwoMembersShareThePartitionsAndOneGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(1500)...)
	w.decided()
	stop := w.role(nil)
	w.role(nil)
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = 500 }))
	group := w.config.Group("replay." + r.ID)
	w.eventually("both have partitions", func() error {
		described, err := w.admin.DescribeGroups(t.Context(), group)
		if err != nil {
			return err
		}
		owners := 0
		for _, member := range described[group].Members {
			if assigned, isConsumer := member.Assigned.AsConsumer(); isConsumer && len(assigned.Topics) > 0 {
				owners++
			}
		}
		if owners != 2 {
			return errors.New("not yet")
		}
		return nil
	})
	made := w.progress(r.ID).Created
	w.reaches(r.ID, made+100)
	stop()
	r = w.ends(r.ID, schemas.ReplayCompleted)
	w.exactly(r, isBig)
	_, _, records := w.written(r.ID)
	t.Logf("%d records of %d runs", records, r.Result.Created)
}
