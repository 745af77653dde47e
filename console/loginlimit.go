package console

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"
)

// Logins with a wrong token are held back, by address and in all, so that nobody has the API try tokens as fast as it
// can. One that succeeds costs nothing: however many people share an address, those with a token come in.
// Fiber's own limiter keeps any number of addresses, with a goroutine that nobody can end.

const (
	wrongFromAddress = 10  // wrong tokens a minute from one address
	wrongInAll       = 300 // and from all of them
	// manyAddresses is when those are forgotten whose wrong tokens lie a minute back. The others are fewer than
	// this: none is there without a wrong token in the last minute, and those are at most twice wrongInAll.
	manyAddresses = 1000
)

// loginLimit counts wrong tokens.
type loginLimit struct {
	mu        sync.Mutex // guards what follows
	all       attempts
	byAddress map[netip.Prefix]*attempts
}

// attempts are those of an address, or all.
type attempts struct {
	wrong    *rate.Limiter // has a token for each wrong one that may still come
	underway int           // may turn out wrong
}

func newAttempts(perMinute int) attempts {
	return attempts{wrong: rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)}
}

func newLoginLimit() *loginLimit {
	return &loginLimit{all: newAttempts(wrongInAll), byAddress: map[netip.Prefix]*attempts{}}
}

// wait is how long it takes until one more may come.
func (a *attempts) wait(now time.Time) time.Duration {
	short := 1 + float64(a.underway) - a.wrong.TokensAt(now)
	if short <= 0 {
		return 0
	}
	return time.Duration(short / float64(a.wrong.Limit()) * float64(time.Second))
}

func (a *attempts) end(now time.Time, wasWrong bool) {
	a.underway--
	if wasWrong {
		a.wrong.AllowN(now, 1) // there is one: no more are under way than there are tokens
	}
}

// begin lets an attempt begin, whose end must be told with end, or says how long to wait first, and whether it is all
// addresses together that came too often.
func (l *loginLimit) begin(from netip.Prefix, now time.Time) (end func(now time.Time, wasWrong bool), wait time.Duration, inAll bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.all.wait(now); wait > 0 {
		return nil, wait, true
	}
	own := l.byAddress[from]
	if own == nil {
		l.forget(now)
		made := newAttempts(wrongFromAddress)
		own = &made
		l.byAddress[from] = own
	}
	if wait := own.wait(now); wait > 0 {
		return nil, wait, false
	}
	l.all.underway++
	own.underway++
	return func(now time.Time, wasWrong bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all.end(now, wasWrong)
		own.end(now, wasWrong)
	}, 0, false
}

// forget drops the addresses that are as good as new, once there are many.
func (l *loginLimit) forget(now time.Time) {
	if len(l.byAddress) < manyAddresses {
		return
	}
	for address, own := range l.byAddress {
		if own.underway == 0 && own.wrong.TokensAt(now) >= wrongFromAddress {
			delete(l.byAddress, address)
		}
	}
}

// networkOf is from where somebody comes: of IPv6 the network, of which one has all addresses. A proxy on this machine or
// in its network says for whom it asks, in the last place of X-Forwarded-For, which only the proxy writes. Others can
// write there what they like, and are not believed; who sits in that network can, too, and is held to the limit in all.
func networkOf(c *fiber.Ctx) netip.Prefix {
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	peer = peer.Unmap()
	if peer.IsLoopback() || peer.IsPrivate() {
		told := c.Get(fiber.HeaderXForwardedFor)
		if named, err := netip.ParseAddr(strings.TrimSpace(told[strings.LastIndex(told, ",")+1:])); err == nil {
			peer = named.Unmap().WithZone("")
		}
	}
	bits := peer.BitLen()
	if peer.Is6() {
		bits = 64
	}
	network, err := peer.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address at all, as of a Unix socket: they share one place
	}
	return network
}
