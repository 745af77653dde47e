package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
)

// settle notes what came of a replay that has ended and deletes its group. One that has not ended it leaves alone.
func (r *Replay) settle(ctx context.Context, id string) error {
	replay, found := r.catalog.Snapshot().Replay(id)
	if !found || !replay.State.IsFinal() || len(replay.Partitions) == 0 {
		return nil
	}
	client, err := kgo.NewClient(r.kafka.Options()...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if replay.Result == nil {
		done, err := committed(ctx, admin, r.kafka, id)
		if err != nil {
			return err
		}
		result := sum(replay, done)
		err = r.change(ctx, "settling", id, func(tx *catalog.Tx) error {
			_, err := tx.SettleReplay(id, result)
			return err
		})
		if err != nil {
			return err
		}
	}
	return deleteGroup(ctx, admin, groupName(r.kafka, id), 2*r.config.SessionTime)
}

// deleteGroup deletes a group once its members have left, for which it waits. A group that stays is deleted by Kafka when
// its offsets expire.
func deleteGroup(ctx context.Context, admin *kadm.Client, group string, patience time.Duration) error {
	pause := &backoff.ExponentialBackOff{InitialInterval: 100 * time.Millisecond, Multiplier: 2, MaxInterval: 2 * time.Second}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		_, err := admin.DeleteGroup(ctx, group)
		if errors.Is(err, kerr.GroupIDNotFound) {
			err = nil
		}
		if err != nil && !errors.Is(err, kerr.NonEmptyGroup) && !kerr.IsRetriable(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(patience))
	if err != nil {
		return fmt.Errorf("deleting group %s: %w", group, err)
	}
	return nil
}
