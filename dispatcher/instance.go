package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// instance returns the name under which a process with this directory is a member of the group. One that was killed and
// is started again takes its own partitions over at once, without waiting for a session to end and without a rebalance.
// The directory's index is locked, so that no two processes have a name in common.
func instance(dir string) (string, error) {
	path := filepath.Join(dir, "instance")
	text, err := os.ReadFile(path)
	name := strings.TrimSpace(string(text))
	if err == nil && name != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the name of this instance: %w", err)
	}
	name = uuid.NewString()
	if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing the name of this instance: %w", err)
	}
	return name, nil
}

// leave gives up the membership, so that others take the partitions over at once. The client alone would keep it for a
// process of the same name. The broker compares the member's ID, too: should another process have the name by now, that
// one stays.
func (g *group) leave(ctx context.Context, client *kgo.Client) error {
	id, _ := client.GroupMetadata()
	if err := client.LeaveGroupContext(ctx); err != nil || id == "" {
		return err
	}
	request := kmsg.NewPtrLeaveGroupRequest()
	request.Group = g.name
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID, member.InstanceID = id, &g.instance
	request.Members = append(request.Members, member)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, left := range answer.Members {
		if err := kerr.ErrorForCode(left.ErrorCode); err != nil {
			return err
		}
	}
	return kerr.ErrorForCode(answer.ErrorCode)
}
