package dispatcher

import (
	"net/netip"
	"strings"
	"testing"
)

func TestOnlyPublicAndAllowedAddressesAreCalled(t *testing.T) {
	allowed, err := parseNetworks([]string{"10.1.0.0/16", "fd00:1::/32"})
	if err != nil {
		t.Fatal(err)
	}
	f := func(want bool, addresses ...string) {
		t.Helper()
		for _, address := range addresses {
			err := allowed.check(netip.MustParseAddr(address))
			if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "--dispatcher-allow-networks") {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	f(true, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5")
	f(false, "127.0.0.1", "::1", "10.2.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:2::1",
		"0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "100.64.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
		"64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "0.1.2.3", "198.18.0.1", "2001:db8::1")
}

func TestNetworkThatIsNoneIsNamed(t *testing.T) {
	if _, err := parseNetworks([]string{"10.0.0.0/8", "localhost"}); err == nil || !strings.Contains(err.Error(), `"localhost"`) {
		t.Errorf("got %v", err)
	}
}
