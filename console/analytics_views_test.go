package console_test

import (
	"net/http"

	"github.com/millrace/millrace/api"
)

// analyticsViews are the pages of this part that are worth a look.
func analyticsViews() []view { return nil }

// analyticsPaths are its pages, of the busy shop.
func analyticsPaths() []string { return nil }

// analyticsAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) analyticsAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	return 0, nil
}
