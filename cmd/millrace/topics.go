package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/kafka"
)

type topicsCommands struct {
	Apply topicsApply `cmd:"" default:"withargs" help:"Create the topics that are missing, and change those that are not as the settings want them; it is what topics alone does."`
	Plan  topicsPlan  `cmd:"" help:"Show what apply would do; exit status 2 where there is something to do."`
}

// topicsConfig is what both share.
type topicsConfig struct {
	Kafka         kafka.Config `embed:"" prefix:"kafka-"`
	AddPartitions bool         `help:"Give topics more partitions where they have fewer than --kafka-topics-partitions. Keys then go to other partitions than before: repeats of what came earlier are not recognised, and a person's runs may overtake each other, until what was there has passed." env:"-"`
}

// plan connects and plans. Close the client after use.
func (c topicsConfig) plan(ctx context.Context) (*kadm.Client, []kafka.TopicChange, error) {
	if err := errors.Join(needBrokers(c.Kafka), c.Kafka.Validate()); err != nil {
		return nil, nil, err
	}
	admin, err := c.Kafka.Admin()
	if err != nil {
		return nil, nil, err
	}
	states, err := c.Kafka.TopicStates(ctx, admin)
	if err != nil {
		admin.Close()
		return nil, nil, err
	}
	return admin, c.Kafka.PlanTopics(states, c.AddPartitions), nil
}

type topicsPlan struct {
	topicsConfig `embed:""`
}

// Run shows the plan.
func (c *topicsPlan) Run(ctx bound, tty terminal) error {
	admin, plan, err := c.plan(ctx)
	if err != nil {
		return err
	}
	defer admin.Close()
	if len(plan) == 0 {
		fmt.Fprintln(tty.out, "Every topic is as it should be.")
		return nil
	}
	showTopics(tty, plan)
	if slices.ContainsFunc(plan, func(c kafka.TopicChange) bool { return c.Kept == "" }) {
		return exitStatus(exitDifferent)
	}
	return nil
}

type topicsApply struct {
	topicsConfig `embed:""`
}

// Run makes the topics what the settings say. It fails where something had to be refused.
func (c *topicsApply) Run(ctx bound, tty terminal) error {
	admin, plan, err := c.plan(ctx)
	if err != nil {
		return err
	}
	defer admin.Close()
	showTopics(tty, plan)
	if err := c.Kafka.ApplyTopics(ctx, admin, plan); err != nil {
		return err
	}
	if slices.ContainsFunc(plan, func(c kafka.TopicChange) bool { return c.Refused != "" }) {
		return errors.New("not every topic is as the settings want it; see above")
	}
	fmt.Fprintln(tty.out, "Every topic is as it should be.")
	return nil
}

// showTopics writes a line for each step: + creates, ~ changes, = is kept, ! is refused.
func showTopics(tty terminal, plan []kafka.TopicChange) {
	for _, change := range plan {
		step := fmt.Sprintf("%s: %s %s -> %s", change.Topic, change.Key, change.From, change.To)
		switch {
		case change.Key == "":
			fmt.Fprintf(tty.out, "+ %s: %s\n", change.Topic, change.To)
		case change.Kept != "":
			fmt.Fprintf(tty.out, "= %s: %s stays %s, not %s: %s\n", change.Topic, change.Key, change.From, change.To, change.Kept)
		case change.Refused != "":
			fmt.Fprintf(tty.out, "! %s: refused: %s\n", step, change.Refused)
		default:
			fmt.Fprintf(tty.out, "~ %s\n", step)
		}
	}
}
