package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// misfits compares a JSON value with the Go value it is meant for: members that nobody knows, values of another type,
// null where it has no meaning, texts that cannot be read. Each fault names the member by its whole path.
func misfits(value, into any) []problem {
	return fits("", value, reflect.TypeOf(into).Elem())
}

// fits looks at one value; kinds that are read as they are fit always.
func fits(field string, value any, want reflect.Type) []problem {
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	reader := reflect.New(want).Interface()
	if inner, isNullable := reader.(interface{ example() any }); isNullable {
		if value == nil {
			return nil
		}
		return fits(field, value, reflect.TypeOf(inner.example()).Elem())
	}
	if own, hasOwn := reader.(interface {
		misfits(field string, value any) []problem
	}); hasOwn {
		return own.misfits(field, value)
	}
	if texts, isText := reader.(encoding.TextUnmarshaler); isText {
		return fitsText(field, value, texts)
	}
	if _, isJSON := reader.(json.Unmarshaler); isJSON || want.Kind() == reflect.Interface {
		return nil
	}
	if value == nil {
		return []problem{misfit(field, "null is not possible; give %s, or leave it out to keep it as it is", describe(want))}
	}
	switch want.Kind() {
	case reflect.Struct:
		return fitsStruct(field, value, want)
	case reflect.Map:
		return fitsMap(field, value, want)
	case reflect.Slice:
		return fitsList(field, value, want)
	default:
		return fitsSingle(field, value, want)
	}
}

func fitsText(field string, value any, reader encoding.TextUnmarshaler) []problem {
	text, isString := value.(string)
	if !isString {
		return []problem{misfit(field, "give a string, not %s", describeValue(value))}
	}
	if err := reader.UnmarshalText([]byte(text)); err != nil {
		return []problem{misfit(field, "%v", err)}
	}
	return nil
}

func fitsStruct(field string, value any, want reflect.Type) []problem {
	members, isObject := value.(map[string]any)
	if !isObject {
		return []problem{misfit(field, "give an object, not %s", describeValue(value))}
	}
	known := map[string]reflect.Type{}
	for _, member := range reflect.VisibleFields(want) {
		if name, _, _ := strings.Cut(member.Tag.Get("json"), ","); name != "" && name != "-" {
			known[name] = member.Type
		}
	}
	var found []problem
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if wanted, isKnown := known[name]; isKnown {
			found = append(found, fits(path(field, name), members[name], wanted)...)
			continue
		}
		found = append(found, misfit(path(field, name), "nobody knows this member%s", suggestion(name, slices.Sorted(maps.Keys(known)))))
	}
	return found
}

func fitsMap(field string, value any, want reflect.Type) []problem {
	members, isObject := value.(map[string]any)
	if !isObject {
		return []problem{misfit(field, "give an object, not %s", describeValue(value))}
	}
	var found []problem
	for _, name := range slices.Sorted(maps.Keys(members)) {
		found = append(found, fits(path(field, name), members[name], want.Elem())...)
	}
	return found
}

func fitsList(field string, value any, want reflect.Type) []problem {
	elements, isList := value.([]any)
	if !isList {
		return []problem{misfit(field, "give a list, not %s", describeValue(value))}
	}
	var found []problem
	for i, element := range elements {
		found = append(found, fits(fmt.Sprintf("%s[%d]", field, i), element, want.Elem())...)
	}
	return found
}

func fitsSingle(field string, value any, want reflect.Type) []problem {
	fit := false
	switch value := value.(type) {
	case string:
		fit = want.Kind() == reflect.String
	case bool:
		fit = want.Kind() == reflect.Bool
	case json.Number:
		// 1e3 is no whole number to encoding/json, and 1e999 no number.
		fit = json.Unmarshal([]byte(value), reflect.New(want).Interface()) == nil
	}
	if fit {
		return nil
	}
	return []problem{misfit(field, "give %s, not %s", describe(want), describeValue(value))}
}

func describe(want reflect.Type) string {
	switch want.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}

func describeValue(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return fmt.Sprint(value)
	case json.Number:
		return fmt.Sprintf("the number %.40s", value)
	case []any:
		return "a list"
	}
	return "an object"
}
