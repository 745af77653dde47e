package console_test

import (
	"net/http"

	"github.com/millrace/millrace/api"
)

// runsViews are the pages of this part that are worth a look.
func runsViews() []view { return nil }

// runsPaths are its pages, of the busy shop.
func runsPaths() []string { return nil }

// runsAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) runsAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	return 0, nil
}
