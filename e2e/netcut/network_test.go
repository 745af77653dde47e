package netcut

import (
	"os/exec"
	"strings"
	"testing"
)

// The two hosts. The network namespace that the test runs in is the first; `make netcut` gives it one of its own.
const (
	hereAddress  = "10.77.0.1"
	thereAddress = "10.77.0.2"
	there        = "millrace-there"
	between      = "millrace-switch"
)

// network is two hosts at a switch, each host and the switch a network namespace.
type network struct{ t *testing.T }

func newNetwork(t *testing.T) network {
	t.Helper()
	n := network{t}
	if links := n.ip("-o link"); strings.Count(links, "\n") != 1 {
		t.Fatalf("this test needs a network namespace of its own, with loopback alone: run it with `make netcut`. There is:\n%s", links)
	}
	n.ip("link set lo up")
	for _, name := range []string{between, there} {
		n.ip("netns add " + name)
		t.Cleanup(func() { n.ip("netns delete " + name) })
		n.ip("-n " + name + " link set lo up")
	}
	n.ip("-n " + between + " link add switch type bridge")
	n.ip("-n " + between + " link set switch up")
	n.ip("link add here type veth peer name port-here netns " + between)
	t.Cleanup(func() { n.ip("link delete here") })
	n.ip("-n " + there + " link add there type veth peer name port-there netns " + between)
	n.ip("-n " + between + " link set port-here master switch up")
	n.ip("-n " + between + " link set port-there master switch up")
	n.ip("address add " + hereAddress + "/24 dev here")
	n.ip("-n " + there + " address add " + thereAddress + "/24 dev there")
	n.ip("link set here up")
	n.ip("-n " + there + " link set there up")
	return n
}

// cut makes the switch drop what it gets from the other host and for it. Neither host is told: no connection ends, no
// answer comes.
func (n network) cut() { n.ip("-n " + between + " link set port-there nomaster") }

// heal undoes a cut.
func (n network) heal() { n.ip("-n " + between + " link set port-there master switch") }

func (n network) ip(args string) string {
	n.t.Helper()
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
	return string(out)
}
