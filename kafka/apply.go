package kafka

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
)

// ApplyTopics makes the steps of a plan. Broken off, it can be planned and applied again.
func (c Config) ApplyTopics(ctx context.Context, admin *kadm.Client, plan []TopicChange) error {
	isCreating := false
	var changed []TopicChange
	for _, change := range plan {
		if !change.IsStep() {
			continue
		}
		if change.Key == "" {
			isCreating = true
			continue
		}
		if err := c.applyTopic(ctx, admin, change); err != nil {
			return fmt.Errorf("changing %s of topic %s: %w", change.Key, change.Topic, err)
		}
		changed = append(changed, change)
	}
	if isCreating {
		if err := c.EnsureTopics(ctx); err != nil {
			return err
		}
	}
	return c.awaitChanges(ctx, admin, changed)
}

func (c Config) applyTopic(ctx context.Context, admin *kadm.Client, change TopicChange) error {
	if change.Key == PartitionsKey {
		count, err := strconv.Atoi(change.To)
		if err != nil {
			return err
		}
		updated, err := admin.UpdatePartitions(ctx, count, change.Topic)
		if err != nil {
			return err
		}
		return updated.Error()
	}
	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: change.Key, Value: &change.To}}, change.Topic)
	if err != nil {
		return err
	}
	for _, topic := range altered {
		if topic.Err != nil {
			return topic.Err
		}
	}
	return nil
}
