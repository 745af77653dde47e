package rig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// deleteAll removes the test's groups and topics from a shared broker.
func (c Cluster) deleteAll(t testing.TB) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers...))
	if err != nil {
		t.Errorf("connecting to Kafka: %v", err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := errors.Join(c.deleteGroups(ctx, client), c.deleteTopics(ctx, client)); err != nil {
		t.Errorf("deleting what the test left on Kafka: %v", err)
	}
}

func (c Cluster) deleteGroups(ctx context.Context, client *kgo.Client) error {
	admin := kadm.NewClient(client)
	groups, err := admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	ours := slices.DeleteFunc(groups.Groups(), func(name string) bool { return !strings.HasPrefix(name, c.TopicPrefix) })
	if len(ours) == 0 {
		return nil
	}
	if err := removeMembers(ctx, client, ours); err != nil {
		return err
	}
	deleted, err := admin.DeleteGroups(ctx, ours...)
	if err != nil {
		return fmt.Errorf("deleting groups: %w", err)
	}
	return deleted.Error()
}

// removeMembers sends away the members that stay when their process ends: static ones by design, those of a killed
// process until the broker misses them. A group with members is not deleted.
func removeMembers(ctx context.Context, client *kgo.Client, groups []string) error {
	described, err := kadm.NewClient(client).DescribeGroups(ctx, groups...)
	if err != nil {
		return fmt.Errorf("describing groups: %w", err)
	}
	for _, group := range described {
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group = group.Group
		for _, member := range group.Members {
			leaver := kmsg.NewLeaveGroupRequestMember()
			leaver.MemberID, leaver.InstanceID = member.MemberID, member.InstanceID
			leave.Members = append(leave.Members, leaver)
		}
		if len(leave.Members) == 0 {
			continue
		}
		// Who left meanwhile is no failure; who stays shows when the group is deleted.
		if _, err := leave.RequestWith(ctx, client); err != nil {
			return fmt.Errorf("sending the members of %s away: %w", group.Group, err)
		}
	}
	return nil
}

func (c Cluster) deleteTopics(ctx context.Context, client *kgo.Client) error {
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	ours := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, c.TopicPrefix) })
	if len(ours) == 0 {
		return nil
	}
	deleted, err := admin.DeleteTopics(ctx, ours...)
	if err != nil {
		return fmt.Errorf("deleting topics: %w", err)
	}
	return deleted.Error()
}
