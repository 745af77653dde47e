package eventlog

import "slices"

// RebuildStatements returns the statements of a rebuild of a table.
func RebuildStatements(config Config, table string) ([]string, error) {
	create, err := config.fresh(table, mark{ID: "17", Stretches: []stretch{{Topic: `odd'\topic`, To: 5}}})
	if err != nil {
		return nil, err
	}
	swap, err := config.swap(table)
	all := slices.Concat(create, swap)
	all = append(all, config.drop(table, true)...)
	all = append(all, config.drop(table, false)...)
	return append(all, config.unmark(table)), err
}
