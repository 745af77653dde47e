package query

// Table is the answer to a question in SQL.
type Table struct {
	Columns   []TableColumn `json:"columns"`
	Rows      [][]any       `json:"rows"` // a value for each column
	IsCut     bool          `json:"cut"`  // there are more rows than are shown
	RowsRead  uint64        `json:"rows_read"`
	BytesRead uint64        `json:"bytes_read"`
	ElapsedMs float64       `json:"elapsed_ms"`
}

// TableColumn is a column of the answer, its type as ClickHouse calls it.
type TableColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}
