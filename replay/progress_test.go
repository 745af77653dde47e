package replay_test

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestAllWhoAskForProgressShareConnections has the API asked by many at once, as pages that show replays do each second.
func TestAllWhoAskForProgressShareConnections(t *testing.T) {
	var opened atomic.Int64
	_, cluster := rig.Fake(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
		listener, err := net.Listen(network, address)
		return countingListener{listener, &opened}, err
	}))
	progress, err := replay.NewProgress(kafka.Config{Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer progress.Close()
	running := schemas.Replay{ID: "r", Partitions: []schemas.ReplayRange{{Partition: 0, Start: 0, End: 10}}}
	var asking errgroup.Group
	for range 50 {
		asking.Go(func() error {
			now, err := progress.Of(t.Context(), running)
			if err == nil && (now.Total != 10 || now.Done != 0) {
				t.Errorf("%+v", now)
			}
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		t.Error(err)
	}
	if got := opened.Load(); got > 3 { // to learn of the brokers, and to ask the only one
		t.Errorf("50 questions opened %d connections", got)
	}
}

type countingListener struct {
	net.Listener
	opened *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.opened.Add(1)
	}
	return conn, err
}
