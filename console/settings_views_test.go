package console_test

import (
	"net/http"

	"github.com/millrace/millrace/api"
)

// settingsViews are the pages of this part that are worth a look.
func settingsViews() []view { return nil }

// settingsPaths are its pages, of the busy shop.
func settingsPaths() []string { return nil }

// settingsAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) settingsAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	return 0, nil
}
