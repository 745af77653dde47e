package dispatcher_test

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/kafka"
)

func TestDefaultSettingsAreValid(t *testing.T) {
	var flags struct {
		Dispatcher dispatcher.Config `embed:"" prefix:"dispatcher-"`
	}
	parser, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if err := flags.Dispatcher.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryWrongSettingIsReportedAtOnce(t *testing.T) {
	_, err := dispatcher.New(dispatcher.Config{}, kafka.Config{}, nil, nil)
	if err == nil {
		t.Fatal("an empty configuration was accepted")
	}
	problems := strings.Split(err.Error(), "\n")
	if len(problems) != 16 {
		t.Errorf("%d problems, want one for each of the 16 settings:\n%v", len(problems), err)
	}
	config := quick()
	config.MaxAge *= 2
	if err := config.Validate(); err == nil || !strings.Contains(err.Error(), "max age 40h0m0s") {
		t.Errorf("got %v", err)
	}
}
