package fleet

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/millrace/millrace/rig"
)

// Metric returns a counter or gauge of the process, summed over its labels or those that have the values given: name and
// value in turn.
func (p *Process) Metric(name string, labels ...string) (float64, error) {
	answer, err := rig.Request(http.MethodGet, p.AdminURL+"/metrics", nil, nil)
	if err != nil {
		return 0, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(answer.Body))
	if err != nil {
		return 0, fmt.Errorf("reading the metrics of %s: %w", p.Name, err)
	}
	if families[name] == nil {
		return 0, fmt.Errorf("%s has no metric %s", p.Name, name)
	}
	sum := 0.0
	for _, metric := range families[name].Metric {
		has := map[string]string{}
		for _, label := range metric.Label {
			has[label.GetName()] = label.GetValue()
		}
		isMeant := true
		for i := 0; i < len(labels); i += 2 {
			isMeant = isMeant && has[labels[i]] == labels[i+1]
		}
		if isMeant {
			sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return sum, nil
}
