package console

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func network(i int) netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.1/32", i/256, i%256))
}

func TestPlaceForAnAttemptComesBackWithTime(t *testing.T) {
	limit, now := newLoginLimit(), time.Unix(1000, 0)
	for i := range wrongFromAddress {
		end, wait, _ := limit.begin(network(1), now)
		if wait > 0 {
			t.Fatalf("attempt %d must wait %s", i, wait)
		}
		end(now, true)
	}
	_, wait, inAll := limit.begin(network(1), now)
	if want := time.Minute / wrongFromAddress; wait < want-time.Millisecond || wait > want+time.Millisecond || inAll {
		t.Errorf("wait %s (in all: %v), want %s", wait, inAll, want)
	}
	if _, wait, _ := limit.begin(network(2), now); wait > 0 {
		t.Error("another address must wait, too")
	}
	if _, wait, _ := limit.begin(network(1), now.Add(wait+time.Millisecond)); wait > 0 {
		t.Errorf("still to wait %s after that", wait)
	}
}

func TestRightTokensCostNothingAndThoseUnderWayCount(t *testing.T) {
	limit, now := newLoginLimit(), time.Unix(1000, 0)
	for i := range 5 * wrongFromAddress {
		end, wait, _ := limit.begin(network(1), now)
		if wait > 0 {
			t.Fatalf("login %d must wait %s", i, wait)
		}
		end(now, false)
	}
	for range wrongFromAddress { // none has ended: side by side no more can be tried than one after the other
		limit.begin(network(1), now)
	}
	if _, wait, _ := limit.begin(network(1), now); wait == 0 {
		t.Error("one more is let in")
	}
}

func TestAddressesAreBoundedAndHeldToALimitInAll(t *testing.T) {
	limit, now := newLoginLimit(), time.Unix(1000, 0)
	refused := 0
	for i := range 20 * manyAddresses {
		now = now.Add(10 * time.Millisecond) // 100 a second
		end, wait, inAll := limit.begin(network(i), now)
		if wait == 0 {
			end(now, true)
		} else if inAll {
			refused++
		}
		if len(limit.byAddress) > manyAddresses {
			t.Fatalf("%d addresses are kept", len(limit.byAddress))
		}
	}
	passed, minutes := 20*manyAddresses-refused, 20*manyAddresses/100/60+1
	if passed > (minutes+1)*wrongInAll {
		t.Errorf("%d wrong tokens passed in %d minutes", passed, minutes)
	}
}
