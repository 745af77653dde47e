package typo_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas/typo"
)

func TestNearestNameIsAtMostTwoEditsAway(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := typo.Nearest(name, []string{"total", "currency", "id"}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("totl", "total")
	f("curency", "currency")
	f("currnecy", "currency")
	f("tootaall", "")
	f("xy", "") // nothing of id is left
	f("", "")
}

func TestEditsAreADistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ab]{0,6}`)
		a, b, c := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c")
		if (typo.Edits(a, b) == 0) != (a == b) || typo.Edits(a, b) != typo.Edits(b, a) || typo.Edits(a, c) > typo.Edits(a, b)+typo.Edits(b, c) {
			t.Fatalf("%q %q %q: %d, %d, %d", a, b, c, typo.Edits(a, b), typo.Edits(b, c), typo.Edits(a, c))
		}
	})
}
