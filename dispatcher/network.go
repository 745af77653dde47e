package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// networks are the networks that may be called although they are not public.
type networks []netip.Prefix

func parseNetworks(texts []string) (networks, error) {
	var all networks
	var problems []error
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("dispatcher allow networks %q: write it as 10.1.0.0/16", text))
			continue
		}
		all = append(all, network.Masked())
	}
	return all, errors.Join(problems...)
}

// dial connects to an address that may be called. What may be is decided when the name has been resolved and the
// connection is about to be made, so that a name cannot say one address first and another one then.
func (n networks) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: n.control}
	return dialer.DialContext(ctx, network, address)
}

func (n networks) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	return n.check(at.Addr())
}

// check refuses addresses that lead into the installation's own network, or nowhere.
func (n networks) check(at netip.Addr) error {
	at = at.WithZone("").Unmap()
	for _, allowed := range n {
		if allowed.Contains(at) {
			return nil
		}
	}
	if at.IsGlobalUnicast() && !at.IsPrivate() && !isReserved(at) {
		return nil
	}
	return fmt.Errorf("%s is not a public address: if the workflow API is meant to be there, allow its network with --dispatcher-allow-networks", at)
}

// isReserved tells the addresses that count as global unicast and are not: RFC 6890's list, and the ways to write an
// IPv4 address as an IPv6 one.
func isReserved(at netip.Addr) bool {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		if netip.MustParsePrefix(text).Contains(at) {
			return true
		}
	}
	return false
}
