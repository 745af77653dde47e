package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// scanAny reads a row of whatever types as values that JSON has a form for.
func scanAny(rows driver.Rows) ([]any, error) {
	types := rows.ColumnTypes()
	values := make([]any, len(types))
	for i, column := range types {
		values[i] = reflect.New(column.ScanType()).Interface()
	}
	if err := rows.Scan(values...); err != nil {
		return nil, err
	}
	for i, column := range types {
		isDate := strings.Contains(column.DatabaseTypeName(), "Date") && !strings.Contains(column.DatabaseTypeName(), "DateTime")
		values[i] = plain(reflect.ValueOf(values[i]), isDate)
	}
	return values, nil
}

// plain turns a value into one that JSON has a form for.
func plain(value reflect.Value, isDate bool) any {
	for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		if value.IsNil() {
			return nil
		}
		_, isTime := value.Interface().(*time.Time)
		if _, isMarshaler := value.Interface().(json.Marshaler); isMarshaler && !isTime {
			break
		}
		value = value.Elem()
	}
	switch is := value.Interface().(type) {
	case time.Time:
		if isDate {
			return is.Format(time.DateOnly)
		}
		return is.UTC().Format(time.RFC3339Nano)
	case json.Marshaler, fmt.Stringer:
		return marshaled(is)
	}
	switch value.Kind() { //nolint:exhaustive // the others are as JSON has them
	case reflect.Float32, reflect.Float64:
		if number := value.Float(); math.IsNaN(number) || math.IsInf(number, 0) {
			return fmt.Sprint(number)
		}
	case reflect.String:
		return strings.ToValidUTF8(value.String(), "\uFFFD")
	case reflect.Slice, reflect.Array:
		list := make([]any, value.Len())
		for i := range list {
			list[i] = plain(value.Index(i), isDate)
		}
		return list
	case reflect.Map:
		object := make(map[string]any, value.Len())
		for _, key := range value.MapKeys() {
			object[fmt.Sprint(plain(key, false))] = plain(value.MapIndex(key), isDate)
		}
		return object
	}
	return value.Interface()
}

// marshaled is the JSON of a value, its text where there is none.
func marshaled(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return json.RawMessage(text)
}

// refusedSQL explains why the server did not answer a statement.
func refusedSQL(err error) error {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return fmt.Errorf("asking in SQL: %w", err)
	}
	var tooMuch *LimitError
	if explained := limited(err); errors.As(explained, &tooMuch) {
		return &LimitError{"the statement was ended at a limit: " + exception.Message}
	}
	return &SQLError{exception.Message}
}
