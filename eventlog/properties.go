package eventlog

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// noProperties is what the column holds where an event has none.
const noProperties = "{}"

// alwaysFits is how long a number without an exponent can be and fit into 64 bits in any case.
const alwaysFits = 18

// storableProperties returns the text of an object as the column properties takes it. ClickHouse refuses an object with a
// number that neither 64 bits nor a float holds: a whole one becomes a float, and one that is too large for that becomes
// text. The body keeps what was sent. Where nothing changes, what is stored shares the object's memory. isChanged tells whether there were such numbers.
func storableProperties(object []byte) (stored string, isChanged bool) {
	var changed strings.Builder
	copied := 0
	for at := 0; at < len(object); {
		switch c := object[at]; {
		case c == '"':
			at = endOfString(object, at)
		case c == '-' || c >= '0' && c <= '9':
			end := endOfNumber(object, at)
			if number := string(object[at:end]); !fits(number) {
				changed.Write(object[copied:at])
				changed.WriteString(fitting(number))
				copied = end
			}
			at = end
		default:
			at++
		}
	}
	if copied == 0 {
		return schemas.Share(object), false
	}
	changed.Write(object[copied:])
	return changed.String(), true
}

// endOfString returns where the string ends that begins at a quote.
func endOfString(text []byte, at int) int {
	for at++; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(text)
}

func endOfNumber(text []byte, at int) int {
	for at < len(text) && strings.IndexByte("+-.0123456789eE", text[at]) >= 0 {
		at++
	}
	return at
}

func fits(number string) bool {
	if isWhole(number) {
		if len(number) <= alwaysFits {
			return true
		}
		_, signed := strconv.ParseInt(number, 10, 64)
		_, unsigned := strconv.ParseUint(number, 10, 64)
		return signed == nil || unsigned == nil
	}
	_, err := strconv.ParseFloat(number, 64)
	return err == nil
}

func isWhole(number string) bool { return !strings.ContainsAny(number, ".eE") }

// fitting is a number that does not fit as something that does.
func fitting(number string) string {
	if _, err := strconv.ParseFloat(number, 64); err == nil && isWhole(number) {
		return number + ".0"
	}
	return `"` + number + `"`
}
