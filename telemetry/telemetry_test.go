package telemetry_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/millrace/millrace/telemetry"
)

func TestLogLinesHaveTheFormAndLevelThatIsSet(t *testing.T) {
	var out bytes.Buffer
	logger, err := telemetry.NewLogger(telemetry.Config{Level: "warn", Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("quiet")
	logger.Warn("loud", "event_id", "e1")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "loud" || line["event_id"] != "e1" {
		t.Errorf("%s: %v", out.String(), err)
	}
}

func TestUnknownLevelOrFormatIsRefused(t *testing.T) {
	for _, config := range []telemetry.Config{{Level: "loud", Format: "text"}, {Level: "info", Format: "xml"}} {
		if _, err := telemetry.NewLogger(config, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "use ") {
			t.Errorf("%+v: %v", config, err)
		}
	}
}
